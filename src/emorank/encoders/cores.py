"""Batches side by side, each on a core of its own.

One after the other on all cores, a batch waits at every layer for the slowest core, and where other programs need one
of them, for that. Side by side none waits for another.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

Batch = TypeVar("Batch")
Result = TypeVar("Result")


def cores_of(device: torch.device) -> int:
    """How many batches are worth being computed at once: one where a device computes."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def side_by_side(compute: Callable[[Batch], Result], batches: Sequence[Batch], cores: int) -> Iterator[Result]:
    """What torch computes of every batch, in their order.

    Args:
        compute: called in any thread; changes nothing that another call needs.
        batches: a single one has all cores.
        cores: that may be used.
    """
    if min(cores, len(batches)) < 2:
        yield from map(compute, batches)
        return

    before = torch.get_num_threads()
    threads = _threads(cores)
    waiting: deque[Future[Result]] = deque()
    try:
        for batch in batches:
            waiting.append(threads.submit(compute, batch))
            if len(waiting) > cores:  # so that few results are held
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
        torch.set_num_threads(before)  # threads that begin later have as many as were set last, in any thread


@lru_cache
def _threads(count: int) -> ThreadPoolExecutor:
    """Threads that compute alone. They last: torch keeps memory for every thread that ever computed."""
    return ThreadPoolExecutor(count, "emorank-encoder", _alone)


def _alone() -> None:
    torch.get_num_threads()  # a thread's first question sets its number anew
    torch.set_num_threads(1)
