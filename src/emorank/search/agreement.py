"""How far two orders of the same moments agree: of two models, or of two indexes that hold the same recordings."""

from dataclasses import dataclass

import numpy as np

FIRST = 10  # moments of which the overlap is told


@dataclass(frozen=True)
class Agreement:
    """How two searches order what both have.

    Args:
        common: moments that both have, and that pass the filters of both.
        correlation: Spearman's rank correlation over them, -1 to 1; None where there are fewer than two, or all of one
            are equal.
        first: of how many of the best `overlap` is told: 10, or fewer where there are not so many.
        overlap: moments that are among the first of both.
    """

    common: int
    correlation: float | None
    first: int
    overlap: int


def agreement(one: np.ndarray, other: np.ndarray, first: int = FIRST) -> Agreement:
    """Of two scores of the same moments, (n,) each, what is best highest."""
    if not len(one):
        return Agreement(0, None, 0, 0)
    first = min(first, len(one))
    best = (set(np.argsort(-scores, kind="stable")[:first].tolist()) for scores in (one, other))
    ranks = [_ranks(one), _ranks(other)]
    spread = [rank - rank.mean() for rank in ranks]
    norm = float(np.linalg.norm(spread[0]) * np.linalg.norm(spread[1]))
    correlation = round(float(spread[0] @ spread[1]) / norm, 9) if norm else None
    return Agreement(len(one), correlation, first, len(set.intersection(*best)))


def _ranks(scores: np.ndarray) -> np.ndarray:
    """(n,) ranks from 0, those of ties their mean."""
    _, which, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: np.ndarray = (ends - (counts + 1) / 2)[which]
    return ranks
