"""Cross-modal Rank-N-Contrast (paper section 3.2), rectangular: N audios against M texts."""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from emorank.losses.targets import Targets

Negatives = Literal["at_least_as_far", "farther_and_self", "farther"]
Anchors = Literal["audio", "both"]


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

    The labels need no pairs: any N and M, any number of dimensions. Time is O(N M log M), memory O(N M).

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
        if negatives not in get_args(Negatives):
            raise ValueError(f"negatives must be one of {get_args(Negatives)}, not {negatives!r}")
        if anchors not in get_args(Anchors):
            raise ValueError(f"anchors must be one of {get_args(Anchors)}, not {anchors!r}")
        self.negatives: Negatives = negatives
        self.anchors: Anchors = anchors
        self.weights = None if weights is None else tuple(weights)

    def forward(self, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
        """The loss of one batch; see the class. `scale` is 1 / temperature."""
        logits = cosine(audio, text) * scale
        distances = squared_distances(targets.audio_labels, targets.text_labels, self.weights)
        loss = rank_n_contrast(logits, distances, self.negatives)
        if self.anchors == "both":
            loss = (loss + rank_n_contrast(logits.T, distances.T, self.negatives)) / 2
        return loss


def cosine(audio: Tensor, text: Tensor) -> Tensor:
    """Cosine similarity of every pair, (N, M), in at least single precision."""
    wide = torch.promote_types(audio.dtype, torch.float32)
    return functional.normalize(audio.to(wide), dim=1) @ functional.normalize(text.to(wide), dim=1).T


def squared_distances(audio: Tensor, text: Tensor, weights: Sequence[float] | None = None) -> Tensor:
    """Squared L2 distance of the labels, (N, M), in double precision, each dimension scaled by its weight.

    Only the order counts, so no root is taken. Differences, not a matrix product: equal labels must tie exactly.
    """
    wide = torch.float32 if audio.device.type == "mps" else torch.float64  # Apple's have no double precision
    total = torch.zeros(len(audio), len(text), dtype=wide, device=audio.device)
    weights = weights or (1.0,) * audio.shape[1]
    for weight, a, t in zip(weights, audio.to(wide).T, text.to(wide).T, strict=True):
        total += (weight * (a[:, None] - t[None, :])).square()
    return total


def rank_n_contrast(logits: Tensor, distances: Tensor, negatives: Negatives) -> Tensor:
    """Rank-N-Contrast of anchors (rows) against candidates (columns).

    Sorted by distance, every denominator is a suffix of the row: one cumulative log-sum-exp gives them all.

    Args:
        logits: (N, M) scaled similarities.
        distances: (N, M) label distances, or anything that orders alike.
        negatives: see `RankNContrast`.

    Returns:
        The mean over all pairs (for "farther" over the pairs that have a negative), a scalar.
    """
    distances, order = distances.contiguous().sort(dim=1)
    logits = logits.gather(1, order)
    distances = distances.contiguous()
    suffix = logits.flip(1).logcumsumexp(1).flip(1)  # suffix[p] = log sum over q >= p of exp(logits[q])
    if negatives == "at_least_as_far":
        first = torch.searchsorted(distances, distances, right=False)  # where the ties of p begin
        return (suffix.gather(1, first) - logits).mean()
    columns = logits.shape[1]
    beyond = torch.searchsorted(distances, distances, right=True)  # the first that is strictly farther
    exists = beyond < columns
    farther = suffix.gather(1, beyond.clamp(max=columns - 1))
    if negatives == "farther_and_self":
        return torch.where(exists, functional.softplus(farther - logits), 0).mean()
    return torch.where(exists, farther - logits, 0).sum() / exists.sum().clamp(min=1)
