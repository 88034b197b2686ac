"""What a language model is asked, a versioned prompt with JSON, and how its answer is read.

Nothing of a table goes out but points of the plane or names of categories: no path, no transcript, no speaker. So
nothing in them can instruct a model.
"""

import hashlib
import importlib.resources
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

_CHARACTERS_A_TOKEN = 3.5  # of English and JSON; other scripts have more tokens a character
_TOKENS_A_CAPTION = 24
_TOKENS_A_QUESTION = 14

Message = dict[str, str]
PromptName = Literal["plane", "clap4emo"]
_VERSIONS: dict[PromptName, str] = {"plane": "plane-1", "clap4emo": "clap4emo-1"}

_ITEM = {"id": {"type": "integer"}, "captions": {"type": "array", "items": {"type": "string"}}}
_CLOSED = {"type": "object", "additionalProperties": False}
_ITEMS = {"type": "array", "items": {**_CLOSED, "properties": _ITEM, "required": ["id", "captions"]}}

#: The answer as JSON schema, for servers that can hold a model to one.
SCHEMA: dict[str, Any] = {**_CLOSED, "properties": {"items": _ITEMS}, "required": ["items"]}


@dataclass(frozen=True)
class Prompt:
    """The words around the data.

    Args:
        version: name of the file in captions/llm/prompts.
        digest: hash of that file; captions are kept under it.
        system: the task.
        language: sentence that asks for another language than English, with {language}.
        words: category -> words that go with it, where the prompt is about categories.
    """

    version: str
    digest: str
    system: str
    language: str
    words: Mapping[str, tuple[str, ...]]


@lru_cache
def load_prompt(name: PromptName = "plane") -> Prompt:
    """The newest version of a prompt that ships with emorank."""
    folder = importlib.resources.files("emorank.captions.llm") / "prompts"
    source = (folder / f"{_VERSIONS[name]}.toml").read_bytes()
    data = tomllib.loads(source.decode("utf8"))
    words = {category: tuple(own.split()) for category, own in data.get("words", {}).items()}
    return Prompt(data["version"], hashlib.sha256(source).hexdigest(), data["system"].strip(), data["language"], words)


@dataclass(frozen=True)
class Point:
    """A place that captions are asked for: 1..7, the ordinality test's 0.5 too; None is what shall not matter."""

    valence: float
    arousal: float
    dominance: float | None = None
    speaker: Literal["female", "male"] | None = None

    def data(self) -> dict[str, Any]:
        """The fields that it has, for JSON."""
        fields = {name: getattr(self, name) for name in ("valence", "arousal", "dominance", "speaker")}
        return {name: value for name, value in fields.items() if value is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.data().items())


@dataclass(frozen=True)
class Category:
    """An emotion that captions are asked for, with words that go with it (CLAP4emo)."""

    emotion: str
    words: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        """Its fields, for JSON."""
        return {"emotion": self.emotion, "words": list(self.words)}

    def __str__(self) -> str:
        return self.emotion


#: What captions are asked for.
Subject = Point | Category


@dataclass(frozen=True)
class Question:
    """Captions that a point or a category lacks, and how asking for them went so far.

    Args:
        subject: what they describe.
        count: how many are still wanted.
        attempts: answers that were not wholly taken.
        rejected: why the last one was not; sentences of ours, never the model's words.
    """

    subject: Subject
    count: int
    attempts: int = 0
    rejected: tuple[str, ...] = ()

    def data(self, number: int, already: Sequence[str]) -> dict[str, Any]:
        """The item as it stands in the request, with captions that shall not be repeated."""
        extra = {"already": list(already), "rejected": list(self.rejected)}
        asked = {"id": number, **self.subject.data(), "captions": self.count}
        return asked | {name: lines for name, lines in extra.items() if lines}


def messages(prompt: Prompt, items: Sequence[Mapping[str, Any]], language: str = "en") -> list[Message]:
    """A chat that asks for the captions of some items."""
    asked = "" if language == "en" else prompt.language.format(language=json.dumps(language, ensure_ascii=False))
    return [
        {"role": "system", "content": f"{prompt.system}\n{asked}".strip()},
        {"role": "user", "content": json.dumps({"items": list(items)}, ensure_ascii=False)},
    ]


def prompt_tokens(chat: Sequence[Message]) -> int:
    """About how many tokens a chat has, with the few that its form costs."""
    return round(sum(len(message["content"]) for message in chat) / _CHARACTERS_A_TOKEN) + 8 * len(chat)


def answer_tokens(questions: Sequence[Question]) -> int:
    """About how many tokens an answer to some questions has."""
    return 8 + sum(_TOKENS_A_QUESTION + _TOKENS_A_CAPTION * question.count for question in questions)


# Where the thoughts of open models end: </think>, [/THINK], <|END_THINKING|>, harmony's channels and the like.
_THOUGHTS_END = re.compile(
    r"(?:</|\[/|◁/|<\|/?)(?:end_?(?:of_?)?)?[\w:]{0,20}?(?:think|thought|reason|reflect|analysis)\w{0,20}\|?[>\]▷]"
    r"|<\|message\|>|<\|inner_suffix\|>|<channel\|>|<unused95>",
    re.IGNORECASE,
)
_MOST_READ = 10_000_000  # characters, those that are read again included, before an answer counts as none
_DECODER = json.JSONDecoder(strict=False)


class Unusable(Exception):
    """An answer that is not the document that was asked for; the message is a sentence for the model."""


def parse(content: str, items: int) -> list[list[str]]:
    """The captions of every item, in the order of the request.

    The last document of the answer counts, so thoughts in front of it, fences and prose around it do not matter, nor
    does its form: bare lists, one document an item, ids as text. Whose captions they are has to be beyond doubt.

    Args:
        content: what the model wrote.
        items: how many items the request had; their ids are 1 to that.

    Raises:
        Unusable: there is no JSON, no captions in it, or an id is missing, repeated or another.
    """
    text = content[max((end.end() for end in _THOUGHTS_END.finditer(content)), default=0) :]
    text = text if text.strip() else content  # all of it was thought
    try:
        answers = [found for document in _documents(text) if (found := _captioned(document))]
    except RecursionError:
        answers = []
    if not answers:
        raise Unusable("The answer was not a JSON document of the form that was asked for.")
    pairs = answers[-1]
    if len(pairs) == 1 < items:
        pairs = [pair for answer in answers[-items:] for pair in answer]
    if items == len(pairs) == 1 and pairs[0][0] is None:  # one question, one answer
        pairs = [(1, pairs[0][1])]
    by_id = {_number(name): captions for name, captions in pairs}
    if len(by_id) != len(pairs) or set(by_id) != set(range(1, items + 1)):
        raise Unusable("The answer did not have every id of the request exactly once.")
    if not all(isinstance(own, list) and all(isinstance(text, str) for text in own) for own in by_id.values()):
        raise Unusable("The captions of an item were not a list of texts.")
    return [by_id[number] for number in range(1, items + 1)]


def _documents(text: str) -> list[Any]:
    """The JSON objects and lists in a text, also in one that is itself written as a JSON string."""
    found: list[Any] = []
    end = read = 0
    with suppress(ValueError):
        text = _DECODER.decode(text.strip()) if text.lstrip().startswith('"') else text
    for match in re.finditer(r"[\[{]", text):
        start = match.start()
        if start < end or read > _MOST_READ:
            continue
        try:
            value, end = _DECODER.raw_decode(text, start)
            found.append(value)
        except json.JSONDecodeError as error:
            read += error.pos - start + error.pos // 100  # an error counts the lines before it
        except ValueError:  # a number of thousands of digits
            break
    return found


def _captioned(document: Any) -> list[tuple[Any, Any]]:
    """Ids and captions, in whatever form a document holds them; none if it is no answer."""
    if isinstance(document, list):
        items = [each for each in document if isinstance(each, dict) and "captions" in each]
        return [pair for each in items for pair in _captioned(each)]
    if not isinstance(document, dict):
        return []
    if isinstance(document.get("captions"), list | str) and "items" not in document:
        inside = _captioned(document["captions"])  # a list of items under the wrong name
        return inside or [(document.get("id"), document["captions"])]
    if document and all(_number(name) for name in document):
        return [(name, own.get("captions") if isinstance(own, dict) else own) for name, own in document.items()]
    return next((pairs for value in document.values() if (pairs := _captioned(value))), [])


def _number(name: Any) -> int | None:
    """An id as a number, also where it is text; None if it is none."""
    if isinstance(name, str) and name.strip().isdecimal() and len(name) < 10:
        return int(name)
    return int(name) if isinstance(name, int | float) and not isinstance(name, bool) and name == name // 1 else None
