"""Cross-modal Rank-N-Contrast (paper section 3.2), rectangular: N audios against M texts."""

from collections.abc import Sequence
from typing import Any, get_args

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from emorank.losses.contrastive import Anchors, Contrastive, Side, Sum
from emorank.losses.denominators import NEGATIVES, Negatives, losses

_TILE = 2**19  # pairs that are looked at together: few enough for the caches, enough for two threads


class RankNContrast(Contrastive):
    """Pulls every text towards an audio more than all texts whose labels are farther from the audio's label.

    For an audio anchor i and a text j the loss is -log(exp(s_ij) / sum over k in S_ij of exp(s_ik)) with
    s = scale * cosine, averaged over all pairs. The paper's formula does not say whether j itself and the texts
    that tie with it stand in the denominator; the three readings are:

    * ``at_least_as_far`` (default): S = texts with d_ik >= d_ij, as in Rank-N-Contrast (Zha et al., 2023). Never
      negative.
    * ``farther_and_self``: S = texts with d_ik > d_ij, and j. Never negative.
    * ``farther``: S = texts with d_ik > d_ij, as printed. Pairs with an empty S are left out of the mean. Unbounded
      below when the temperature is learnt.

    The labels need no pairs: any N and M, any number of dimensions.
    Time is O(N M log M), memory O(N + M) and a tile: pairs are looked at some rows at a time.

    Args:
        negatives: which texts stand in the denominator.
        anchors: "audio" as in the paper, or "both": the mean of the loss with audio and with text anchors.
        weights: how much each of the k dimensions counts in the distance; all alike when not given.

    Shape:
        audio (N, embedding_dim), text (M, embedding_dim), targets (N, k) and (M, k), scale () -> ().

    Raises:
        ValueError: an option that is not known, or labels of another length than the weights.
    """

    def __init__(
        self,
        negatives: Negatives = "at_least_as_far",
        anchors: Anchors = "audio",
        weights: Sequence[float] | None = None,
    ) -> None:
        if negatives not in NEGATIVES:
            raise ValueError(f"negatives must be one of {NEGATIVES}, not {negatives!r}")
        if anchors not in get_args(Anchors):
            raise ValueError(f"anchors must be one of {get_args(Anchors)}, not {anchors!r}")
        super().__init__(anchors)
        self.negatives: Negatives = negatives
        self.weights = None if weights is None else tuple(weights)

    def rows(self, anchors: Side, candidates: Side, scale: Tensor) -> Sum:
        """See `Contrastive.rows`; counted are pairs, for "farther" those that have a negative."""
        labels = anchors.labels, candidates.labels
        arguments = anchors.embeddings, candidates.embeddings, scale, labels, self.negatives, self.weights
        return Sum(*_Tiled.apply(*arguments))  # type: ignore[no-untyped-call]


def squared_distances(audio: Tensor, text: Tensor, weights: Sequence[float] | None = None) -> Tensor:
    """Squared L2 distance of the labels, (N, M), in double precision, each dimension scaled by its weight.

    Only the order counts, so no root is taken. Differences, not a matrix product: equal labels must tie exactly.
    """
    wide = torch.float32 if audio.device.type == "mps" else torch.float64  # Apple's have no double precision
    total = torch.zeros(len(audio), len(text), dtype=wide, device=audio.device)
    weights = weights or (1.0,) * audio.shape[1]
    for weight, a, t in zip(weights, audio.to(wide).T, text.to(wide).T, strict=True):
        apart = a[:, None] - t[None, :]
        total.addcmul_(apart, apart, value=weight**2)
    return total


class _Tiled(torch.autograd.Function):
    """Sum and number of the losses of all pairs, a tile of anchors after the other.

    The gradients are made along with the loss, so that nothing of N x M outlives its tile.
    """

    @staticmethod
    def forward(
        ctx: Any,
        anchors: Tensor,
        candidates: Tensor,
        scale: Tensor,
        labels: tuple[Tensor, Tensor],
        negatives: Negatives,
        weights: Sequence[float] | None,
    ) -> tuple[Tensor, Tensor]:
        total, pairs = 0.0, 0
        by_anchors, by_candidates = torch.empty_like(anchors), torch.zeros_like(candidates)
        by_scale = torch.zeros_like(scale)
        rows = max(1, _TILE // max(len(candidates), 1))
        for start in range(0, len(anchors), rows):
            tile, own_labels = anchors[start : start + rows], labels[0][start : start + rows]
            similarity = tile @ candidates.T
            distances = squared_distances(own_labels, labels[1], weights)
            loss, counted, gradient = losses(similarity * scale, distances, negatives)
            total, pairs = total + loss.item(), pairs + int(counted)
            by_scale += (gradient * similarity).sum()
            gradient = gradient.mul_(scale)
            by_anchors[start : start + rows] = gradient @ candidates
            by_candidates.addmm_(gradient.T, tile)
        ctx.save_for_backward(by_anchors, by_candidates, by_scale)
        number = torch.tensor(pairs)
        ctx.mark_non_differentiable(number)
        return anchors.new_tensor(total), number

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        return *(upstream * gradient for gradient in ctx.saved_tensors), None, None, None
