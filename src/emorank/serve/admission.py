"""How much is taken in and computed at once."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
from fastapi import Request

from emorank.serve.errors import busy
from emorank.serve.limits import Limits

Result = TypeVar("Result")


class Turns:
    """Lets a few requests compute at once, some wait, and sends the rest away.

    They compute in threads that last: the encoder keeps working memory for every thread that it was ever called in.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._slots = anyio.CapacityLimiter(limits.working)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(limits.working, "emorank")

    async def run(self, compute: Callable[..., Result], *arguments: object) -> Result:
        """Compute when it is one's turn; whoever asked may leave, what was begun is ended.

        Raises:
            Refused: too many wait already, or the turn did not come in time.
        """
        if self._waiting >= self._limits.waiting:
            raise busy()
        self._waiting += 1
        try:
            with anyio.fail_after(self._limits.patience):
                await self._slots.acquire()
        except TimeoutError as error:
            raise busy("The server is too busy to answer in time; try again in a few seconds.") from error
        finally:
            self._waiting -= 1
        try:
            begun = asyncio.get_running_loop().run_in_executor(self._threads, compute, *arguments)
            with anyio.CancelScope(shield=True):
                await asyncio.wait([begun])
            return begun.result()
        finally:
            self._slots.release()


class Uploads:
    """Receives a few uploads at once, as files that last as long as they are used."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._receiving = 0
        self._held = 0  # bytes, of uploads that are received or used

    @asynccontextmanager
    async def received(self, request: Request) -> AsyncIterator[Path]:
        """The body of a request as a file; its size and time are bounded by `emorank.serve.middleware.Bodies`.

        Raises:
            Refused: too many uploads are being received, or wait for their turn.
        """
        if self._receiving >= self._limits.uploads:
            raise busy("Too many recordings are being uploaded already; try again in a few seconds.")
        size = 0
        with tempfile.TemporaryDirectory(prefix="emorank-") as folder:
            clip = Path(folder) / "clip"
            try:
                self._receiving += 1
                try:
                    with open(clip, "wb") as file:
                        async for chunk in request.stream():
                            size += len(chunk)
                            self._held += len(chunk)
                            if self._held > self._limits.uploads * self._limits.upload_bytes:
                                raise busy()
                            file.write(chunk)
                finally:
                    self._receiving -= 1
                yield clip
            finally:
                self._held -= size
