"""emorank search --why: what descriptions and clips are taken for, and where that led."""

from typing import TYPE_CHECKING

from emorank.affect import DIMENSIONS
from emorank.cli.asking import Answer
from emorank.cli.console import say, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emorank.captions.origin import Known, Placed
    from emorank.model import EmotionRankCLAP


def explain(answer: Answer, model: "EmotionRankCLAP") -> None:
    """Say the captions nearest to each description and clip, the place that is asked for, and the place that was found.

    Args:
        answer: what was found.
        model: that embedded what was asked.
    """
    from emorank.captions.origin import captions_like, nearest_captions

    for text in {each.text: each for each in answer.wanted}.values():
        captions = nearest_captions(text)
        say(f"'{text.text}' asks for {_place(captions) or 'a place that is not known for this text encoder'}.")
        _list(captions)
    for path, embedding in answer.clips:
        captions = captions_like(model, embedding)
        values = zip(DIMENSIONS, model.places(embedding[None])[0].tolist(), strict=True)
        place = ", ".join(f"{name} {shown(value)}" for name, value in values if value == value)
        say(f"'{path}' lies at {place}{'; it sounds most like:' if captions else '.'}")
        _list(captions)
    if found := _place(answer.found.hits):
        say(f"Found on average: {found}.")


def _list(captions: "Sequence[Known]") -> None:
    for caption in captions:
        say(f"  {caption.cosine:.2f}  {caption.text}")


def _place(placed: "Sequence[Placed]") -> str | None:
    from emorank.captions.origin import mean_place

    mean = mean_place(placed) or {}
    return ", ".join(f"{name} {shown(value)}" for name, value in mean.items() if value is not None) or None
