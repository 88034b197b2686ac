"""What every decoder gives: pieces of sound at the rate of the file, each following the one before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from emorank.audio.damage import Note
from emorank.errors import AudioError

SECONDS, VALUES = 30, 1 << 19  # a piece is no longer than this, and holds no more values (samples x channels)
NOT_AUDIO = "it is not audio, or damaged beyond decoding."
_RATES = (1_000, 768_000)  # Hz, what a believable header says
_CHANNELS = 256

Samples = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Piece:
    """A stretch of sound, or of silence where the file has none.

    Args:
        rate: in Hz.
        count: samples of each channel.
        samples: (count, channels), full scale is 1; None is silence.
    """

    rate: int
    count: int
    samples: Samples | None


class Decoder(Protocol):
    """An open recording.

    Attributes:
        rate: in Hz, at its beginning.
        channels: at its beginning.
        seconds: its length where that is known without decoding, else None.
    """

    rate: int
    channels: int
    seconds: float | None

    def read(self, start: int, note: Note) -> Iterator[Piece]:
        """Decode from `start` seconds on, exactly; `note` is told of what is lost.

        Raises:
            AudioError: it cannot be decoded at all.
        """
        ...


def check_header(name: str, rate: int, channels: int) -> None:
    """Refuse what no recording has.

    Raises:
        AudioError: the sampling rate or the number of channels is absurd.
    """
    if not _RATES[0] <= rate <= _RATES[1] or not 1 <= channels <= _CHANNELS:
        raise AudioError(name, f"its header is absurd ({rate} Hz, {channels} channels).")


def step(rate: int, channels: int) -> int:
    """How many samples of each channel a piece may hold."""
    return max(1, min(SECONDS * rate, VALUES // channels))


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces, each decoded while the one before it is used; a recording of one piece needs no thread."""
    piece = next(pieces, None)
    with ExitStack() as stack:
        stack.callback(getattr(pieces, "close", lambda: None))
        pool: ThreadPoolExecutor | None = None
        while piece is not None:
            if pool is None and piece.count >= step(piece.rate, 1 if piece.samples is None else piece.samples.shape[1]):
                pool = stack.enter_context(ThreadPoolExecutor(1, "decode"))
            following = pool.submit(next, pieces, None) if pool else None
            yield piece
            piece = following.result() if following else next(pieces, None)


def skipping(pieces: Iterator[Piece], seconds: float) -> Iterator[Piece]:
    """What follows after `seconds`, to the sample."""
    for piece in pieces:
        skipped = min(piece.count, round(seconds * piece.rate))
        seconds -= skipped / piece.rate
        if skipped < piece.count:
            samples = None if piece.samples is None else piece.samples[skipped:]
            yield Piece(piece.rate, piece.count - skipped, samples)
