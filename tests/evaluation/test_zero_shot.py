"""Zero-shot scores against another library."""

import numpy as np
import pytest

from emorank.evaluation.zero_shot import ensembled, zero_shot


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


def test_probabilities_are_the_softmax_with_the_temperature() -> None:
    similarity = np.array([[0.2, 0.6], [1.0, -1.0], [0.3, 0.3]])
    found = zero_shot(similarity, ["a", "b"], ["a", "b", "b"], scale=5.0)
    expected = np.exp(5 * similarity) / np.exp(5 * similarity).sum(1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected)
    assert zero_shot(similarity, ["a", "b"], ["a", "b", "b"], scale=100.0).probabilities[1] == pytest.approx([1, 0])
    assert "probabilities" not in found.as_dict()


def test_several_descriptions_stand_for_a_category_by_their_mean() -> None:
    rng = np.random.default_rng(0)
    each = rng.normal(size=(6, 5))
    each /= np.linalg.norm(each, axis=1, keepdims=True)
    found = ensembled(each, [1, 3, 2])
    for row, members in zip(found, (each[:1], each[1:4], each[4:]), strict=True):
        mean = sum(members) / len(members)
        np.testing.assert_allclose(row, mean / np.sqrt((mean**2).sum()))
    np.testing.assert_allclose(ensembled(each, [1] * 6), each)
    assert not ensembled(np.zeros((2, 3)), [2]).any()  # of a head that gives nothing
