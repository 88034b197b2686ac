"""What a language model is asked: a versioned prompt, and points of the space as JSON.

Nothing else of a table goes out: no path, no transcript, no speaker. So nothing in them can instruct a model.
"""

import hashlib
import importlib.resources
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from emorank.captions.llm.manners import Manners

VERSION = "plane-1"

_CHARACTERS_A_TOKEN = 3.5  # of English and JSON; other scripts have more tokens a character
_TOKENS_A_CAPTION = 24
_TOKENS_AN_ITEM = 14

Message = dict[str, str]


@dataclass(frozen=True)
class Prompt:
    """The words around the data.

    Args:
        version: name of the file in captions/prompts.
        digest: hash of that file; captions are kept under it.
        system: the task.
        language: sentence that asks for another language than English, with {language}.
    """

    version: str
    digest: str
    system: str
    language: str


@lru_cache
def prompt(version: str = VERSION) -> Prompt:
    """A prompt that ships with emorank."""
    source = (importlib.resources.files("emorank.captions") / "prompts" / f"{version}.toml").read_bytes()
    data = tomllib.loads(source.decode("utf8"))
    return Prompt(data["version"], hashlib.sha256(source).hexdigest(), data["system"].strip(), data["language"])


@dataclass(frozen=True, order=True)
class Point:
    """A place that captions are asked for.

    Args:
        valence: 1..7; the ordinality test's 0.5 too.
        arousal: the same.
        dominance: the same, or None where it shall not matter.
        speaker: the voice, or None where it shall not matter.
    """

    valence: float
    arousal: float
    dominance: float | None = None
    speaker: Literal["female", "male"] | None = None

    def data(self) -> dict[str, Any]:
        """The fields that are known, for JSON."""
        fields = {
            "valence": self.valence,
            "arousal": self.arousal,
            "dominance": self.dominance,
            "speaker": self.speaker,
        }
        return {name: value for name, value in fields.items() if value is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.data().items())


@dataclass(frozen=True)
class Item:
    """One question: so many captions for a point.

    Args:
        point: what they describe.
        captions: how many.
        already: captions of the point that shall not be repeated.
        rejected: why an earlier answer was not taken; sentences of ours, never the model's words.
    """

    point: Point
    captions: int
    already: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()

    def data(self, number: int) -> dict[str, Any]:
        """The item as it stands in the request."""
        extra: Mapping[str, tuple[str, ...]] = {"already": self.already, "rejected": self.rejected}
        known = {name: list(lines) for name, lines in extra.items() if lines}
        return {"id": number, **self.point.data(), "captions": self.captions, **known}


def messages(words: Prompt, items: Sequence[Item], manners: Manners) -> list[Message]:
    """A chat that asks for the captions of some items; ids count from 1 in their order."""
    system = words.system
    if not manners.english:
        system += "\n" + words.language.format(language=json.dumps(manners.language, ensure_ascii=False))
    data = {"items": [item.data(number) for number, item in enumerate(items, 1)]}
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
    ]


def schema() -> dict[str, Any]:
    """The answer as JSON schema, for servers that can hold a model to one."""
    item = {
        "type": "object",
        "properties": {"id": {"type": "integer"}, "captions": {"type": "array", "items": {"type": "string"}}},
        "required": ["id", "captions"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"items": {"type": "array", "items": item}},
        "required": ["items"],
        "additionalProperties": False,
    }


def prompt_tokens(chat: Sequence[Message]) -> int:
    """About how many tokens a chat has, with the few that its form costs."""
    return round(sum(len(message["content"]) for message in chat) / _CHARACTERS_A_TOKEN) + 8 * len(chat)


def answer_tokens(items: Sequence[Item]) -> int:
    """About how many tokens an answer to some items has."""
    return 8 + sum(_TOKENS_AN_ITEM + _TOKENS_A_CAPTION * item.captions for item in items)
