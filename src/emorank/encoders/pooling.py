"""Frames of clips -> one vector a clip, when frames come window by window and in any order."""

from collections.abc import Callable, Iterator

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.types import Array

Piece = tuple[int, np.ndarray]  # which clip it belongs to, samples

WINDOW = 30 * SAMPLE_RATE  # samples; Whisper's positions end there, and attention grows with the square
SMALLEST_VARIANCE = 1e-5


class Moments:
    """Weighted mean and standard deviation over time of several clips.

    The weights of a clip are a softmax over all its frames, though its frames come window by window.

    Args:
        clips: how many.
        width: of a frame.
    """

    def __init__(self, clips: int, width: int) -> None:
        self._highest = np.full(clips, -np.inf)  # logit of each clip so far; sums are relative to its exponential
        self._weight = np.zeros(clips)
        self._sum = np.zeros((clips, width))
        self._square = np.zeros((clips, width))

    def add(self, clip: int, frames: Array, logits: Array | None = None) -> None:
        """Take in frames of a clip.

        Args:
            clip: which one.
            frames: (frames, width).
            logits: (frames,) logarithms of their weights; None weighs all alike.
        """
        values = frames.astype(np.float64)
        exact = np.zeros(len(values)) if logits is None else logits.astype(np.float64)
        highest = max(float(self._highest[clip]), float(exact.max()))
        earlier = np.exp(self._highest[clip] - highest)
        weights = np.exp(exact - highest)
        self._highest[clip] = highest
        self._weight[clip] = earlier * self._weight[clip] + weights.sum()
        self._sum[clip] = earlier * self._sum[clip] + weights @ values
        self._square[clip] = earlier * self._square[clip] + weights @ np.square(values, out=values)

    def mean_std(self) -> tuple[Array, Array]:
        """Both (clips, width); a clip of which nothing came has mean 0."""
        total = np.maximum(self._weight, np.finfo(float).tiny)[:, None]
        mean = self._sum / total
        variance = self._square / total - mean**2
        return mean.astype(np.float32), np.sqrt(np.maximum(variance, SMALLEST_VARIANCE)).astype(np.float32)

    def pooled(self, pooling: str) -> Array:
        """`mean` (clips, width), or `mean_std`, the standard deviation beside it, (clips, 2 width)."""
        mean, std = self.mean_std()
        return mean if pooling == "mean" else np.concatenate([mean, std], 1)


def pieces_of(waves: list[np.ndarray], longest: int = WINDOW) -> list[Piece]:
    """Clips in equal pieces of at most `longest` samples."""
    return [
        (clip, piece)
        for clip, wave in enumerate(waves)
        for piece in np.array_split(wave, max(1, -(-len(wave) // longest)))
    ]


def batches(
    pieces: list[Piece], frames: Callable[[int], int], limit: int, equal: bool = False
) -> Iterator[list[Piece]]:
    """Pieces that are close in length together.

    Args:
        pieces: in any order.
        frames: samples -> encoder frames.
        limit: frames in one batch, padding counted; a longer piece is a batch of its own.
        equal: only pieces of the same number of frames together, for networks that must see no padding.
    """
    batch: list[Piece] = []
    last = 0
    for piece in sorted(pieces, key=lambda piece: len(piece[1])):  # ascending, so the newcomer is the longest
        count = frames(len(piece[1]))
        if batch and (count * (len(batch) + 1) > limit or (equal and count != last)):
            yield batch
            batch = []
        batch.append(piece)
        last = count
    if batch:
        yield batch
