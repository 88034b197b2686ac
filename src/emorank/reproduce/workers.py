"""Work side by side: processes of one core each, because small matrices gain nothing from more."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from emorank.errors import EmorankError


@contextmanager
def side_by_side(jobs: int) -> Iterator[Callable[..., list[Any]]]:
    """A function run(work, items, finished) that gives work(item) of all items, in their order.

    `finished` is called with an item when it is done. The first error ends everything and is raised.

    Args:
        jobs: processes.

    Raises:
        EmorankError: a process was killed.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(os.getpid(),))

    def run(work: Callable[[Any], Any], items: Sequence[Any], finished: Callable[[Any], None]) -> list[Any]:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            future.result()
            finished(futures[future])
        return [future.result() for future in futures]

    try:
        yield run
    except BrokenProcessPool as error:
        raise EmorankError("A training was ended from outside, such as for want of memory; try fewer jobs.") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(parent: int) -> None:
    """What a worker does first."""
    import torch

    torch.set_num_threads(1)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed has nobody left to work for."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
