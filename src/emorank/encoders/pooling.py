"""Frames of clips -> one vector a clip, when frames come window by window and in any order."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

Array = np.ndarray[Any, np.dtype[np.float32]]
Piece = tuple[int, np.ndarray]  # which clip it belongs to, samples

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

    def add(self, clip: int, frames: Tensor, logits: Tensor | None = None) -> None:
        """Take in frames of a clip.

        Args:
            clip: which one.
            frames: (frames, width).
            logits: (frames,) logarithms of their weights; None weighs all alike.
        """
        values = frames.double().cpu()
        if logits is None:
            logits = torch.zeros(len(values))
        logits = logits.double().cpu()
        highest = max(float(self._highest[clip]), float(logits.max()))
        earlier = np.exp(self._highest[clip] - highest)
        weights = (logits - highest).exp()
        self._highest[clip] = highest
        self._weight[clip] = earlier * self._weight[clip] + float(weights.sum())
        self._sum[clip] = earlier * self._sum[clip] + (weights @ values).numpy()
        self._square[clip] = earlier * self._square[clip] + (weights @ values.square()).numpy()

    def mean_std(self) -> tuple[Array, Array]:
        """Both (clips, width); a clip of which nothing came has mean 0."""
        total = np.maximum(self._weight, np.finfo(float).tiny)[:, None]
        mean = self._sum / total
        variance = self._square / total - mean**2
        return mean.astype(np.float32), np.sqrt(np.maximum(variance, SMALLEST_VARIANCE)).astype(np.float32)


def windows(wave: np.ndarray, longest: int) -> list[np.ndarray]:
    """Equal pieces of at most `longest` samples."""
    return np.array_split(wave, max(1, -(-len(wave) // longest)))


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
