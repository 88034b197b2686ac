"""Zero-shot scores against another library."""

import numpy as np
import pytest

from emorank.affect import CATEGORIES
from emorank.evaluation.zero_shot import PROMPTS, zero_shot


def test_scores_agree_with_another_library() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    names = ["anger", "calm", "fear"]
    truth = [names[i] for i in rng.choice(3, 90, p=[0.6, 0.3, 0.1])]
    similarity = rng.normal(size=(90, 3)) + np.eye(3)[[names.index(t) for t in truth]]
    answer = [names[i] for i in similarity.argmax(1)]
    found = zero_shot(similarity, names, truth)
    assert found.uar == pytest.approx(metrics.balanced_accuracy_score(truth, answer))
    assert found.macro_f1 == pytest.approx(metrics.f1_score(truth, answer, average="macro"))
    assert found.accuracy == pytest.approx(metrics.accuracy_score(truth, answer))
    assert found.recall["fear"] == pytest.approx(metrics.recall_score(truth, answer, labels=["fear"], average="macro"))
    assert found.chance == pytest.approx(1 / 3)


def test_a_category_that_is_never_answered_counts_as_zero() -> None:
    found = zero_shot(np.array([[1.0, 0.0], [1.0, 0.0]]), ["a", "b"], ["a", "b"])
    assert found.recall == {"a": 1.0, "b": 0.0}
    assert found.uar == 0.5
    assert found.macro_f1 == pytest.approx(1 / 3)


def test_every_category_has_a_prompt() -> None:
    assert set(PROMPTS) == set(CATEGORIES)
