"""Is one row better than others? Two-tailed paired t-tests with Holm's correction (paper, tables 1 and 2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ttest_rel

LEVEL = 0.05


@dataclass(frozen=True)
class Comparison:
    """One row against another.

    Args:
        difference: mean of the paired differences, ours minus theirs.
        p: of the two-tailed paired t-test.
        p_corrected: after Holm's correction over all the rows that ours was compared with.
    """

    difference: float
    p: float
    p_corrected: float

    @property
    def significant(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.p_corrected < LEVEL


def compare(ours: Sequence[float], others: Mapping[str, Sequence[float]]) -> dict[str, Comparison]:
    """Compare a row with every other one over the same lists, trials or seeds.

    Args:
        ours: (n,) values of our row.
        others: name -> (n,) values of another row, in the same order.
    """
    names = list(others)
    ps = [paired_t(ours, others[name]) for name in names]
    differences = [float(np.mean(np.subtract(ours, others[name]))) for name in names]
    return dict(zip(names, map(Comparison, differences, ps, holm(ps)), strict=True))


def paired_t(a: Sequence[float], b: Sequence[float]) -> float:
    """p of the two-tailed paired t-test; 1 where all differences are 0 or there are fewer than two."""
    if len(a) < 2 or np.allclose(a, b, rtol=0, atol=0):
        return 1.0
    return float(ttest_rel(a, b).pvalue)


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p values of a family -> corrected ones, in the same order."""
    corrected, largest = [0.0] * len(ps), 0.0
    for step, index in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        largest = max(largest, min(1.0, (len(ps) - step) * ps[index]))
        corrected[index] = largest
    return corrected
