"""Descriptions of several clients are encoded together: eight take hardly longer than three."""

import asyncio
import os
from collections import OrderedDict
from collections.abc import Callable, Sequence

import anyio.to_thread

from emorank.captions.familiar import Described
from emorank.serve.errors import busy

_AT_ONCE = 16  # texts in one forward pass
_GATHERING = 0.001  # seconds without a new text after which those that wait are encoded
_WAITING = 256  # texts that wait for theirs
_KEPT = 4096  # descriptions that are remembered

Encode = Callable[[Sequence[str]], Sequence[Described]]


class Cores:
    """What the batchers of a server share: the processors, and how many texts may wait for theirs."""

    def __init__(self) -> None:
        self.count = os.cpu_count() or 1
        self.free = asyncio.Semaphore(self.count)
        self.running: set[asyncio.Task[None]] = set()
        self.waiting = 0


class TextBatcher:
    """Gathers texts while those before them are encoded.

    Args:
        encode: texts -> one for each, in their order.
        cores: shared with other batchers; None has them alone.
    """

    def __init__(self, encode: Encode, cores: Cores | None = None) -> None:
        self._encode = encode
        self._kept: OrderedDict[str, Described] = OrderedDict()
        self._waiting: OrderedDict[str, asyncio.Future[Described]] = OrderedDict()
        self._gathering: asyncio.Task[None] | None = None
        self._cores = cores or Cores()

    async def described(self, texts: Sequence[str]) -> list[Described]:
        """The embedding and the hint of each text; those asked for lately are remembered.

        Raises:
            Refused: too many texts wait already.
        """
        return [await described for described in [self._described(text) for text in texts]]

    def _described(self, text: str) -> "asyncio.Future[Described]":
        if text in self._kept:
            self._kept.move_to_end(text)
            done: asyncio.Future[Described] = asyncio.get_running_loop().create_future()
            done.set_result(self._kept[text])
            return done
        if text not in self._waiting:
            if self._cores.waiting >= _WAITING:
                raise busy()
            self._cores.waiting += 1
            self._waiting[text] = asyncio.get_running_loop().create_future()
            if self._gathering is None or self._gathering.done():
                self._gathering = asyncio.create_task(self._gather())
        # Shielded: who goes away does not take the embedding from others that wait for the same text.
        return asyncio.shield(self._waiting[text])

    async def _gather(self) -> None:
        """Hand texts to cores that are free, until none waits."""
        while self._waiting:
            await self._cores.free.acquire()
            seen = 0
            while seen < len(self._waiting):  # clients come in flocks: those answered together ask together
                seen = len(self._waiting)
                await asyncio.sleep(_GATHERING)
            share = -(-len(self._waiting) // (1 + self._free_cores()))
            batch = [self._waiting.popitem(last=False) for _ in range(min(_AT_ONCE, share))]
            self._cores.waiting -= len(batch)
            self._cores.running.add(task := asyncio.create_task(self._encoded(batch)))
            task.add_done_callback(self._cores.running.discard)

    async def _encoded(self, batch: "list[tuple[str, asyncio.Future[Described]]]") -> None:
        try:
            encoded = await anyio.to_thread.run_sync(self._encode, [text for text, _ in batch])
        except Exception as error:
            for _, future in batch:
                future.set_exception(error)
            return
        finally:
            self._cores.free.release()
        for (text, future), described in zip(batch, encoded, strict=True):
            self._kept[text] = described
            future.set_result(described)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    def _free_cores(self) -> int:
        return max(0, self._cores.count - len(self._cores.running) - 1)
