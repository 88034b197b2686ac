"""emorank search --why: what descriptions are taken for, and where that led."""

from typing import TYPE_CHECKING

from emorank.cli.asking import Answer
from emorank.cli.console import say, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emorank.captions.origin import Placed


def explain(answer: Answer) -> None:
    """Say the nearest captions of each description, the place that it asks for, and the place that was found."""
    from emorank.captions.origin import nearest_captions

    for text in {each.text: each for each in answer.wanted}.values():
        captions = nearest_captions(text)
        say(f"'{text.text}' asks for {_place(captions) or 'a place that is not known for this text encoder'}.")
        for caption in captions:
            say(f"  {caption.cosine:.2f}  {caption.text}")
    if found := _place(answer.found.hits):
        say(f"Found on average: {found}.")


def _place(placed: "Sequence[Placed]") -> str | None:
    from emorank.captions.origin import mean_place

    mean = mean_place(placed) or {}
    return ", ".join(f"{name} {shown(value)}" for name, value in mean.items() if value is not None) or None
