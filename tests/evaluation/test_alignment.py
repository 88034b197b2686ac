"""The alignment test against closed forms, POT and slow formulas."""

import itertools
from unittest.mock import patch

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from emorank.errors import EmorankError
from emorank.evaluation import alignment as module
from emorank.evaluation.alignment import (
    Cloud,
    Distances,
    alignment,
    distances,
    mmd_squared,
    sliced_w2_squared,
    squared_distances,
)

ot = pytest.importorskip("ot")
pytest.importorskip("lap")


def clouds(n: int, dim: int = 4, shift: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, dim)), rng.normal(size=(n, dim)) + shift


def found(a: np.ndarray, b: np.ndarray) -> Distances:
    return distances(a, b, np.random.default_rng(0))


def slow(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """The definitions, pair by pair, and the assignment by another library."""
    pairs = [np.linalg.norm(x - y) for x, y in itertools.combinations(np.concatenate([a, b]), 2)]
    bandwidth = float(np.median(pairs))

    def mean(x: np.ndarray, y: np.ndarray, same: bool) -> float:
        values = np.exp(-cdist(x, y, "sqeuclidean") / (2 * bandwidth**2))
        return float(np.mean([values[i, j] for i, j in np.ndindex(values.shape) if not (same and i == j)]))

    def best(cost: np.ndarray) -> float:
        return float(cost[linear_sum_assignment(cost)].mean())

    biased = mean(a, a, False) + mean(b, b, False) - 2 * mean(a, b, False)
    return {
        "mmd_squared": biased,
        "mmd_squared_unbiased": mean(a, a, True) + mean(b, b, True) - 2 * mean(a, b, False),
        "mmd": biased**0.5,
        "w2_squared": best(cdist(a, b, "sqeuclidean")),
        "w1": best(cdist(a, b)),
        "bandwidth": bandwidth,
    }


@pytest.mark.parametrize("different", [40, 25, 9, 2, 1])
@pytest.mark.parametrize("both", [False, True])
def test_it_is_the_definition_however_many_points_are_the_same(different: int, both: bool) -> None:
    a, b = clouds(40)
    rng = np.random.default_rng(1)
    b = b[rng.integers(0, different, 40)] if different < 40 else b
    a = a[rng.integers(0, different, 40)] if both and different < 40 else a
    ours = found(a, b)
    for name, value in slow(a, b).items():
        assert getattr(ours, name) == pytest.approx(value, rel=2e-6), name


def test_mmd_of_shifted_gaussians_is_its_closed_form() -> None:
    dim, shift, bandwidth = 3, 0.8, 2.0
    a, b = (Cloud.of(points) for points in clouds(2500, dim, shift))
    squared = (squared_distances(one.points, other.points) for one, other in ((a, a), (b, b), (a, b)))
    _, unbiased = mmd_squared(a, b, *squared, bandwidth)
    spread = bandwidth**2 + 2  # kernel width plus the variance of a difference of two unit Gaussians
    expected = 2 * (bandwidth**2 / spread) ** (dim / 2) * (1 - np.exp(-dim * shift**2 / (2 * spread)))
    assert unbiased == pytest.approx(expected, rel=0.1)


def test_transport_agrees_with_all_permutations_and_distances_with_another_library() -> None:
    a, b = clouds(6)
    cost = cdist(a, b, "sqeuclidean")
    best = min(np.mean([cost[i, j] for i, j in enumerate(order)]) for order in itertools.permutations(range(6)))
    assert found(a, b).w2_squared == pytest.approx(best, rel=1e-6)
    a, b = clouds(120)
    np.testing.assert_allclose(squared_distances(a, b), cdist(a, b, "sqeuclidean"), rtol=1e-5)
    sliced = ot.sliced_wasserstein_distance(a, b, n_projections=2000, seed=0) ** 2
    assert sliced_w2_squared(a, b, np.random.default_rng(0), 2000) == pytest.approx(sliced, rel=0.1)


def test_points_that_are_the_same_are_kept_once() -> None:
    points = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]], np.float32)
    cloud = Cloud.of(points)
    assert cloud.points[cloud.which].tolist() == points.tolist()
    assert sorted(cloud.counts) == [1, 2]
    assert cloud.repeated


def test_a_pure_shift_moves_every_point_by_it() -> None:
    a, _ = clouds(300)
    moved = found(a, a + np.array([0.3, 0.0, 0.4, 0.0]))
    assert moved.w2_squared == pytest.approx(0.25, rel=1e-4)
    assert moved.w1 == pytest.approx(0.5, rel=1e-4)
    assert moved.mmd == pytest.approx(np.sqrt(moved.mmd_squared))


def test_equal_clouds_are_at_no_distance() -> None:
    a, _ = clouds(50)
    turned = found(a, a[::-1])
    assert turned.mmd_squared == pytest.approx(0, abs=1e-9)
    assert turned.w2_squared == pytest.approx(0, abs=1e-9)
    assert turned.sliced_w2_squared == pytest.approx(0, abs=1e-12)
    same = found(np.ones((5, 3)), np.ones((5, 3)))
    assert same.mmd_squared == same.w2_squared == 0


def test_rows_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = clouds(40)
    whole = found(a, b)
    monkeypatch.setattr("emorank.evaluation.alignment._ROWS", 7)
    assert found(a, b).mmd_squared == pytest.approx(whole.mmd_squared, rel=1e-9)
    assert found(a, b).bandwidth == pytest.approx(whole.bandwidth, rel=1e-6)


def test_the_protocol() -> None:
    a, b = clouds(60)
    result = alignment(a, b, trials=5, pairs=5000)
    assert (len(result.trials), result.pairs, result.available) == (5, 30, 60)
    assert len(set(result.values("w1"))) == 5
    assert result == alignment(a, b, trials=5, pairs=5000)
    assert result == alignment(a, b, trials=5, pairs=5000, jobs=3)
    with patch.object(module, "_LARGE", 2):  # assignments in other processes
        assert result == alignment(a, b, trials=5, pairs=5000, jobs=2)
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
