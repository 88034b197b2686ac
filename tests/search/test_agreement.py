"""Agreement of two orders, against SciPy and by hand."""

import numpy as np
import pytest
import scipy.stats

from emorank.search.agreement import Agreement, agreement


@pytest.mark.parametrize("ties", [False, True])
def test_correlation_is_spearmans(ties: bool) -> None:
    rng = np.random.default_rng(0)
    for count in (7, 300):
        one = rng.standard_normal(count)
        other = one + rng.standard_normal(count)
        if ties:
            one, other = one.round(), other.round()
        found = agreement(one, other)
        assert found.common == count
        assert found.correlation == pytest.approx(scipy.stats.spearmanr(one, other).statistic, abs=1e-9)


def test_overlap_is_of_the_first_of_both() -> None:
    one = np.arange(40.0)
    other = one.copy()
    other[39] = -1  # the best of one is the worst of the other
    assert agreement(one, other).overlap == 9
    assert agreement(one, -one) == Agreement(40, -1.0, 10, 0)
    assert agreement(one[:3], one[:3]) == Agreement(3, 1.0, 3, 3)
    assert agreement(one[:0], one[:0]) == Agreement(0, None, 0, 0)
    assert agreement(one[:1], one[:1]) == Agreement(1, None, 1, 1)
    assert agreement(np.zeros(4), one[:4]).correlation is None
