"""Works ahead: what an iterator gives is made in another thread while the last of it is used."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_WAIT = 0.1  # seconds between two looks at whether anyone still wants more

_idle: "list[queue.SimpleQueue[Callable[[], None]]]" = []  # of each thread that has nothing to do: what it does next


class _End:
    """After the last one, with the error that ended it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def ahead(source: Iterator[T], most: int) -> Iterator[T]:
    """The same items, up to `most` of them made before they are asked for; an error comes where it came.

    Args:
        source: used by the other thread alone from now on.
        most: items that wait to be used.
    """
    made: queue.Queue[T | _End] = queue.Queue(most)
    left, ended = threading.Event(), threading.Event()

    def put(item: T | _End) -> None:
        while not left.is_set():
            with suppress(queue.Full):
                made.put(item, timeout=_WAIT)
                return

    def make() -> None:
        try:
            for item in source:
                put(item)
                if left.is_set():
                    break
            put(_End())
        except BaseException as error:
            put(_End(error))
        finally:
            ended.set()

    _begin(make)
    try:
        while not isinstance(item := made.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        left.set()
        ended.wait()


def _begin(job: Callable[[], None]) -> None:
    """In a thread that lasts, as torch keeps memory for every thread that ever computed."""
    try:
        jobs = _idle.pop()
    except IndexError:
        jobs = queue.SimpleQueue()
        threading.Thread(target=_work, args=(jobs,), name="emorank-ahead", daemon=True).start()
    jobs.put(job)


def _work(jobs: "queue.SimpleQueue[Callable[[], None]]") -> None:
    while True:
        jobs.get()()
        _idle.append(jobs)
