"""Paired t-tests and Holm's correction."""

import itertools
import math

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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("n", "p"), [(2, 0.5), (5, 0.0625), (30, 2.0**-29)])
def test_differences_that_are_all_the_same_get_the_p_of_the_sign_flip_test(n: int, p: float) -> None:
    flips = np.array(list(itertools.product([-1, 1], repeat=min(n, 5))))
    if n <= 5:  # all the ways to flip the signs, counted
        assert p == np.mean(np.abs(flips.mean(1)) >= 1 - 1e-9)
    assert paired_t([0.5] * n, [0.25] * n) == p
    base = np.random.default_rng(0).normal(size=n)
    assert paired_t(base + 0.1, base) == p  # the same up to rounding
    assert paired_t(base + 1e-17, base + 0.0) == 1


@pytest.mark.filterwarnings("error")
def test_a_p_is_never_zero_and_too_few_values_have_none() -> None:
    base = np.arange(100.0)
    spread = np.where(base % 2, 1e-6, -1e-6)
    assert 0 < paired_t(base + 1 + spread, base) < 1e-300
    assert math.isnan(paired_t([1.0], [2.0]))
    alone = compare([1.0], {"a": [2.0], "b": [1.0]})
    assert all(math.isnan(each.p_corrected) and not each.significant for each in alone.values())
    assert alone["a"].difference == -1


def test_what_has_no_p_does_not_count_in_the_family() -> None:
    corrected = holm([0.01, math.nan, 0.04])
    assert (corrected[0], corrected[2]) == (pytest.approx(0.02), pytest.approx(0.04))
    assert math.isnan(corrected[1])


def test_one_row_against_others() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=100)
    found = compare(base + 1 + rng.normal(size=100) * 0.1, {"worse": base, "same": base + 1})
    assert found["worse"].significant
    assert found["worse"].difference == pytest.approx(1, abs=0.05)
    assert not found["same"].significant
