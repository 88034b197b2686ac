"""Any rate -> 16 kHz, block by block as if in one piece."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from emorank.audio.decoder import Piece, Samples

SAMPLE_RATE = 16_000  # Hz, of everything that leaves this package
_ZEROS = 1 << 20  # samples of silence made at a time


def resampled(pieces: Iterator[Piece]) -> Iterator[Samples]:
    """Pieces of one channel, (count,) each -> blocks at 16 kHz; a change of rate begins anew."""
    rate: int | None = None
    stream: Any = None
    for piece in pieces:
        if piece.rate != rate:
            yield from _rest(stream)
            rate, stream = piece.rate, _stream(piece.rate)
        for samples in _sound(piece):
            out = samples if stream is None else stream.resample_chunk(np.ascontiguousarray(samples))
            if len(out):
                yield out
    yield from _rest(stream)


def cut(blocks: Iterator[Samples], start: int, end: int | None) -> Iterator[Samples]:
    """The samples from `start` to before `end`; what comes later is not asked for."""
    at = 0
    for block in blocks:
        kept = block[max(0, start - at) : None if end is None else max(0, end - at)]
        at += len(block)
        if len(kept):
            yield kept
        if end is not None and at >= end:
            return


def _stream(rate: int) -> Any:
    import soxr

    return None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")


def _rest(stream: Any) -> Iterator[Samples]:
    out = np.zeros(0, np.float32) if stream is None else stream.resample_chunk(np.zeros(0, np.float32), last=True)
    if len(out):
        yield out


def _sound(piece: Piece) -> Iterator[Samples]:
    if piece.samples is not None:
        yield piece.samples
        return
    for at in range(0, piece.count, _ZEROS):
        yield np.zeros(min(_ZEROS, piece.count - at), np.float32)
