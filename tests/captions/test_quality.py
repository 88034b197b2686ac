"""The quality of captions: each number against cases whose answer is known."""

import numpy as np
import pytest

from emorank.captions import bundled
from emorank.captions.bank import Split
from emorank.captions.quality import coverage, quality
from emorank.captions.rules import violation

SPLITS: tuple[Split, ...] = ("train", "development", "test")


def embedded(points: np.ndarray, dims: int = 3) -> np.ndarray:
    """Points of the plane on a patch of the unit sphere, so that cosine distance grows with distance on the plane."""
    flat = np.c_[(points - 4) / 20, np.ones(len(points))]
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def unlike(count: int) -> list[str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return [f"a {letters[i % 26] * 3}{letters[i // 26] * 2} voice" for i in range(count)]


def test_order_is_one_where_words_follow_feelings_and_chance_where_they_do_not() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(1, 7, (400, 2))
    ordered = quality(unlike(400), points, embedded(points))
    assert ordered.spearman > 0.99
    assert ordered.local_order > 0.99
    shuffled = quality(unlike(400), points, embedded(points)[rng.permutation(400)])
    assert abs(shuffled.spearman) < 0.05
    assert abs(shuffled.local_order - 0.5) < 0.05


def test_diversity_counts_words_pairs_and_repetitions() -> None:
    texts = ["a low voice", "A low voice!", "a soft and low voice", "a soft and high voice"]
    points = np.full((4, 2), 4.0)
    found = quality(texts, points, np.ones((4, 1)))
    assert found.captions == 4
    assert found.distinct_captions == 3 / 4
    assert found.distinct_1 == 6 / 13  # a low voice soft and high
    assert found.distinct_2 == 7 / 10
    assert found.near_duplicates == 2 / 3
    assert found.words == 13 / 3
    assert found.faulty == 0
    assert quality(["arousal 7 out of 7", *texts[:3]], points, np.ones((4, 1))).faulty == 1 / 4


def test_coverage_counts_every_caption_once() -> None:
    points = np.array([[1.0, 7.0], [1.2, 7.0], [4.0, 4.0], [0.5, 0.5], [7.0, 1.0]])
    counts = coverage(points)
    assert counts.shape == (13, 13)
    assert counts.sum() == 5
    assert counts[12, 0] == 2  # arousal by valence
    assert counts[0, 0] == counts[6, 6] == counts[0, 12] == 1
    assert coverage(np.zeros((0, 2))).sum() == 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_captions_are_measured_too(count: int) -> None:
    found = quality(unlike(count), np.full((count, 2), 4.0), np.ones((count, 1)))
    assert found.captions == count
    assert found.spearman == 0


def test_the_bank_keeps_the_rules_of_captions_that_are_asked_for_but_for_a_few() -> None:
    """Rules that good captions break would only cost calls. Directions in brackets are not what is asked for."""
    texts = [text.strip("()") for split in SPLITS for text in bundled(split).texts]
    faulty = [text for text in texts if violation(text)]
    assert len(faulty) < 0.01 * len(texts), faulty[:20]
