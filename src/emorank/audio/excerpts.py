"""Parts of a recording as they are in the file: at its own rate, of its own channels, to the sample."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.audio.decoder import Piece, Samples
from emorank.audio.opening import open_decoder
from emorank.audio.reading import TooLong
from emorank.errors import AudioError


@dataclass(frozen=True)
class Excerpt:
    """A part of a recording.

    Args:
        rate: in Hz, of the recording.
        samples: (count, channels) float32, full scale is 1.
    """

    rate: int
    samples: Samples


def excerpts(
    path: str | os.PathLike[str],
    spans: Sequence[tuple[float, float]],
    channel: int | None = None,
    most: int | None = None,
) -> Iterator[Excerpt]:
    """Parts of a recording, which is read once for all of them, from the first to the last.

    Nothing is mixed, resampled or levelled. Silence stands where nothing can be decoded. A part that would begin before
    the recording or end after it holds what there is.

    Args:
        path: the file.
        spans: where the parts begin and end, in seconds, in the order of their beginnings; they may overlap.
        channel: number of the channel that is taken, from 1; None takes all.
        most: refuse a part of more values (samples times channels), before it is held.

    Yields:
        As many as there are spans, in their order.

    Raises:
        AudioError: it cannot be read as audio, ends before a part begins, lacks the channel, or changes its rate or its
            channels within a part; a part is empty.
        TooLong: a part is larger than `most`.
    """
    name = os.fspath(path)
    if not spans:
        return
    decoder = open_decoder(name)
    if channel is not None and not 1 <= channel <= decoder.channels:
        raise AudioError(name, f"it has no channel {channel} any more.")
    first = max(0, int(spans[0][0]))
    pieces: Any = decoder.read(first, lambda _: None)
    stream = _Stream(name, pieces, first, decoder.channels, channel)
    with closing(pieces):
        for start, end in spans:
            count = (max(0.0, end) - max(0.0, start)) * decoder.rate * (1 if channel else decoder.channels)
            if most is not None and count > most:
                raise TooLong(name, f"{end - start:.1f} s of it hold more than {most} samples.")
            yield stream.between(max(0.0, start), end)


@dataclass(frozen=True)
class _Placed:
    """A piece, the seconds at which its rate began, and its first sample counted from there."""

    since: float
    at: int
    piece: Piece

    @property
    def end(self) -> float:
        """In seconds."""
        return self.since + (self.at + self.piece.count) / self.piece.rate

    def between(self, start: float, end: float) -> Piece:
        """The part of it between two times; sample n of a rate is the one at n / rate seconds."""
        rate, count = self.piece.rate, self.piece.count
        first, last = (
            min(max(0, round((time - self.since) * rate) - self.at), count) for time in (start, max(start, end))
        )
        samples = None if self.piece.samples is None else self.piece.samples[first:last]
        return Piece(rate, last - first, samples)


class _Stream:
    """The pieces of a decoder; those are held that may be asked for again."""

    def __init__(self, name: str, pieces: Iterator[Piece], first: int, channels: int, channel: int | None) -> None:
        self._name, self._pieces = name, pieces
        self._channels, self._channel = channels, channel
        self._held: list[_Placed] = []
        self._last = _Placed(float(first), 0, Piece(1, 0, None))

    def between(self, start: float, end: float) -> Excerpt:
        """What lies between two times; no start is earlier than that of the call before."""
        while self._last.end < end and (piece := next(self._pieces, None)) is not None:
            self._take(piece)
            self._held = [placed for placed in self._held if placed.end > start]
        pieces = [piece for placed in self._held if (piece := placed.between(start, end)).count]
        if not pieces:
            raise AudioError(self._name, f"nothing of it lies between {start:.1f} s and {end:.1f} s.")
        widths = {piece.samples.shape[1] for piece in pieces if piece.samples is not None}
        if len({piece.rate for piece in pieces}) > 1 or len(widths) > 1:
            raise AudioError(self._name, f"its rate or its channels change between {start:.1f} s and {end:.1f} s.")
        width = widths.pop() if widths else 1 if self._channel else self._channels
        sound = [
            np.zeros((piece.count, width), np.float32) if piece.samples is None else piece.samples for piece in pieces
        ]
        return Excerpt(pieces[0].rate, np.concatenate(sound))

    def _take(self, piece: Piece) -> None:
        samples = piece.samples
        if self._channel and samples is not None and samples.shape[1] >= self._channel:
            piece = Piece(piece.rate, piece.count, samples[:, self._channel - 1 : self._channel])
        last = self._last
        same = piece.rate == last.piece.rate
        self._last = _Placed(last.since if same else last.end, last.at + last.piece.count if same else 0, piece)
        self._held.append(self._last)
