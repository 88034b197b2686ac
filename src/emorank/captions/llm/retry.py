"""When a failed call is made again."""

import random
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST = 60.0  # seconds
_LONGEST_ASKED = 600.0  # what a server may ask for


def retry_after(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, given as seconds or as a date; None if it does not say."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            when = parsedate_to_datetime(header)
        except (ValueError, TypeError):
            return None
        seconds = ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_ASKED) if seconds == seconds else None


def back_off(failures: int, first: float, draw: random.Random) -> float:
    """Seconds to wait after so many failures in a row: doubling, and spread out so that workers do not come at once."""
    return min(first * 2.0 ** (failures - 1), _LONGEST) * draw.uniform(0.5, 1.0)


class Gate:
    """What all workers wait at before a call: one that was told to wait holds the others too."""

    def __init__(self) -> None:
        self._opens = 0.0
        self._stop = threading.Event()

    def hold(self, seconds: float) -> None:
        """Let nobody through for so many seconds."""
        self._opens = max(self._opens, time.monotonic() + seconds)

    def wait(self, seconds: float = 0.0) -> bool:
        """Wait for so long, and until the gate is open.

        Returns:
            Whether to go on; False once everything is to stop.
        """
        until = time.monotonic() + seconds
        while (left := max(until, self._opens) - time.monotonic()) > 0:
            if self._stop.wait(left):
                return False
        return not self._stop.is_set()

    def stop(self) -> None:
        """Wake everybody and let nobody through any more."""
        self._stop.set()
