"""A model's answer -> the captions that can be taken, and for the rest why not."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from emorank.captions.fault import tidy
from emorank.captions.llm.prompt import Item

_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*?)\n?```\s*\Z", re.DOTALL)


class Unusable(Exception):
    """An answer that is not the document that was asked for; the message is a sentence for the model."""


@dataclass(frozen=True)
class Verdict:
    """What became of one item.

    Args:
        captions: those that can be taken; no more than were asked for.
        reasons: why others cannot.
    """

    captions: tuple[str, ...]
    reasons: tuple[str, ...]


def parse(content: str, items: int) -> list[list[str]]:
    """The captions of every item, in the order of the request.

    Args:
        content: what the model wrote; thoughts in front and a fence around it are forgiven.
        items: how many items the request had; their ids are 1 to that.

    Raises:
        Unusable: it is no JSON, breaks the schema, or lacks or repeats an id.
    """
    from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

    class Captioned(BaseModel):
        model_config = ConfigDict(extra="forbid")
        id: StrictInt
        captions: list[StrictStr]

    class Answer(BaseModel):
        model_config = ConfigDict(extra="forbid")
        items: list[Captioned]

    body = _THOUGHTS.sub("", content).strip()
    fenced = _FENCE.match(body)
    try:
        answer = Answer.model_validate(json.loads(fenced.group(1) if fenced else body))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            raise Unusable("The answer did not have the form that was asked for.") from None
        raise Unusable("The answer was not a JSON document.") from None
    by_id = {item.id: item.captions for item in answer.items}
    if len(by_id) != len(answer.items) or set(by_id) != set(range(1, items + 1)):
        raise Unusable("The answer did not have every id of the request exactly once.")
    return [by_id[number] for number in range(1, items + 1)]


def judge(item: Item, captions: Sequence[str], refused: Callable[[str], str | None]) -> Verdict:
    """Which captions of an item can be taken.

    Args:
        item: what was asked.
        captions: what came.
        refused: caption, tidy -> why it cannot be taken, or None; see `emorank.captions.fault`.
    """
    if len(captions) > item.captions:  # whose captions these are is then anybody's guess
        return Verdict((), (f"{len(captions)} captions came where {item.captions} were asked for.",))
    reasons = []
    if len(captions) < item.captions:
        reasons.append(f"{len(captions)} captions came where more were asked for.")
    taken: list[str] = []
    for caption in map(tidy, captions):
        reason = refused(caption)
        if reason is None:
            taken.append(caption)
        else:
            reasons.append(reason)
    return Verdict(tuple(taken), tuple(dict.fromkeys(reasons)))
