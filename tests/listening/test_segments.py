"""Cutting: all speech is in a segment, segments are 2 to 10 s, ascending and apart."""

from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings

from emorank.errors import AudioError
from emorank.listening.segments import LONGEST, SHORTEST, cut, segments
from tests.conftest import voice

STEP = 0.032


@settings(max_examples=200, deadline=None)
@given(
    runs=st.lists(st.tuples(st.booleans(), st.integers(1, 700)), min_size=1, max_size=25),
    seed=st.integers(0, 1000),
)
def test_cut_holds_all_speech_in_spans_of_the_right_length(runs: list[tuple[bool, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = [rng.uniform(0.6, 1.0, n) if speech else rng.uniform(0.0, 0.2, n) for speech, n in runs]
    probabilities = np.concatenate(pieces)
    length = len(probabilities) * STEP
    if length < LONGEST:
        return
    spans = cut(probabilities, length)
    for start, end in spans:
        assert 0 <= start < end <= length + 1e-6
        assert end - start <= LONGEST + 1e-6
    assert all(left[1] <= right[0] + 1e-9 for left, right in pairwise(spans))
    for index in np.flatnonzero(probabilities >= 0.5):
        middle = (index + 0.5) * STEP
        assert any(start <= middle <= end for start, end in spans)


def test_a_short_word_gets_its_surroundings() -> None:
    probabilities = np.zeros(1000)
    probabilities[500:510] = 1
    ((start, end),) = cut(probabilities, 32.0)
    assert end - start == pytest.approx(SHORTEST, abs=1e-6)
    assert start < 16.0 < 16.3 < end


def test_sentences_with_breaths_between_are_one_segment_and_long_pauses_divide() -> None:
    probabilities = np.zeros(2000)
    for first, last in [(100, 180), (190, 260), (600, 700)]:
        probabilities[first:last] = 1
    spans = cut(probabilities, 64.0)
    assert len(spans) == 2
    assert spans[0][0] < 100 * STEP < 260 * STEP <= spans[0][1]


def test_a_monologue_is_divided_where_it_is_least_like_speech() -> None:
    probabilities = np.ones(500)
    probabilities[250] = 0.4
    spans = cut(probabilities, 16.0)
    assert len(spans) == 2
    assert spans[0][1] == pytest.approx(250.5 * STEP)


def test_short_recordings_are_one_segment(tmp_path: Path) -> None:
    wave = voice(9.9)
    soundfile.write(tmp_path / "a.wav", wave, 16_000)
    (only,) = segments(str(tmp_path / "a.wav"))
    assert (only.start, only.end) == (0.0, 9.9)
    np.testing.assert_allclose(only.wave, wave, atol=1e-4)


@pytest.mark.corpora
def test_long_recordings_give_the_samples_of_their_spans(corpora: Path, tmp_path: Path) -> None:
    clips = [soundfile.read(corpora / "ravdess" / "Actor_01" / f"03-01-05-01-0{i}-01-01.flac")[0] for i in (1, 2)]
    whole = np.concatenate([np.zeros(50_000), clips[0], np.zeros(120_000), clips[1], np.zeros(60_000)])
    soundfile.write(tmp_path / "long.flac", whole, 16_000)
    found = list(segments(str(tmp_path / "long.flac")))
    assert len(found) == 2
    for segment in found:
        first = round(segment.start * 16_000)
        np.testing.assert_allclose(segment.wave, whole[first : first + len(segment.wave)], atol=1e-4)
        assert SHORTEST - 0.01 <= segment.end - segment.start <= LONGEST
    speech = 50_000 + len(clips[0]) // 2
    assert found[0].start < speech / 16_000 < found[0].end


def test_silence_and_noise_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "short.wav", np.zeros(16_000), 16_000)
    soundfile.write(tmp_path / "long.wav", np.zeros(16_000 * 12), 16_000)
    with pytest.raises(AudioError, match="it is silent"):
        list(segments(str(tmp_path / "short.wav")))
    with pytest.raises(AudioError, match="no speech"):
        list(segments(str(tmp_path / "long.wav")))
