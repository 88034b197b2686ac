"""One open file, whatever decodes it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.errors import AudioError

BLOCK = 30.0  # seconds read at a time
_RATES = (1_000, 768_000)  # Hz, what a believable header says
_CHANNELS = 256

Block = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Decoder:
    """An open file.

    Args:
        rate: in Hz.
        duration: in seconds, as the header tells it.
        read: start and end in seconds (None is the end of the file) -> mono blocks at that rate.
        close: lets go of the file.
    """

    rate: int
    duration: float
    read: Callable[[float, float | None], Iterator[Block]]
    close: Callable[[], None]


def check_header(name: str, rate: int, channels: int) -> None:
    """Refuse what no recording has.

    Raises:
        AudioError: the sampling rate or the number of channels is absurd.
    """
    if not _RATES[0] <= rate <= _RATES[1] or not 1 <= channels <= _CHANNELS:
        raise AudioError(name, f"its header is absurd ({rate} Hz, {channels} channels).")
