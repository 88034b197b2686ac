"""Captions from any server that speaks the chat completions of OpenAI: how it is asked, its address, its key."""

import math
import os
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from emorank.errors import EmorankError

_LANGUAGE = re.compile(r"[^\W\d_][^\W\d_ ()-]*(?:[ -]?\(?[^\W_]+\)?){0,4}")
_PIECE = 8  # so many characters of a key in a row are a part of it
_BOUNDS = {
    "points_per_call": (1, 50),
    "concurrency": (1, 256),
    "tries": (1, 100),
    "attempts": (1, 100),
    "timeout": (0.1, 86_400),
    "first_wait": (0, 600),
    "temperature": (0, 10),
    "price_in": (0, math.inf),
    "price_out": (0, math.inf),
    "budget": (0, math.inf),
}


@dataclass(frozen=True)
class ServerOptions:
    """How a server is asked.

    Args:
        language: Language of the captions, as a code or a name.
        temperature: Of the sampling.
        structured: How the server holds the model to JSON: by a schema, by its JSON mode, not at all, or by the first
            of these that it takes.
        points_per_call: Points, or categories, in one call.
        concurrency: Calls at a time.
        timeout: Seconds that one call may take.
        tries: Calls in a row that may fail before the server counts as dead.
        attempts: Answers for a point that may be rejected before it is given up.
        first_wait: Seconds to wait after a failure; they double with every further one.
        price_in: Price of a million tokens of prompt, in any currency; 0 for a model of one's own.
        price_out: The same of the answers.
        budget: Most that the job may cost, in that currency, all its runs together.

    Raises:
        EmorankError: one of them is out of range.
    """

    language: str = "en"
    temperature: float = 1.0
    structured: Literal["auto", "schema", "json", "off"] = "auto"
    points_per_call: int = 8
    concurrency: int = 4
    timeout: float = 120.0
    tries: int = 8
    attempts: int = 5
    first_wait: float = 0.5
    price_in: float = 0.0
    price_out: float = 0.0
    budget: float | None = None

    def __post_init__(self) -> None:
        for name, (lowest, highest) in _BOUNDS.items():
            value = getattr(self, name)
            if value is not None and not (lowest <= value <= highest and math.isfinite(value)):
                bounds = f"{lowest:g} or more" if math.isinf(highest) else f"{lowest:g} to {highest:g}"
                raise EmorankError(f"--{name.replace('_', '-')} is {bounds}, not {value}.")
        if self.budget is not None and not (self.budget > 0 and self.price_in + self.price_out > 0):
            raise EmorankError("--budget needs --price-in and --price-out, and is above 0.")
        if len(self.language) > 40 or not _LANGUAGE.fullmatch(self.language):
            raise EmorankError("--language is a code or a name, such as de or Brazilian Portuguese.")

    @property
    def english(self) -> bool:
        """Whether captions are to be in English, and can be checked as such."""
        return self.language.lower().split("-")[0] in ("en", "english")

    def cost(self, prompt_tokens: int, answer_tokens: int) -> float:
        """What so many tokens cost."""
        return (prompt_tokens * self.price_in + answer_tokens * self.price_out) / 1e6


def shown(url: str) -> str:
    """The address of a server without what may be secret in it.

    Raises:
        EmorankError: it is no address of an API, or has a password in it.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise EmorankError("--llm takes the base address of an API, such as http://localhost:8000/v1.")
    if parts.username or parts.password:
        raise EmorankError("--llm takes an address without a password; set EMORANK_LLM_KEY instead.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}"


def is_loopback(url: str) -> bool:
    """Whether an address is of this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_from_environment() -> str | None:
    """The first of $EMORANK_LLM_KEY and $OPENAI_API_KEY that is set; local servers need none.

    Raises:
        EmorankError: it holds what no key has, such as a line break in the middle.
    """
    for variable in ("EMORANK_LLM_KEY", "OPENAI_API_KEY"):
        if key := os.environ.get(variable, "").strip():
            if not (key.isascii() and key.isprintable()) or " " in key:
                raise EmorankError(f"${variable} holds characters that a key cannot have; set it to the key alone.")
            return key
    return None


def contains_key(text: str, key: str | None) -> bool:
    """Whether a text repeats the key or a part of it."""
    folded, secret = text.casefold(), (key or "").casefold()
    size = min(_PIECE, len(secret))
    return bool(secret) and any(secret[i : i + size] in folded for i in range(len(secret) - size + 1))


def run_anywhere(work: "Coroutine[object, object, None]") -> None:
    """Run to the end, also where a loop runs already, as in a notebook: there in a thread of its own."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(work)
        return
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
