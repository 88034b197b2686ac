"""Ranking: best first, ties by path and start, the clip itself left out."""

import numpy as np

from emorank.search.index import Segments
from emorank.search.query import rank


def four() -> Segments:
    embeddings = np.array([[1, 0], [0.6, 0.8], [1, 0], [0, 1]], np.float32)
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    return Segments(
        ["a", "a", "b", "c"],
        np.array([0.0, 3.0, 0.0, 0.0]),
        np.array([3.0, 6.0, 2.0, 1.0]),
        embeddings,
        points,
        np.full(4, -20.0, np.float32),
    )


def test_best_first_with_ties_in_order() -> None:
    hits = rank(four(), np.array([1, 0], np.float32), top=3)
    assert [(hit.path, hit.start, hit.score) for hit in hits] == [("a", 0.0, 1.0), ("b", 0.0, 1.0), ("a", 3.0, 0.6)]
    assert (hits[2].valence, hits[2].arousal, hits[2].dominance) == (3.0, 4.0, 5.0)


def test_a_recording_can_be_left_out() -> None:
    hits = rank(four(), np.array([1, 0], np.float32), top=10, without="a")
    assert [hit.path for hit in hits] == ["b", "c"]
