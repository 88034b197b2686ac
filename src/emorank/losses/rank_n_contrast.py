"""Cross-modal Rank-N-Contrast (paper section 3.2), rectangular: N audios against M texts."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from emorank.losses.denominators import NEGATIVES, Negatives, losses
from emorank.losses.targets import Targets

Anchors = Literal["audio", "both"]

_TILE = 2**19  # pairs that are looked at together: few enough for the caches, enough for two threads


class RankNContrast(nn.Module):
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
        super().__init__()
        if negatives not in NEGATIVES:
            raise ValueError(f"negatives must be one of {NEGATIVES}, not {negatives!r}")
        if anchors not in get_args(Anchors):
            raise ValueError(f"anchors must be one of {get_args(Anchors)}, not {anchors!r}")
        self.negatives: Negatives = negatives
        self.anchors: Anchors = anchors
        self.weights = None if weights is None else tuple(weights)

    def forward(self, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
        """The loss of one batch; see the class. `scale` is 1 / temperature."""
        sides = (directions(audio), targets.audio_labels), (directions(text), targets.text_labels)
        (a, a_labels), (t, t_labels) = sides
        loss = rank_n_contrast(a, t, a_labels, t_labels, scale, self.negatives, self.weights)
        if self.anchors == "both":
            loss = (loss + rank_n_contrast(t, a, t_labels, a_labels, scale, self.negatives, self.weights)) / 2
        return loss


def directions(embeddings: Tensor) -> Tensor:
    """Embeddings L2-normalised, in at least single precision."""
    return functional.normalize(embeddings.to(torch.promote_types(embeddings.dtype, torch.float32)), dim=1)


def cosine(audio: Tensor, text: Tensor) -> Tensor:
    """Cosine similarity of every pair, (N, M), in at least single precision."""
    return directions(audio) @ directions(text).T


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


def rank_n_contrast(
    anchors: Tensor,
    candidates: Tensor,
    anchor_labels: Tensor,
    candidate_labels: Tensor,
    scale: Tensor | float,
    negatives: Negatives,
    weights: Sequence[float] | None = None,
) -> Tensor:
    """Rank-N-Contrast of anchors against candidates, a tile of anchors after the other.

    Args:
        anchors: (N, dim), L2-normalised.
        candidates: (M, dim), L2-normalised.
        anchor_labels: (N, k).
        candidate_labels: (M, k).
        scale: 1 / temperature.
        negatives: see `RankNContrast`.
        weights: see `RankNContrast`.

    Returns:
        The mean over all pairs (for "farther" over the pairs that have a negative), a scalar.
    """
    scale = torch.as_tensor(scale, dtype=anchors.dtype, device=anchors.device)
    labels = anchor_labels, candidate_labels
    result: Tensor = _Tiled.apply(anchors, candidates, scale, labels, negatives, weights)  # type: ignore[no-untyped-call]
    return result


class _Tiled(torch.autograd.Function):
    """The gradients are made along with the loss, so that nothing of N x M outlives its tile."""

    @staticmethod
    def forward(
        ctx: Any,
        anchors: Tensor,
        candidates: Tensor,
        scale: Tensor,
        labels: tuple[Tensor, Tensor],
        negatives: Negatives,
        weights: Sequence[float] | None,
    ) -> Tensor:
        total, pairs = torch.zeros((), dtype=torch.float64), 0
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
        pairs = max(pairs, 1)
        ctx.save_for_backward(by_anchors.div_(pairs), by_candidates.div_(pairs), by_scale.div_(pairs))
        return (total / pairs).to(anchors)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        return *(upstream * gradient for gradient in ctx.saved_tensors), None, None, None
