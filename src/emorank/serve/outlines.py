"""Outlines of recordings, each made once, when it is asked for, and kept in memory as long as there is room.

A part that can be decoded by itself is decoded for whoever asks. The whole is decoded from beginning to end by one
thread, a recording at a time, and what it has come to can be drawn meanwhile. It stops where nobody asks any more.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from emorank.audio import TooLong
from emorank.audio.opening import open_decoder
from emorank.audio.outline import Growing, Outline, of_part, reachable
from emorank.errors import AudioError
from emorank.index.plan import Indexed
from emorank.serve.errors import Refused, busy
from emorank.serve.limits import Limits
from emorank.serve.recordings import identity, indexed

_PART = 130.0  # seconds; what is longer is taken from the outline of the whole
_PATIENCE = 20.0  # seconds without a question, after which the outline of a whole is not made to its end
_LENGTHS = 10_000  # recordings


@dataclass(frozen=True)
class Drawn:
    """An outline as it is sent.

    Args:
        outline: of what was asked for.
        ready: seconds of the recording up to which it is known; silence stands behind.
        seconds: length of the recording; None where only decoding to its end can tell.
        whole: whether nothing of it will change.
    """

    outline: Outline
    ready: float
    seconds: float | None
    whole: bool


@dataclass
class _Making:
    """The outline of a whole recording, made or being made."""

    growing: Growing
    asked: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    done: bool = False
    failed: Refused | None = None


class Outlines:
    """The outlines of all recordings that were asked for lately.

    Args:
        limits: how many may wait, and how much memory they may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._wholes: OrderedDict[Hashable, _Making] = OrderedDict()
        self._parts: OrderedDict[Hashable, Outline] = OrderedDict()
        self._lengths: dict[str | None, float | None] = {}
        self._thread = ThreadPoolExecutor(1, "emorank-outline")
        self._closed = False

    def close(self) -> None:
        """Make no more."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)

    def of(self, path: str, known: Indexed, start: float, end: float, bins: int, channel: int | None) -> Drawn:
        """The outline of a part of a recording that is still what was indexed.

        Args:
            path: of the recording.
            known: what was indexed.
            start: in seconds.
            end: in seconds.
            bins: how many stretches.
            channel: number of one channel, from 1; None is all of them.

        Raises:
            Refused: it is gone, has changed or cannot be decoded; too many others wait.
        """
        with indexed(path, known) as file:
            if end - start <= _PART:
                part = self._part(path, (known.digest, channel, start, end, bins))
                if part is not None:
                    seconds = self._length(path, known)
                    _same(path, file.fileno())
                    return Drawn(part, end, seconds, True)
        making = self._whole(path, known, channel)
        done, ready = making.done, making.growing.seconds
        outline = making.growing.of(start, end, bins)
        return Drawn(outline, end if done else ready, making.seconds, done or ready >= end)

    def _length(self, path: str, known: Indexed) -> float | None:
        """The length of a recording, where its file tells it."""
        if known.digest not in self._lengths:
            if len(self._lengths) >= _LENGTHS:
                self._lengths.clear()
            self._lengths[known.digest] = open_decoder(path).seconds
        return self._lengths[known.digest]

    def _part(self, path: str, key: tuple[Any, ...]) -> Outline | None:
        """A part, decoded for itself; None where that would take long."""
        with self._lock:
            if key in self._parts:
                self._parts.move_to_end(key)
                return self._parts[key]
        _, channel, start, end, bins = key
        try:
            if not reachable(path, start):
                return None
            outline = of_part(path, start, end, bins, channel)
        except TooLong:
            return None
        except AudioError as error:
            raise _not_drawn(error) from error
        with self._lock:
            self._parts[key] = outline
            while len(self._parts) > self._limits.outline_parts:
                self._parts.popitem(last=False)
        return outline

    def _whole(self, path: str, known: Indexed, channel: int | None) -> _Making:
        key = known.digest, channel
        with self._lock:
            making = self._wholes.get(key)
            if making and making.failed:
                raise self._wholes.pop(key).failed or busy()  # who asks again may find it mended
            if making is None:
                if sum(not one.done for one in self._wholes.values()) >= self._limits.outlining:
                    raise busy("Too many recordings are being drawn already; try again in a few seconds.")
                making = self._wholes[key] = _Making(Growing(channel))
                self._thread.submit(self._make, key, making, path, known)
            making.asked = time.monotonic()
            self._wholes.move_to_end(key)
            return making

    def _make(self, key: Hashable, making: _Making, path: str, known: Indexed) -> None:
        """Outline a recording from beginning to end; runs in the thread."""
        try:
            with indexed(path, known) as file:
                decoder = open_decoder(path)
                making.seconds = decoder.seconds
                pieces: Any = decoder.read(0, lambda _: None)
                with closing(pieces):
                    for piece in pieces:
                        _same(path, file.fileno())
                        making.growing.add(piece)
                        if self._closed or time.monotonic() - making.asked > _PATIENCE:
                            with self._lock:
                                del self._wholes[key]
                            return
                making.growing.end()
                making.seconds, making.done = making.growing.length, True
        except AudioError as error:
            making.failed = _not_drawn(error)
        except Refused as refused:
            making.failed = refused
        except Exception as error:  # what it waits for must be told, whatever it was
            making.failed = Refused(500, "internal", f"The recording cannot be drawn ({type(error).__name__}).")
            raise
        with self._lock:
            making.done = True
            while sum(one.growing.bytes for one in self._wholes.values()) > self._limits.outline_bytes:
                oldest = next((name for name, one in self._wholes.items() if one.done and name != key), None)
                if oldest is None:
                    break
                del self._wholes[oldest]


def _same(path: str, descriptor: int) -> None:
    """Refuse where something else was put in the place of a recording while it was decoded.

    Raises:
        Refused: it was.
    """
    try:
        same = identity(os.stat(path)) == identity(os.fstat(descriptor))
    except OSError:
        same = False
    if not same:
        raise Refused(410, "changed", "The recording has changed while it was read; try again.")


def _not_drawn(error: AudioError) -> Refused:
    return Refused(410, "not_drawn", f"The recording cannot be drawn: {error.reason}")
