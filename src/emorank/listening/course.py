"""How far listening has come, and how much is encoded together: as much as takes a few seconds."""

import time
from collections.abc import Callable

#: Takes the seconds of sound that were heard so far, and how many bytes of recordings they were.
Told = Callable[[float, float], None]

_FIRST = 30.0  # seconds of audio that are encoded together at first
_MOST = 300.0  # and at most, as all of it is held in memory
_TOGETHER = 5.0  # seconds that encoding may take


class Course:
    """Counts what was heard.

    Args:
        tell: called whenever something was encoded, or left out.
    """

    def __init__(self, tell: Told | None = None) -> None:
        self.at_once = _FIRST  # seconds of audio
        self._tell = tell
        self._seconds = self._size = 0.0  # of the recordings that are finished
        self._now = (0.0, 0.0)  # of the one that is being read

    def reached(self, end: float, duration: float | None, size: int) -> None:
        """A recording is read up to a time; where it has several channels, of any of them."""
        seconds = max(end, self._now[0])
        self._now = seconds, size * min(1.0, seconds / duration) if duration else 0.0

    def finished(self, duration: float | None, size: int) -> None:
        """A recording is read to its end."""
        self._seconds += max(duration or 0.0, self._now[0])
        self._size += size
        self._now = 0.0, 0.0

    def left_out(self, size: int) -> None:
        """A recording cannot be heard: it counts as done, but nothing of it as heard."""
        self._now = 0.0, 0.0
        self._size += size
        self.tell()

    def encoded(self, audio: float, begun: float) -> None:
        """So many seconds of audio were encoded, since a time of `time.perf_counter`."""
        speed = audio / max(time.perf_counter() - begun, 1e-3)
        self.at_once = min(_MOST, max(_FIRST, speed * _TOGETHER))
        self.tell()

    def tell(self) -> None:
        """Say how far it has come."""
        if self._tell:
            self._tell(self._seconds + self._now[0], self._size + self._now[1])
