"""Batch files of OpenAI and vLLM: a line a request, answered within a day or by `vllm run-batch`, at a lower price."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emorank.captions.llm import ServerOptions
from emorank.captions.llm.client import FORMATS, Reply, reply_of, sentence
from emorank.captions.llm.prompt import Message
from emorank.errors import EmorankError
from emorank.storage import written_whole

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000  # of a file that OpenAI takes


class Unread(Exception):
    """A line that is no answer; the message says why."""


@dataclass(frozen=True)
class Answer:
    """A line of results: which request, and what the model wrote, or a sentence for why nothing."""

    name: str
    reply: Reply | str


@dataclass
class Outcome:
    """What came of the lines of a batch.

    Args:
        accepted: captions that are new.
        lines: how many there were.
        reasons: why something is missing -> how often.
        first: the same -> where it came up first.
    """

    accepted: int = 0
    lines: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def note(self, where: str, reasons: Sequence[str]) -> None:
        """One more line, and what is wrong with it."""
        self.lines += 1
        for reason in reasons:
            self.reasons[reason] += 1
            self.first.setdefault(reason, where)


def write(
    path: Path,
    names: Sequence[str],
    chats: Sequence[Sequence[Message]],
    rooms: Sequence[int],
    model: str,
    options: ServerOptions,
) -> list[Path]:
    """Write requests; beyond what a file may hold they go on in FILE-2, FILE-3 and so on.

    Args:
        path: of the first file.
        names: of every request; its answer has the same.
        chats: of every request.
        rooms: most tokens of every answer.
        model: name that the server knows it by.
        options: temperature and form of the answer; auto is a schema.

    Returns:
        The files, none where there is nothing to ask.

    Raises:
        EmorankError: a file cannot be written.
    """
    form = FORMATS["schema" if options.structured == "auto" else options.structured]
    always: dict[str, Any] = {"model": model, "temperature": options.temperature}
    always |= {"response_format": form} if form else {}
    parts: list[list[str]] = []
    size = 0
    for name, chat, room in zip(names, chats, rooms, strict=True):
        body = always | {"messages": list(chat), "max_completion_tokens": room}
        request = {"custom_id": name, "method": "POST", "url": "/v1/chat/completions", "body": body}
        line = json.dumps(request) + "\n"  # ASCII, so characters are bytes
        if not parts or len(parts[-1]) == MOST_REQUESTS or size + len(line) > MOST_BYTES:
            parts.append([])
            size = 0
        parts[-1].append(line)
        size += len(line)
    files = [path if number == 1 else path.with_stem(f"{path.stem}-{number}") for number in range(1, len(parts) + 1)]
    for file, part in zip(files, parts, strict=True):
        with written_whole(file) as temporary, open(temporary, "w", encoding="ascii") as target:
            target.writelines(part)
    return files


def lines(paths: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Where each line of some files stands, and the line; empty ones are left out.

    Raises:
        EmorankError: a file cannot be read.
    """
    for path in paths:
        try:
            with open(path, encoding="utf8", errors="replace") as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield f"{path}, line {number}", line
        except OSError as error:
            raise EmorankError(f"{path}: the batch's results cannot be read ({error.strerror}).") from error


def answer_of(line: str, key: str | None) -> Answer:
    """What a line of results says, of the file of answers or of that of errors.

    Args:
        line: a JSON document.
        key: that no sentence must repeat.

    Raises:
        Unread: it is no line of results.
    """
    try:
        document = json.loads(line.removeprefix("\ufeff"))
        name, response = document["custom_id"], document.get("response") or {}
        status, body, error = response.get("status_code"), response.get("body"), document.get("error")
        error = error or (body.get("error") if isinstance(body, dict) else None)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Unread("the line is not a result of a batch") from None
    if not isinstance(name, str):
        raise Unread("the line is not a result of a batch")
    if error or (isinstance(status, int) and status >= 400):
        said = f": {sentence(error, key)}" if error else ""
        return Answer(name, (f"status {status}" if status else "the request failed") + said)
    try:
        return Answer(name, reply_of(body, key))
    except (AttributeError, TypeError, LookupError):
        return Answer(name, "the answer cannot be read")
