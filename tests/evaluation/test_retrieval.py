"""Retrieval against another library and slow counting."""

import numpy as np
import pytest

from emorank.evaluation.retrieval import average_precisions, ranks_of, retrieval


def embeddings(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    audio = rng.normal(size=(n, 8))
    text = audio + rng.normal(size=(n, 8))
    return audio / np.linalg.norm(audio, axis=1, keepdims=True), text / np.linalg.norm(text, axis=1, keepdims=True)


def test_ranks_are_places_in_the_sorted_list(monkeypatch: pytest.MonkeyPatch) -> None:
    audio, text = embeddings(50)
    order = np.argsort(-(text @ audio.T), axis=1)
    places = np.array([list(row).index(i) + 1 for i, row in enumerate(order)])
    monkeypatch.setattr("emorank.evaluation.retrieval._ROWS", 7)
    found = retrieval(audio, text)
    assert found.text_to_audio.recall == {k: pytest.approx((places <= k).mean()) for k in (1, 5, 10)}
    assert found.text_to_audio.median_rank == np.median(places)
    assert found.text_to_audio.map is None
    swapped = retrieval(text, audio)
    assert swapped.audio_to_text == found.text_to_audio


def test_ties_go_to_the_first() -> None:
    assert ranks_of(np.zeros((3, 3)), np.arange(3)).tolist() == [1, 2, 3]
    assert ranks_of(np.array([[0.5, 0.9, 0.5]]), np.array([2])).tolist() == [3]


def test_average_precision_agrees_with_another_library() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    similarity, right = rng.normal(size=(6, 30)), rng.random((6, 30)) < 0.3
    expected = [metrics.average_precision_score(r, s) for r, s in zip(right, similarity, strict=True)]
    np.testing.assert_allclose(average_precisions(similarity, right), expected)


def test_perfect_embeddings_find_everything() -> None:
    kinds = ["a", "b"] * 10
    points = np.array([[1.0, 0.0] if kind == "a" else [0.0, 1.0] for kind in kinds])
    found = retrieval(points, points, kinds)
    assert found.text_to_audio.map == found.audio_to_text.map == 1
    assert retrieval(np.eye(12), np.eye(12)).text_to_audio.recall[1] == 1
