"""Units heard by processes of this machine, one core each."""

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress

from emorank.scale.units import Done, Listener, Unit

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_listener: Listener | None = None  # of a worker process


class Processes:
    """An engine: called with units, it gives what became of them, in any order.

    A unit whose process ends with it, as for want of memory, is not among them; the process is started anew.

    Args:
        listener: hears a unit.
        jobs: processes.
    """

    def __init__(self, listener: Listener, jobs: int) -> None:
        self._listener, self._jobs = listener, jobs

    def __call__(self, units: Iterable[Unit]) -> Iterator[Done]:
        """No more units are begun than are taken from here, but for one a process."""
        waiting: queue.SimpleQueue[Unit] = queue.SimpleQueue()
        for unit in units:
            waiting.put(unit)
        ended: queue.Queue[Done | BaseException | None] = queue.Queue(self._jobs)
        stop = threading.Event()
        with _one_core():
            jobs = max(1, min(self._jobs, waiting.qsize()))
            threads = [threading.Thread(target=self._work, args=(waiting, ended, stop)) for _ in range(jobs)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(jobs):
                    while (done := ended.get()) is not None:
                        if isinstance(done, BaseException):
                            raise done
                        yield done
            finally:
                stop.set()
                while any(thread.is_alive() for thread in threads):  # those that wait for room, or for their unit
                    with suppress(queue.Empty):
                        ended.get(timeout=0.05)

    def _work(
        self,
        waiting: "queue.SimpleQueue[Unit]",
        ended: "queue.Queue[Done | BaseException | None]",
        stop: threading.Event,
    ) -> None:
        """One process and its units; a process of its own tells which unit ended it."""
        pool = self._pool()
        try:
            while not stop.is_set():
                try:
                    unit = waiting.get_nowait()
                except queue.Empty:
                    break
                try:
                    ended.put(pool.submit(_hear, unit).result())
                except BrokenProcessPool:
                    pool.shutdown()
                    pool = self._pool()
        except BaseException as error:
            ended.put(error)
        finally:
            pool.shutdown()
            ended.put(None)

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, initializer=_begin, initargs=(os.getpid(), self._listener))


def _hear(unit: Unit) -> Done:
    assert _listener is not None
    return _listener(unit)


def _begin(parent: int, listener: Listener) -> None:
    """What a worker does first."""
    global _listener
    _listener = listener
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops us
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A worker whose parent was killed has nobody left to work for."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


@contextmanager
def _one_core() -> Iterator[None]:
    """What is started meanwhile computes with one thread."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)
