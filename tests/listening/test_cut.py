"""Cutting: all speech is in a segment, segments are 1 to 10 s, ascending and apart; pauses first, then voices."""

from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from emorank.audio import SAMPLE_RATE
from emorank.listening.cut import LONGEST, SHORTEST, cut
from emorank.listening.speech import CHUNK, TIMBRE

STEP = CHUNK / SAMPLE_RATE
Span = tuple[float, float]


def timbre(chunks: int, seed: int = 0, voice: float = 0.0) -> np.ndarray:
    """A voice: the same distribution for every chunk, somewhere else for another voice."""
    return (voice + np.random.default_rng(seed).standard_normal((chunks, TIMBRE))).astype(np.float32)


def seconds(probabilities: np.ndarray, sounds: np.ndarray | None = None) -> list[Span]:
    spans = cut(probabilities, timbre(len(probabilities)) if sounds is None else sounds)
    return [(first / SAMPLE_RATE, last / SAMPLE_RATE) for first, last in spans]


def speaking(chunks: int, *phrases: tuple[int, int]) -> np.ndarray:
    probabilities = np.zeros(chunks)
    for first, last in phrases:
        probabilities[first:last] = 1
    return probabilities


@settings(max_examples=200, deadline=None)
@given(
    runs=st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.6, 0.9]), st.integers(1, 350)), min_size=1, max_size=10),
    seed=st.integers(0, 1000),
)
def test_cut_holds_all_speech_in_spans_of_the_right_length(runs: list[tuple[float, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = np.concatenate([level + rng.uniform(-0.1, 0.1, count) for level, count in runs])
    spans = seconds(probabilities, timbre(len(probabilities), seed, rng.uniform(0, 3)))
    for start, end in spans:
        assert 0 <= start < end <= len(probabilities) * STEP
        assert end - start <= LONGEST
    assert all(left[1] <= right[0] for left, right in pairwise(spans))
    edges = np.flatnonzero(np.diff(probabilities >= 0.35, prepend=False, append=False)).reshape(-1, 2)
    for first, last in edges:
        speech = first + np.flatnonzero(probabilities[first:last] >= 0.5)
        if len(speech) and last - speech[0] > 3:  # not a click
            middles = (speech[:, None] + 0.5) * STEP
            assert np.all(np.any([(start <= middles) & (middles <= end) for start, end in spans], 0))


def test_a_short_word_gets_its_surroundings() -> None:
    ((start, end),) = seconds(speaking(1000, (500, 510)))
    assert end - start == pytest.approx(SHORTEST, abs=1e-3)
    assert start < 16.0 < 16.3 < end


def test_a_click_is_not_a_voice() -> None:
    assert seconds(speaking(1000, (500, 503))) == []


def test_margins_end_in_the_middle_of_a_pause() -> None:
    (_, end), (start, _) = seconds(speaking(200, (20, 60), (64, 100)), np.repeat([[0.0], [9.0]], [62, 138], 0))
    assert end == start == pytest.approx(62 * STEP)


@pytest.mark.parametrize(("pause", "other", "segments"), [(8, 0.0, 1), (8, 2.0, 2), (18, 0.0, 2), (18, 2.0, 2)])
def test_a_short_pause_parts_two_voices_and_a_long_one_all(pause: int, other: float, segments: int) -> None:
    probabilities = speaking(250, (30, 100), (100 + pause, 200))
    sounds = np.concatenate([timbre(100 + pause, 0), timbre(150 - pause, 1, other)])
    assert len(seconds(probabilities, sounds)) == segments


def test_a_dip_without_a_pause_parts_two_voices() -> None:
    probabilities = speaking(250, (30, 200))
    probabilities[110:112] = 0.6
    sounds = np.concatenate([timbre(111, 0), timbre(139, 1, 2.0)])
    assert seconds(probabilities)[0][1] > 200 * STEP
    assert seconds(probabilities, sounds)[0][1] == pytest.approx(110 * STEP)


def test_a_short_phrase_goes_to_the_nearer_neighbour() -> None:
    probabilities = speaking(300, (30, 100), (110, 125), (130, 200))
    sounds = np.concatenate([timbre(105, 0), timbre(22, 1, 3.0), timbre(173, 2, 6.0)])
    left, right = seconds(probabilities, sounds)
    assert left[1] < 110 * STEP
    assert right[0] < 110 * STEP < 200 * STEP < right[1]


def test_a_monologue_is_divided_where_it_is_least_like_speech() -> None:
    probabilities = np.ones(500)
    probabilities[250] = 0.7
    spans = seconds(probabilities)
    assert [end for _, end in spans] == pytest.approx([250 * STEP, 500 * STEP])


def test_nothing_is_cut_from_nothing() -> None:
    assert seconds(np.zeros(100)) == []
    assert seconds(np.zeros(0)) == []
