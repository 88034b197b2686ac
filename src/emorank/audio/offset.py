"""Removes a constant offset (DC), once, after decoding: the same whatever is read of a recording.

The offset is the mean of each 10 s of sound, and between their middles a straight line. A recording without one is not
touched: a mean that a voice may have by itself is none, nor is one below a step of 16 bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from emorank.audio.decoder import Piece, Samples

CELL = 10  # seconds that share a mean; they are counted from the beginning of the recording
_LEAST = 2.0  # seconds of sound that give a mean; a cell with less takes that of a neighbour
_STEP = 2.0**-15
_OWN = 0.02  # the mean that a second of sound may have by itself, relative to its root mean square


@dataclass
class _Cell:
    pieces: list[Piece]
    total: float = 0.0
    energy: float = 0.0
    count: int = 0
    length: int = 0

    @property
    def offset(self) -> float | None:
        """The offset of its sound; None where there is too little of it."""
        return self.mean if self.count >= _LEAST * self.pieces[0].rate else None

    @property
    def mean(self) -> float:
        """The mean of its sound, 0 where that is no offset."""
        if not self.count:
            return 0.0
        mean = self.total / self.count
        own = _OWN * max(0.0, self.energy / self.count - mean * mean) ** 0.5 / (self.count / self.pieces[0].rate)
        return mean if abs(mean) >= max(_STEP, own) else 0.0


def without_offset(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same pieces of one channel without their offset; silence stays silence.

    Args:
        pieces: (count,) each, the first at a multiple of `CELL` seconds.
    """
    before: float | None = None
    waiting: _Cell | None = None
    for cell in _cells(pieces):
        if waiting:
            yield from _level(waiting, before, cell.offset)
            before = waiting.offset
        waiting = cell
    if waiting:
        yield from _level(waiting, before, None)


def _cells(pieces: Iterator[Piece]) -> Iterator[_Cell]:
    """Pieces cut and gathered into cells; a change of rate begins a new one."""
    cell, rate = _Cell([]), 0
    for piece in pieces:
        at = 0
        if cell.pieces and piece.rate != rate:
            yield cell
            cell = _Cell([])
        rate = piece.rate
        while at < piece.count:
            count = min(piece.count - at, CELL * rate - cell.length)
            samples = None if piece.samples is None else piece.samples[at : at + count]
            cell.pieces.append(Piece(rate, count, samples))
            if samples is not None:
                cell.total += float(samples.sum())
                cell.energy += float(np.dot(samples, samples))
                cell.count += count
            cell.length += count
            at += count
            if cell.length == CELL * rate:
                yield cell
                cell = _Cell([])
    if cell.pieces:
        yield cell


def _level(cell: _Cell, before: float | None, after: float | None) -> Iterator[Piece]:
    """Takes the line through the offsets of a cell and its neighbours, as far as they have one, from its pieces."""
    known = [offset for offset in (cell.offset, before, after) if offset is not None]
    own = known[0] if known else cell.mean
    before, after = own if before is None else before, own if after is None else after
    if before == own == after == 0:
        yield from cell.pieces
        return
    middle = CELL * cell.pieces[0].rate / 2
    at = 0
    for piece in cell.pieces:
        if piece.samples is None:
            yield piece
        else:
            yield Piece(piece.rate, piece.count, piece.samples - _line(at, piece.count, middle, before, own, after))
        at += piece.count


def _line(at: int, count: int, middle: float, before: float, own: float, after: float) -> Samples | np.float32:
    if before == own == after:
        return np.float32(own)
    return np.interp(np.arange(at, at + count), [-middle, middle, 3 * middle], [before, own, after]).astype(np.float32)
