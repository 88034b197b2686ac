"""The ordinality test's protocol, its retrieval and its bounds."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from emorank.affect import STEPS
from emorank.evaluation.ordinality import Dimension, description_lists, oracle, ordinality, retrieve

CELLS = {(v, a): [f"{v} {a} {n}" for n in range(3)] for v in STEPS for a in STEPS}


@pytest.mark.parametrize("varied", ["valence", "arousal"])
def test_the_protocol_of_the_paper(varied: Dimension) -> None:
    lists = description_lists(CELLS, varied)
    assert len(lists) == 100
    assert [each.fixed for each in lists[:15]] == [*STEPS, 0.5]
    assert STEPS[0] == 0.5
    assert STEPS[-1] == 7
    for each in lists:
        assert each.values == STEPS
        points = [tuple(map(float, text.split()[:2])) for text in each.texts]
        fixed, moving = (1, 0) if varied == "valence" else (0, 1)
        assert [point[fixed] for point in points] == [each.fixed] * 14
        assert [point[moving] for point in points] == list(STEPS)
    assert lists[0].texts != lists[14].texts  # the second time round takes other descriptions


def test_no_clip_comes_twice_and_the_best_one_comes() -> None:
    similarity = np.array([[0.9, 0.5, 0.1], [0.9, 0.2, 0.3], [0.8, 0.7, 0.6]])
    assert retrieve(similarity).tolist() == [0, 2, 1]
    assert retrieve(np.zeros((3, 5))).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="2 descriptions need as many clips, there are 1"):
        retrieve(np.zeros((2, 1)))


def test_tau_is_that_of_what_was_retrieved() -> None:
    rng = np.random.default_rng(0)
    labels = rng.uniform(1, 7, 50).round(1)
    table = {text: rng.normal(size=50) for texts in CELLS.values() for text in texts}
    lists = description_lists(CELLS, "valence", 5)
    result = ordinality(lists, lambda texts: np.stack([table[text] for text in texts]), labels)
    for each, tau in zip(lists, result.taus, strict=True):
        free = list(range(50))
        got = []
        for text in each.texts:
            best = max(free, key=lambda clip: table[text][clip])
            free.remove(best)
            got.append(labels[best])
        assert tau == pytest.approx(kendalltau(each.values, got).statistic)
    assert result.mean == pytest.approx(np.mean(result.taus))
    assert result.std == pytest.approx(np.std(result.taus, ddof=1))


def test_perfect_reversed_and_blind_retrieval() -> None:
    labels = np.array(STEPS)
    asked = {text: value for (value, _), texts in CELLS.items() for text in texts}
    lists = description_lists(CELLS, "valence")

    def by(sign: int) -> float:
        return ordinality(
            lists, lambda texts: -np.abs(np.array([asked[t] for t in texts])[:, None] - labels[::sign]), labels
        ).mean

    assert by(1) == pytest.approx(1)
    assert by(-1) == pytest.approx(-1)
    same = ordinality(lists, lambda texts: np.random.default_rng(0).normal(size=(14, 30)), np.full(30, 4.0))
    assert set(same.taus) == {0.0}  # labels that are all equal have no order


def test_the_oracle_is_a_bound_that_clips_on_the_grid_reach() -> None:
    points = np.array([(v, a) for v in STEPS for a in STEPS])
    varied: Dimension
    for column, varied in enumerate(("valence", "arousal")):  # type: ignore[assignment]
        assert oracle(description_lists(CELLS, varied), points, points[:, column]).mean == pytest.approx(1)
