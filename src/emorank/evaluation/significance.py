"""Is one row better than others? Two-tailed paired t-tests with Holm's correction (paper, tables 1 and 2)."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import ttest_rel

LEVEL = 0.05
_ROUNDING = 1e-12  # relative to the values; differences that spread less are the same


@dataclass(frozen=True)
class Comparison:
    """One row against another.

    Args:
        difference: mean of the paired differences, ours minus theirs.
        p: of the two-tailed paired t-test, see `paired_t`.
        p_corrected: after Holm's correction over all the rows that ours was compared with; NaN where there is no test.
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
    """p of the two-tailed paired t-test.

    Differences that are all the same, up to rounding, have no variance, and the t-test is not defined: 1 where they are
    0, else the p of the exact sign-flip test, 2 / 2^n, the least that n differences can show. NaN for fewer than two.
    """
    if len(a) < 2:
        return math.nan
    differences = np.subtract(a, b)
    if np.ptp(differences) <= _ROUNDING * np.max(np.abs([a, b])):
        same = np.abs(differences).max() <= _ROUNDING * np.max(np.abs([a, b]))
        return 1.0 if same else 2.0 ** (1 - len(a))
    return max(float(ttest_rel(a, b).pvalue), sys.float_info.min)  # it is never 0, but may be too small for a float


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p values of a family -> corrected ones, in the same order; NaN is not in it."""
    corrected, largest = [math.nan] * len(ps), 0.0
    family = sorted((index for index, p in enumerate(ps) if not math.isnan(p)), key=lambda index: ps[index])
    for step, index in enumerate(family):
        largest = max(largest, min(1.0, (len(family) - step) * ps[index]))
        corrected[index] = largest
    return corrected
