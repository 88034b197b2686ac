"""Rank-N-Contrast of some anchors against all candidates, with its gradient: one sort, two cumulative sums.

Sorted by the distance of the labels, every denominator is a suffix of the row, and the gradient of a candidate is a
prefix of what the denominators have it in. Both are cumulative sums of exponentials.
"""

from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from torch import Tensor

Negatives = Literal["at_least_as_far", "farther_and_self", "farther"]
NEGATIVES = get_args(Negatives)

_WIDEST = 600.0  # between two exponents whose exponentials a double can add up


class Ranked(NamedTuple):
    """The candidates of every anchor in the order of their distance, (n, M) each, int64.

    Args:
        order: which candidate is at each place.
        first: the first place of those that tie with it.
        beyond: the first place of those that are strictly farther; M where there are none.
    """

    order: Tensor
    first: Tensor
    beyond: Tensor


def ranked(distances: Tensor) -> Ranked:
    """Candidates by distance, nearest first.

    Args:
        distances: (n, M), not negative. Doubles that agree in their first bits, all but as many as a candidate's
            number takes, tie: with 16,384 candidates 38 bits, 4e-12 of the distance.
    """
    columns = distances.shape[1]
    if distances.dtype == torch.float64:
        # A double that is not negative orders as its bits do. With the candidate's number in the last of them, one
        # sort of integers gives distances and order, several times faster than sorting with indices.
        room = (1 << max(1, (columns - 1).bit_length())) - 1
        keys = distances.contiguous().view(torch.int64).bitwise_and(~room)
        keys |= torch.arange(columns, device=keys.device)
        keys = _sorted(keys)
        order = keys & room
        values = keys & ~room
    else:
        values, order = distances.sort(dim=1)
    places = torch.arange(columns, device=order.device).expand_as(order)
    differs = values[:, 1:] != values[:, :-1]
    begins = torch.cat([differs.new_ones(len(order), 1), differs], 1)
    ends = torch.cat([differs, differs.new_ones(len(order), 1)], 1)
    first = torch.where(begins, places, 0).cummax(1).values
    beyond = torch.where(ends, places + 1, columns).flip(1).cummin(1).values.flip(1)
    return Ranked(order, first, beyond)


def _sorted(keys: Tensor) -> Tensor:
    """Each row sorted; numpy's sort has vector instructions that torch's lacks on a CPU."""
    if keys.device.type != "cpu":
        return keys.sort(dim=1).values
    own: np.ndarray = keys.numpy()
    own.sort(axis=1)
    return keys


def losses(logits: Tensor, distances: Tensor, negatives: Negatives) -> tuple[Tensor, Tensor, Tensor]:
    """The losses of all pairs of some anchors (rows) and all candidates (columns).

    Args:
        logits: (n, M) scaled similarities.
        distances: (n, M) label distances, or anything that orders alike and is not negative.
        negatives: which candidates stand in a pair's denominator, see `RankNContrast`.

    Returns:
        Sum of the losses, scalar; number of pairs that have a denominator, scalar; (n, M) gradient of the sum.
    """
    order, first, beyond = ranked(distances)
    wide = logits.dtype if logits.device.type == "mps" else torch.float64
    own = logits.gather(1, order).to(wide)
    counted = torch.ones_like(own, dtype=torch.bool) if negatives == "at_least_as_far" else beyond < own.shape[1]
    largest = own.amax(1, keepdim=True)
    narrow = wide == torch.float64 and bool((largest - own.amin(1, keepdim=True) <= _WIDEST).all())
    if narrow:
        each, pulled = _by_sums(own - largest, first, beyond, counted, negatives)
    else:
        each, pulled = _by_logarithms(own, first, beyond, counted, negatives)
    total = each.sum() if negatives == "at_least_as_far" else torch.where(counted, each, 0).sum()
    gradient = pulled.sub_(counted.to(wide)).to(logits.dtype)
    pairs = counted.sum() if negatives == "farther" else torch.tensor(counted.numel())
    return total, pairs, torch.empty_like(logits).scatter_(1, order, gradient)


def _by_sums(
    own: Tensor, first: Tensor, beyond: Tensor, counted: Tensor, negatives: Negatives
) -> tuple[Tensor, Tensor]:
    """Loss of every place, and how strongly all denominators pull its candidate, (n, M) both.

    Args:
        own: (n, M) logits in sorted order less the largest of their row, double, not below -_WIDEST.
        first: see `Ranked`.
        beyond: see `Ranked`.
        counted: (n, M) whether the place's pair has a denominator.
        negatives: see `RankNContrast`.
    """
    strength = own.exp()
    suffix = strength.flip(1).cumsum_(1).flip(1)  # from this place on
    if negatives == "at_least_as_far":
        denominator = suffix.gather(1, first)
        # In the denominators of all that are at most as far: the prefix up to the last that ties.
        pulled = denominator.reciprocal().cumsum_(1).gather(1, beyond - 1).mul_(strength)
        return denominator.log_().sub_(own), pulled
    farther = torch.where(counted, suffix.gather(1, beyond.clamp(max=own.shape[1] - 1)), 0)
    denominator = strength + farther if negatives == "farther_and_self" else farther
    share = torch.where(counted, denominator.reciprocal(), 0)
    # In the denominators of all that are nearer: the prefix before the first that ties.
    pulled = torch.where(first > 0, share.cumsum(1).gather(1, (first - 1).clamp(min=0)), 0)
    if negatives == "farther_and_self":
        pulled += share
    return denominator.log_().sub_(own), pulled.mul_(strength)


def _by_logarithms(
    own: Tensor, first: Tensor, beyond: Tensor, counted: Tensor, negatives: Negatives
) -> tuple[Tensor, Tensor]:
    """As `_by_sums`, for logits of any width: slower."""
    suffix = own.flip(1).logcumsumexp(1).flip(1)
    if negatives == "at_least_as_far":
        denominator = suffix.gather(1, first)
        return denominator - own, (own + (-denominator).logcumsumexp(1).gather(1, beyond - 1)).exp()
    farther = torch.where(counted, suffix.gather(1, beyond.clamp(max=own.shape[1] - 1)), -torch.inf)
    denominator = torch.logaddexp(own, farther) if negatives == "farther_and_self" else farther
    share = torch.where(counted, -denominator, -torch.inf)
    pulled = torch.where(first > 0, share.logcumsumexp(1).gather(1, (first - 1).clamp(min=0)), -torch.inf)
    if negatives == "farther_and_self":
        pulled = torch.logaddexp(pulled, share)
    return denominator - own, (own + pulled).exp()
