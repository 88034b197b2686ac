"""Paired t-tests and Holm's correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.evaluation.significance import compare, holm, paired_t


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_lies_between_none_and_bonferroni(ps: list[float]) -> None:
    corrected = holm(ps)
    for p, c in zip(ps, corrected, strict=True):
        assert p <= c <= min(1.0, p * len(ps)) + 1e-12
    assert np.all(np.diff(np.array(corrected)[np.argsort(ps, kind="stable")]) >= 0)


def test_paired_t_is_the_formula() -> None:
    from scipy.stats import t

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=30) + 0.3, rng.normal(size=30)
    d = a - b
    statistic = d.mean() / (d.std(ddof=1) / np.sqrt(30))
    assert paired_t(a, b) == pytest.approx(2 * t.sf(abs(statistic), 29))
    assert paired_t(a, a) == 1
    assert paired_t([1.0], [2.0]) == 1


def test_one_row_against_others() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=100)
    found = compare(base + 1 + rng.normal(size=100) * 0.1, {"worse": base, "same": base + 1})
    assert found["worse"].significant
    assert found["worse"].difference == pytest.approx(1, abs=0.05)
    assert not found["same"].significant
