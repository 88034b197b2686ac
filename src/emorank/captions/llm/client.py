"""One question to a server that speaks the chat completions of OpenAI, and what its failures mean."""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import openai

from emorank.captions.llm.address import proxy, shown
from emorank.captions.llm.limited import LimitedTransport, TooLarge
from emorank.captions.llm.prompt import Message, schema
from emorank.captions.llm.retry import retry_after
from emorank.captions.llm.secret import tells, without_key
from emorank.errors import EmorankError

_PASSING = frozenset({408, 409, 425, 429})  # and all of 5xx
#: What servers may not know -> what is sent instead once they have said so; None is to do without.
_INSTEAD: dict[str, tuple[str, Any] | None] = {
    "max_tokens": ("max_completion_tokens", None),
    "response_format": None,
    "temperature": None,
}


class Failed(Exception):
    """A call that may succeed when it is made again.

    Args:
        reason: for a person.
        wait: seconds that the server asked to wait for, None if it did not.
        sure_free: whether the server cannot have charged for it.
    """

    def __init__(self, reason: str, wait: float | None = None, sure_free: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.sure_free = sure_free


@dataclass(frozen=True)
class Reply:
    """What a server answered.

    Args:
        content: what the model wrote; None where it refused or stopped before its end.
        complaint: for the model, why that is no answer.
        usage: prompt and answer tokens as the server counted them, None if it did not.
    """

    content: str | None
    complaint: str
    usage: tuple[int, int] | None


class Client:
    """A server and a model.

    Args:
        url: base address of the API, such as http://localhost:8000/v1.
        model: name that the server knows it by.
        key: for the server; None for local ones.
        temperature: of the sampling.
        timeout: seconds that a whole call may take.

    Raises:
        EmorankError: the address is none.
    """

    def __init__(self, url: str, model: str, key: str | None, temperature: float, timeout: float) -> None:
        self.shown = shown(url)
        self._model = model
        self._key = key
        self._without: dict[str, tuple[str, Any] | None] = {}
        self._lock = threading.Lock()
        self._temperature = temperature
        transport = LimitedTransport(httpx2.HTTPTransport(proxy=proxy(url)), timeout)
        self._openai = openai.OpenAI(
            api_key=key or "none",  # the library wants one; local servers do not look at it
            base_url=url,
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            http_client=httpx2.Client(transport=transport, follow_redirects=False),
        )

    def ask(self, chat: Sequence[Message], answer_tokens: int) -> Reply:
        """Put one question.

        Args:
            chat: the messages.
            answer_tokens: after so many the server shall stop.

        Raises:
            Failed: it may succeed when it is asked again.
            EmorankError: it will not.
        """
        while True:
            parameters = self._parameters(answer_tokens)
            try:
                raw = self._openai.chat.completions.with_raw_response.create(
                    model=self._model,
                    messages=cast(Any, list(chat)),
                    **parameters,
                )
                return self._reply(raw.text)
            except openai.APIStatusError as error:
                self._status(error, parameters)
            except (openai.APIConnectionError, httpx2.HTTPError) as error:
                raise self._broken(error) from None
            except (openai.OpenAIError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
                raise Failed("its answer cannot be read") from None

    def _parameters(self, answer_tokens: int) -> dict[str, Any]:
        answer = {"type": "json_schema", "json_schema": {"name": "captions", "strict": True, "schema": schema()}}
        wanted = {"max_tokens": answer_tokens, "temperature": self._temperature, "response_format": answer}
        result: dict[str, Any] = {}
        for name, value in wanted.items():
            if name not in self._without:
                result[name] = value
            elif (other := self._without[name]) is not None:
                result[other[0]] = value if other[1] is None else other[1]
        return {"extra_body": result}  # as they are: the library's own types differ between its versions

    def _status(self, error: openai.APIStatusError, parameters: dict[str, Any]) -> None:
        """Learn what the server does not know and return, or raise what the status means."""
        said = without_key(str(error.message), self._key)
        if error.status_code in (400, 422):
            with self._lock:
                for name in parameters["extra_body"]:
                    if name in _INSTEAD and name in str(error.message):
                        self._without[name] = _INSTEAD[name]
                        return
        if error.status_code in _PASSING or error.status_code >= 500:
            wait = retry_after(error.response.headers.get("retry-after"))
            if wait is None and "insufficient_quota" in str(error.code):
                raise EmorankError(f"{self.shown}: the account has no credit left: {said}") from None
            raise Failed(f"status {error.status_code}", wait, sure_free=True)
        if error.status_code in (401, 403):
            raise EmorankError(
                f"{self.shown}: the server refuses the key (status {error.status_code}); "
                "set EMORANK_LLM_KEY or OPENAI_API_KEY."
            ) from None
        raise EmorankError(
            f"{self.shown}: the server refuses the question (status {error.status_code}): {said}"
        ) from None

    def _broken(self, error: Exception) -> Failed:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, TooLarge):
                return Failed("its answer is far too large")
            cause = cause.__cause__
        if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
            return Failed("no answer in time")
        cause = error.__cause__ or error
        refused = isinstance(cause, httpx2.ConnectError)
        return Failed("the connection " + ("cannot be made" if refused else "broke"), sure_free=refused)

    def _reply(self, body: str) -> Reply:
        """The parts of an answer that matter, read by hand: other servers leave fields out or add their own."""
        document = json.loads(body)
        usage = _usage(document.get("usage"))
        choice = document["choices"][0] if document.get("choices") else {}
        message = choice.get("message") or {}
        content = message.get("content")
        if message.get("refusal") or choice.get("finish_reason") == "content_filter":
            return Reply(None, "An earlier answer was a refusal; only describe voices.", usage)
        if choice.get("finish_reason") == "length":
            return Reply(None, "An earlier answer was too long and was cut off.", usage)
        if not isinstance(content, str):
            return Reply(None, "An earlier answer was empty.", usage)
        if tells(content, self._key):
            return Reply(None, "An earlier answer contained what is no description.", usage)
        return Reply(content, "", usage)

    def close(self) -> None:
        """Close the connections, also those that are waiting for an answer."""
        self._openai.close()


def _usage(given: object) -> tuple[int, int] | None:
    if not isinstance(given, dict):
        return None
    counts = given.get("prompt_tokens"), given.get("completion_tokens")
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        return None
    return int(counts[0] or 0), int(counts[1] or 0)
