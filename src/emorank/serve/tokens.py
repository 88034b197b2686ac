"""Tokens that clients show, each with what it allows."""

import hashlib
import json
import os
import re
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from emorank.errors import EmorankError

Scope = Literal["search", "listen", "export", "collect", "index"]
#: What a token allows that does not say what. Not to index: that opens any recording of the computer.
ALL: frozenset[Scope] = frozenset({"search", "listen", "export", "collect"})
#: What is allowed where no token is needed.
HERE: frozenset[Scope] = ALL | {"index"}

_SAFE = r"[A-Za-z0-9._~-]{1,200}"  # nothing that an address, a header or a cookie would have to quote
_LOOK = 1.0  # seconds from look to look whether the file has changed


class Token(BaseModel):
    """One token.

    Args:
        name: whose it is.
        token: what is shown.
        sha256: the same as a hash, 64 hexadecimal digits, so that the file does not give it away.
        scopes: what it allows: to search, to listen to recordings, to list all segments, to change collections, to add
            folders to the index and update it.
    """

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1)]
    token: Annotated[str, StringConstraints(pattern=f"^{_SAFE}$")] | None = None
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")] | None = None
    scopes: frozenset[Scope] = ALL

    @model_validator(mode="after")
    def _one(self) -> "Token":
        if (self.token is None) == (self.sha256 is None):
            raise ValueError(f"{self.name} needs either a token or its sha256")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tokens: Annotated[list[Token], Field(max_length=10_000)]


def checked(token: str) -> str:
    """A token that can stand in addresses, headers and cookies.

    Raises:
        EmorankError: it cannot.
    """
    if not re.fullmatch(_SAFE, token):
        raise EmorankError("A token is made of letters, digits, '-', '.', '_' and '~', up to 200; choose another one.")
    return token


def hashed(token: str) -> str:
    """The SHA-256 of a token."""
    return hashlib.sha256(token.encode("utf8", "surrogatepass")).hexdigest()


def read_tokens(path: Path) -> list[Token]:
    """The tokens of a TOML or JSON file.

    Raises:
        EmorankError: it cannot be read, or is no table of tokens.
    """
    try:
        text = path.read_text("utf8")
        content: Any = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        return _File.model_validate(content).tokens
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        reason = first["msg"].removeprefix("Value error, ")
        raise EmorankError(f"{path}: {place + ': ' if place else ''}{reason}.") from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise EmorankError(f"{path}: the tokens cannot be read ({reason}).") from error


def _by_digest(tokens: Sequence[Token]) -> dict[str, frozenset[Scope]]:
    return {(token.sha256 or hashed(token.token or "")).lower(): token.scopes for token in tokens}


class Tokens:
    """Who may ask.

    Args:
        token: allows `ALL`; None where there is no such token.
        file: more of them, read again whenever it changes. While it cannot be read, none of its tokens holds.

    Raises:
        EmorankError: the file cannot be read.
    """

    def __init__(self, token: str | None = None, file: Path | None = None) -> None:
        self._own = {} if token is None else {hashed(checked(token)): ALL}
        self._file = file
        self._listed = {} if file is None else _by_digest(read_tokens(file))
        self._seen = self._state()
        self._looked = time.monotonic()

    @property
    def needed(self) -> bool:
        """Whether anything has to be shown."""
        return bool(self._own) or self._file is not None

    def scopes_of(self, shown: str) -> frozenset[Scope]:
        """What a token allows; nothing where it is none of ours. Found by its hash, no time tells how near it came."""
        self._look()
        digest = hashed(shown)
        return self._own.get(digest) or self._listed.get(digest) or frozenset()

    def _look(self) -> None:
        if self._file is None or time.monotonic() - self._looked < _LOOK:
            return
        self._looked = time.monotonic()
        state = self._state()
        if state == self._seen:
            return
        self._seen = state
        try:
            self._listed = _by_digest(read_tokens(self._file))
        except EmorankError as error:
            self._listed = {}
            print(f"emorank: {error} Until it can be, none of its tokens holds.", file=sys.stderr)

    def _state(self) -> tuple[int, ...] | None:
        try:
            status = os.stat(self._file) if self._file else None
        except OSError:
            return None
        return status and (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
