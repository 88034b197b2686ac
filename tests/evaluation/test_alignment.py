"""The alignment test against closed forms, POT and slow formulas."""

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from emorank.errors import EmorankError
from emorank.evaluation.alignment import (
    alignment,
    distances,
    median_distance,
    mmd_squared,
    sliced_w2_squared,
    squared_distances,
    transport,
)


def clouds(n: int, dim: int = 4, shift: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)), rng.normal(size=(n, dim)) + shift


def test_mmd_is_the_formula() -> None:
    a, b = clouds(7)
    bandwidth = median_distance(np.concatenate([a, b]))
    pairs = [np.linalg.norm(x - y) for x, y in itertools.combinations(np.concatenate([a, b]), 2)]
    assert bandwidth == pytest.approx(np.median(pairs), rel=1e-6)

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return float(np.exp(-np.sum((x - y) ** 2) / (2 * bandwidth**2)))

    def mean(x: np.ndarray, y: np.ndarray, same: bool) -> float:
        return float(np.mean([kernel(p, q) for i, p in enumerate(x) for j, q in enumerate(y) if not (same and i == j)]))

    biased, unbiased = mmd_squared(a, b, bandwidth)
    assert biased == pytest.approx(mean(a, a, False) + mean(b, b, False) - 2 * mean(a, b, False))
    assert unbiased == pytest.approx(mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False))


def test_mmd_of_shifted_gaussians_is_its_closed_form() -> None:
    dim, shift, bandwidth = 3, 0.8, 1.5
    a, b = clouds(4000, dim, shift)
    spread = bandwidth**2 + 2  # kernel width plus the variance of a difference of two unit Gaussians
    expected = 2 * (bandwidth**2 / spread) ** (dim / 2) * (1 - np.exp(-dim * shift**2 / (2 * spread)))
    assert mmd_squared(a, b, bandwidth)[1] == pytest.approx(expected, rel=0.1)


def test_transport_agrees_with_another_library_and_with_all_permutations() -> None:
    a, b = clouds(6)
    cost = squared_distances(a, b).astype(float)
    best = min(np.mean([cost[i, j] for i, j in enumerate(order)]) for order in itertools.permutations(range(6)))
    assert transport(cost) == pytest.approx(best)
    a, b = clouds(120)
    for cost in (cdist(a, b, "sqeuclidean"), cdist(a, b)):
        rows, columns = linear_sum_assignment(cost)
        assert transport(cost) == pytest.approx(cost[rows, columns].mean())
    np.testing.assert_allclose(squared_distances(a, b), cdist(a, b, "sqeuclidean"), rtol=1e-5)
    ot = pytest.importorskip("ot")
    sliced = ot.sliced_wasserstein_distance(a, b, n_projections=2000, seed=0) ** 2
    assert sliced_w2_squared(a, b, np.random.default_rng(0), 2000) == pytest.approx(sliced, rel=0.1)


def test_a_pure_shift_moves_every_point_by_it() -> None:
    a, _ = clouds(300)
    found = distances(a, a + np.array([0.3, 0.0, 0.4, 0.0]), np.random.default_rng(0))
    assert found.w2_squared == pytest.approx(0.25, rel=1e-4)
    assert found.w1 == pytest.approx(0.5, rel=1e-4)
    assert found.mmd == pytest.approx(np.sqrt(found.mmd_squared))


def test_equal_clouds_are_at_no_distance() -> None:
    a, _ = clouds(50)
    found = distances(a, a[::-1], np.random.default_rng(0))
    assert found.mmd_squared == pytest.approx(0, abs=1e-9)
    assert found.w2_squared == pytest.approx(0, abs=1e-9)
    assert found.sliced_w2_squared == pytest.approx(0, abs=1e-12)
    same = distances(np.ones((5, 3)), np.ones((5, 3)), np.random.default_rng(0))
    assert same.mmd_squared == same.w2_squared == 0


def test_rows_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = clouds(40)
    whole = distances(a, b, np.random.default_rng(0))
    monkeypatch.setattr("emorank.evaluation.alignment._ROWS", 7)
    assert distances(a, b, np.random.default_rng(0)).mmd_squared == pytest.approx(whole.mmd_squared, rel=1e-9)
    assert distances(a, b, np.random.default_rng(0)).bandwidth == pytest.approx(whole.bandwidth, rel=1e-6)


def test_the_protocol() -> None:
    a, b = clouds(60)
    result = alignment(a, b, trials=5, pairs=5000)
    assert (len(result.trials), result.pairs, result.available) == (5, 30, 60)
    assert len(set(result.values("w1"))) == 5
    assert result == alignment(a, b, trials=5, pairs=5000)
    assert result != alignment(a, b, trials=5, pairs=5000, seed=1)
    assert alignment(a, b, trials=2, pairs=10).pairs == 10
    data = result.as_dict()
    assert data["mmd_squared"]["mean"] == pytest.approx(np.mean([t["mmd_squared"] for t in data["trials"]]))
    with pytest.raises(ValueError, match="60 utterances and 10 captions are not pairs"):
        alignment(a, b[:10])
    with pytest.raises(EmorankError, match="at least 4 utterances with a caption; got 3"):
        alignment(a[:3], b[:3])


def test_pairs_depend_on_seed_and_trial_alone() -> None:
    """Embeddings of another width draw the same pairs, in every trial: columns of zeros change no distance."""
    a, b = clouds(60)
    wide = [np.hstack([each, np.zeros((60, 5))]) for each in (a, b)]
    narrow, padded = alignment(a, b, trials=4), alignment(*wide, trials=4)
    for name in ("mmd_squared", "w2_squared", "bandwidth"):
        assert padded.values(name) == pytest.approx(narrow.values(name))
    assert alignment(a, b, trials=2).trials == narrow.trials[:2]
    shorter = alignment(a, b, trials=4, pairs=7)
    assert shorter.values("w1") != narrow.values("w1")
