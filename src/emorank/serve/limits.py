"""What one client may ask for, and how much is done at once."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from emorank.search.filter import LONGEST as FILTER_CHARACTERS
from emorank.serve.errors import Refused


@dataclass(frozen=True)
class Limits:
    """Bounds of a request.

    Args:
        top: hits of one answer.
        offset: hits that may be skipped.
        query_characters: of one description.
        filter_characters: of a filter.
        parts: descriptions, and clips, of one query.
        upload_bytes: of an uploaded recording.
        upload_seconds: of an uploaded recording, and of its transfer.
        working: requests that compute at once.
        waiting: requests that wait for their turn; further ones are told to come again.
        patience: seconds that a request waits for its turn.
    """

    top: int = 200
    offset: int = 10_000
    query_characters: int = 500
    filter_characters: int = FILTER_CHARACTERS
    parts: int = 16
    upload_bytes: int = 32 * 1024 * 1024
    upload_seconds: float = 60.0
    working: int = max(2, os.cpu_count() or 1)
    waiting: int = 64
    patience: float = 15.0


class Turns:
    """Lets a few requests compute at once, some wait, and sends the rest away."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = anyio.CapacityLimiter(limits.working)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """The time in which a request may compute.

        Raises:
            Refused: too many wait already, or the turn did not come in time.
        """
        if self._waiting >= self._limits.waiting:
            raise Refused(503, "busy", "Too many requests wait already; try again in a few seconds.")
        self._waiting += 1
        try:
            with anyio.fail_after(self._limits.patience):
                await self._slots.acquire()
        except TimeoutError as error:
            raise Refused(
                503, "busy", "The server is too busy to answer in time; try again in a few seconds."
            ) from error
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()
