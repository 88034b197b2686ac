"""Segments of whole recordings: nothing is lost, nothing overlaps, and neither level nor blocks change them."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from emorank import audio
from emorank.errors import AudioError
from emorank.listening.segments import LONGEST, SHORTEST, NoSpeech, Segment, _stretches, segments, spoken
from emorank.listening.speech import CHUNK, TIMBRE, Listened, heard
from tests.conftest import drums, voice

SAMPLES = Path(__file__).parents[2] / "samples"
RATE = 16_000


def found(wave: np.ndarray, size: int = 480_000) -> list[Segment]:
    return list(segments("recording", (wave[start : start + size] for start in range(0, len(wave), size))))


def spans(pieces: list[Segment]) -> list[tuple[float, float]]:
    return [(piece.start, piece.end) for piece in pieces]


def covered(pieces: list[tuple[float, float]]) -> np.ndarray:
    """Which hundredths of a second of half a minute are in a segment."""
    times = np.arange(3000) / 100
    return np.any([(times >= start) & (times < end) for start, end in pieces], 0)


@pytest.fixture(scope="module")
def conversation() -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Every second sample with 0.6 to 1.1 s between, and the seconds where each speaks."""
    pieces, places, position = [np.zeros(8000, np.float32)], [], 8000
    for index, path in enumerate(sorted(SAMPLES.glob("*-*-1.ogg"))):
        wave = audio.load(path)
        loud = position + np.flatnonzero(np.abs(wave) > 0.03 * np.abs(wave).max())
        places.append((float(loud[0]) / RATE, float(loud[-1]) / RATE))
        pieces += [wave, np.zeros(9600 + 800 * (index % 10), np.float32)]
        position += len(wave) + len(pieces[-1])
    return np.concatenate(pieces), places


@pytest.mark.parametrize("seconds", [0.3, 9.9, 10.0])
def test_short_recordings_are_one_segment(seconds: float) -> None:
    wave = voice(seconds)
    (only,) = found(wave, 10_000)
    assert (only.start, only.end) == (0.0, seconds)
    np.testing.assert_array_equal(only.wave, wave)


def test_each_clip_is_in_a_segment_of_its_own(conversation: tuple[np.ndarray, list[tuple[float, float]]]) -> None:
    wave, places = conversation
    pieces = found(wave)
    for piece in pieces:
        first = round(piece.start * RATE)
        np.testing.assert_array_equal(piece.wave, wave[first : first + len(piece.wave)])
        assert piece.end - piece.start == pytest.approx(len(piece.wave) / RATE)
        assert SHORTEST - 0.01 <= piece.end - piece.start <= LONGEST
        assert sum(min(piece.end, end) - max(piece.start, start) > 0.2 for start, end in places) == 1
    assert all(left.end <= right.start for left, right in pairwise(pieces))
    for start, end in places:
        held = sum(max(0.0, min(piece.end, end) - max(piece.start, start)) for piece in pieces)
        assert held > 0.98 * (end - start)


def test_how_long_somebody_speaks(conversation: tuple[np.ndarray, list[tuple[float, float]]]) -> None:
    wave, _ = conversation
    probable = np.repeat(heard(wave) >= 0.35, CHUNK)  # of every sample
    for piece in found(wave):
        first, last = round(piece.start * RATE), round(piece.end * RATE)
        assert piece.speech == pytest.approx(probable[first:last].sum() / RATE, abs=2 * CHUNK / RATE)
        assert 0.3 * (piece.end - piece.start) < piece.speech <= piece.end - piece.start + CHUNK / RATE


def test_a_clip_says_how_long_somebody_speaks_in_it() -> None:
    wave = audio.load(SAMPLES / "calm-ann-1.ogg")
    (whole,) = found(wave)
    half = len(wave) // 2
    assert whole.speech == spoken("it", wave) == pytest.approx(2.8, abs=0.3)
    assert 0.3 < spoken("it", wave[:half]) < 0.7 * whole.speech
    (only,) = found(drums(4.0))
    assert only.speech == 0.0
    with pytest.raises(NoSpeech, match="it is silent"):
        spoken("it", np.zeros(RATE, np.float32))


@settings(max_examples=5, deadline=None)
@given(gain=st.floats(-60, 20), size=st.integers(400, 300_000))
def test_level_and_blocks_change_nothing(
    conversation: tuple[np.ndarray, list[tuple[float, float]]], gain: float, size: int
) -> None:
    wave = conversation[0][: 30 * RATE]
    assert spans(found((wave * 10 ** (gain / 20)).astype(np.float32), size)) == spans(found(wave))


def test_minus_69_db_in_16_bits_gives_the_same_moments(
    conversation: tuple[np.ndarray, list[tuple[float, float]]],
) -> None:
    wave = conversation[0][: 30 * RATE]
    quiet = np.round(wave / wave.std() * 10 ** (-69 / 20) * 32768) / 32768
    heard, right = (covered(spans(found(some.astype(np.float32)))) for some in (quiet, wave))
    assert np.mean(heard == right) > 0.98


def test_a_recording_is_read_once_and_never_held() -> None:
    """Speech without a pause for ten minutes: stretches of at most a minute, given as they come."""
    read = 0

    def pages() -> Iterator[Listened]:
        nonlocal read
        for _ in range(37):
            read += 512
            yield Listened(np.zeros(512 * CHUNK, np.float32), np.full(512, 0.9), np.zeros((512, TIMBRE)))

    end = 0
    for begin, stretch in _stretches(pages()):
        assert begin == end
        assert len(stretch.probabilities) <= 1875
        end = begin + len(stretch.wave)
        assert read - end / CHUNK < 1875 + 512
    assert end == 37 * 512 * CHUNK


@settings(max_examples=30, deadline=None)
@given(
    runs=st.lists(st.tuples(st.sampled_from([0.0, 0.4, 0.9]), st.integers(1, 2500)), min_size=1, max_size=4),
    page=st.integers(1, 700),
)
def test_stretches_follow_each_other_whatever_the_pages(runs: list[tuple[float, int]], page: int) -> None:
    probabilities = np.concatenate([np.full(count, level) for level, count in runs])

    def cuts(size: int) -> list[tuple[int, int]]:
        parts = np.split(probabilities, range(size, len(probabilities), size))
        pages = (
            Listened(np.zeros(len(part) * CHUNK, np.float32), part, np.zeros((len(part), TIMBRE))) for part in parts
        )
        return [(begin, len(stretch.wave)) for begin, stretch in _stretches(pages)]

    once = cuts(512)
    assert [begin for begin, _ in once] == [0, *np.cumsum([length for _, length in once])[:-1].tolist()]
    assert sum(length for _, length in once) == len(probabilities) * CHUNK
    assert cuts(page) == once


@pytest.mark.parametrize("seconds", [1.0, 12.0])
def test_silence_and_noise_are_refused(seconds: float) -> None:
    noise = (0.03 * np.random.default_rng(0).standard_normal(round(seconds * RATE))).astype(np.float32)
    with pytest.raises(AudioError, match="recording: it is silent"):
        found(0 * noise)
    with pytest.raises(AudioError, match=r"no voice|no speech"):
        found(noise)
    with pytest.raises(AudioError, match="it is silent"):
        found(noise[:0])


@pytest.mark.corpora
def test_real_voices_are_kept_apart(corpora: Path) -> None:
    folder = corpora / "ravdess" / "Actor_17"
    left, right = (audio.load(folder / f"03-01-05-01-0{sentence}-01-17.flac") for sentence in (1, 2))
    pauses = [np.zeros(count, np.float32) for count in (50_000, 120_000, 60_000)]
    first, second = found(np.concatenate([pauses[0], left, pauses[1], right, pauses[2]]))
    assert first.start < (50_000 + len(left) / 2) / RATE < first.end
    assert second.start < (170_000 + len(left) + len(right) / 2) / RATE < second.end
