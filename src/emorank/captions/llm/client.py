"""One question to a server that speaks OpenAI's chat completions, and what its answers and failures mean."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

from emorank.captions.llm import ServerOptions, contains_key, is_loopback, shown
from emorank.captions.llm.prompt import SCHEMA, Message
from emorank.errors import EmorankError, MissingExtra

_LARGEST = 1 << 20  # bytes of one answer; a hundred captions with their thoughts are far less
_LONGEST_WAIT = 600.0  # seconds that a server may ask for
_PASSING = frozenset({408, 409, 425, 429})  # and all of 5xx
#: What is sent so that the server holds the model to JSON.
FORMATS: dict[str, Any] = {
    "schema": {"type": "json_schema", "json_schema": {"name": "captions", "strict": True, "schema": SCHEMA}},
    "json": {"type": "json_object"},
    "off": None,
}
_ABOUT_FORMAT = re.compile(
    r"response[ _-]?format|json|schema|structured|guided|grammar|constrained|outlines", re.IGNORECASE
)


class Failed(Exception):
    """A call that may succeed when it is made again; `free` where the server cannot have charged for it."""

    def __init__(self, reason: str, wait: float | None = None, free: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.free = wait, free  # seconds that the server asked to wait for


@dataclass(frozen=True)
class Reply:
    """What a model wrote, or for it why that is no answer; prompt and answer tokens where the server counts them."""

    content: str
    complaint: str
    usage: tuple[int, int] | None
    cut_off: bool = False


class Client:
    """A server and a model.

    Args:
        url: base address of the API, such as http://localhost:8000/v1.
        model: name that the server knows it by.
        key: for the server, sent in a header alone; None for local ones.
        options: how it is asked.

    Raises:
        EmorankError: the address is none, or the environment's proxy cannot be used.
    """

    def __init__(self, url: str, model: str, key: str | None, options: ServerOptions) -> None:
        try:
            import httpx2
        except ModuleNotFoundError as error:
            raise MissingExtra("A language model", "llm") from error
        self.shown = shown(url)
        parts = urlsplit(url)
        path = parts.path.rstrip("/").removesuffix("/chat/completions") + "/chat/completions"
        self._key, self._timeout, self._unlimited = key, options.timeout, options.budget is None
        self._auto = options.structured == "auto"
        self._format_taken = False
        # What changes when the server turns out not to take it: the limit's name, formats, and what is always sent.
        self._limit = "max_tokens"
        self._formats = list(FORMATS) if self._auto else [options.structured]
        self._always: dict[str, Any] = {"model": model, "temperature": options.temperature}
        try:
            self._url = httpx2.URL(parts._replace(path=path, fragment="").geturl())
            self._http = httpx2.AsyncClient(
                headers={"Accept-Encoding": "identity", "Content-Type": "application/json"}
                | ({"Authorization": f"Bearer {key}"} if key else {}),
                timeout=httpx2.Timeout(options.timeout, connect=min(options.timeout, 10.0)),
                limits=httpx2.Limits(max_connections=options.concurrency),
                mounts={f"all://{parts.netloc}": None} if is_loopback(url) else None,  # proxies are for other machines
            )
        except httpx2.InvalidURL:
            raise EmorankError(f"--llm takes the base address of an API; {self.shown} is none.") from None
        except (ValueError, ImportError):
            raise EmorankError("The environment's proxy cannot be used; look at http_proxy and https_proxy.") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, chat: Sequence[Message], answer_tokens: int) -> Reply:
        """Put one question, without what the server turns out not to take.

        Args:
            chat: the messages.
            answer_tokens: after so many the server shall stop.

        Raises:
            Failed: it may succeed when it is asked again.
            EmorankError: it will not.
        """
        while True:
            body = self._always | {"messages": list(chat)}
            if self._limit:
                body[self._limit] = answer_tokens
            if form := FORMATS[self._formats[0]]:
                body["response_format"] = form
            asked = self._limit, self._formats, self._always
            status, wait, text = await self._post(body)
            try:
                document = json.loads(text.removeprefix("\ufeff"))
            except (ValueError, RecursionError):
                document = None
            error = _error(document)
            if status < 300:
                if error is None:
                    reply = self._reply(document, text)
                    self._format_taken |= "response_format" in body
                    return reply
                code = error.get("code") if isinstance(error, dict) else None
                status = code if isinstance(code, int) and code >= 400 else status
            learnt = asked != (self._limit, self._formats, self._always)  # by another call meanwhile
            if not learnt and not self._gives_way(status, text):
                self._refuse(status, self._sentence(error or text), error, wait)

    async def _post(self, body: dict[str, Any]) -> tuple[int, float | None, str]:
        """Status, the wait that was asked for, and what came: no more than an answer can have, and no longer."""
        import httpx2

        data, text = bytearray(), json.dumps(body)  # ASCII: a name from a command line may be no Unicode
        try:
            async with asyncio.timeout(self._timeout), self._http.stream("POST", self._url, content=text) as response:
                async for chunk in response.aiter_bytes():
                    data += chunk
                    if len(data) > _LARGEST:
                        raise Failed("its answer is far too large")
        except (httpx2.ConnectError, httpx2.ConnectTimeout):
            raise Failed("the connection cannot be made", free=True) from None
        except (TimeoutError, httpx2.TimeoutException):
            raise Failed("no answer in time") from None
        except httpx2.HTTPError:
            raise Failed("the connection broke") from None
        return response.status_code, retry_after(response.headers.get("retry-after")), data.decode("utf8", "replace")

    def _gives_way(self, status: int, text: str) -> bool:
        """Whether a refused question is to be put again, now without what the server does not take."""
        if status in _PASSING | {401, 402, 403}:
            return False
        has_format = self._auto and self._formats[0] != "off"
        # In other words a refusal may be about anything, so only a server that never took a format is asked again.
        unsure = not self._format_taken and (400 <= status < 500 or status == 501)
        if self._limit == "max_tokens" and "max_tokens" in text:
            self._limit = "max_completion_tokens"
        elif "temperature" in self._always and "temperature" in text:
            self._always = {"model": self._always["model"]}
        elif has_format and (unsure or _ABOUT_FORMAT.search(text)):
            self._formats = self._formats[1:]
        elif self._limit and self._limit in text and self._unlimited:
            self._limit = ""
        else:
            return False
        return True

    def _refuse(self, status: int, sentence: str, error: Any, wait: float | None) -> NoReturn:
        """Raise what a status means."""
        if wait is None and "insufficient_quota" in json.dumps(error):
            raise EmorankError(f"{self.shown}: the account has no credit left: {sentence}")
        if status in _PASSING or status >= 500:
            raise Failed(f"status {status}" + (f": {sentence}" if error else ""), wait, free=True)
        if status in (401, 403):
            raise EmorankError(
                f"{self.shown}: the server refuses the key (status {status}); set EMORANK_LLM_KEY or OPENAI_API_KEY."
            )
        advice = "" if self._auto or self._formats == ["off"] else " (--structured auto asks without a format, too)"
        raise EmorankError(f"{self.shown}: the server refuses the question (status {status}): {sentence}{advice}")

    def _sentence(self, given: Any) -> str:
        return sentence(given, self._key)

    def _reply(self, document: Any, text: str) -> Reply:
        try:
            return reply_of(document, self._key)
        except (AttributeError, TypeError, LookupError):
            raise Failed(f"its answer cannot be read: {self._sentence(text)}") from None


def sentence(given: Any, key: str | None) -> str:
    """What a server wrote, fit for an error: one line of printable characters, nothing if it repeats the key."""
    if isinstance(given, dict):
        given = given.get("message") or given.get("msg") or given
    given = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    line = " ".join("".join(c if c.isprintable() else " " for c in given).split())
    if contains_key(line, key) or contains_key("".join(line.split()), key):
        return "(its message is withheld: it repeats the key)"
    return line if len(line) <= 300 else line[:300] + " ..."


def reply_of(document: Any, key: str | None) -> Reply:
    """The parts of an answer that matter, read by hand: servers leave fields out or add their own.

    Raises:
        AttributeError, TypeError, LookupError: it is not the answer of a chat.
    """
    choice = document["choices"][0] if document["choices"] else {}
    message = choice.get("message") or {}
    places = ("content", "reasoning_content", "reasoning")  # some servers take a whole answer for thoughts
    content = next((own for name in places if (own := _text(message.get(name)))), "")
    usage, end = _usage(document.get("usage")), choice.get("finish_reason")
    complaint = "" if content.strip() else "An earlier answer was empty."
    if message.get("refusal") or end == "content_filter":
        complaint = "An earlier answer was a refusal; only describe voices."
    elif end == "length":
        complaint = "An earlier answer was too long and was cut off."
    elif contains_key(content, key):
        complaint = "An earlier answer contained what is no description."
    return Reply(content, complaint, usage, cut_off=end == "length")


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; None if it does not say."""
    try:
        seconds = float(header or "")
    except ValueError:
        try:
            when = parsedate_to_datetime(header or "")
        except (ValueError, TypeError):
            return None
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT) if seconds == seconds else None


def _error(document: Any) -> Any:
    """The error that a document reports, however servers write it; None if it is an answer."""
    if not isinstance(document, dict):
        return None
    choices = document.get("choices")
    if not choices:
        return document.get("error") or document.get("detail") or document.get("message")
    first = choices[0] if isinstance(choices, list) else None
    return document.get("error") or (first.get("error") if isinstance(first, dict) else None)


def _text(content: Any) -> str | None:
    """What a model wrote as one text: the API allows a text or a list of parts, and some servers send parsed JSON."""
    if content is None or isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    texts = [text.get("value") if isinstance(text, dict) else text for text in texts]
    return "".join(text for text in texts if isinstance(text, str)) or json.dumps(content, ensure_ascii=False)


def _usage(given: Any) -> tuple[int, int] | None:
    counts = [given.get(name) if isinstance(given, dict) else None for name in ("prompt_tokens", "completion_tokens")]
    numbers = [int(count) for count in counts if isinstance(count, int | float) and 0 <= count < 1e12]
    return (numbers[0], numbers[1]) if len(numbers) == 2 else None
