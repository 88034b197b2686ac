"""ParaCLAP's captions: syllables of speech-like sound whose number is known, and of real sentences."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

pytest.importorskip("parselmouth")

from emorank import audio
from emorank.captions import paraclap
from emorank.captions.paraclap import PROPERTIES, Praat, articulation_rate, phonation
from tests.conftest import voice

RATE = audio.SAMPLE_RATE
#: Syllables of EmoDB's sentences as they are written; fluent speakers swallow some.
EMODB = {"a01": 8, "a02": 9, "a04": 11, "a05": 18, "a07": 10, "b01": 15, "b02": 20, "b03": 24, "b09": 17, "b10": 14}


def buzz(seconds: float, pitch: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 12)) * 0.1


def spoken(syllables: int, rate: float, pitch: float = 140.0, dip: float = 0.1) -> np.ndarray:
    """So many swells of a buzz, between which the level falls to `dip` of its peak; no silence before or after."""
    tone = buzz(syllables / rate, pitch)
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * rate * np.arange(len(tone)) / RATE)
    return tone * (dip + (1 - dip) * swell)


def silence(seconds: float, level: float = 1e-4) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, round(seconds * RATE))


def measured(*sounds: np.ndarray) -> dict[str, float]:
    row = Praat()([np.concatenate(sounds).astype(np.float32)])[0]
    return dict(zip(PROPERTIES, map(float, row), strict=True))


@pytest.mark.parametrize("pitch", [95.0, 140.0, 260.0])
@pytest.mark.parametrize("rate", [2.0, 3.5, 5.0, 6.5])
def test_the_rate_is_syllables_a_second(rate: float, pitch: float) -> None:
    assert measured(spoken(14, rate, pitch))["articulation rate"] == pytest.approx(rate, rel=0.1)


def test_pauses_and_silence_around_speech_do_not_count() -> None:
    alone = measured(spoken(8, 4.0))["articulation rate"]
    around = measured(silence(2.0), spoken(8, 4.0), silence(1.5), spoken(8, 4.0), silence(4.0))
    assert around["articulation rate"] == pytest.approx(alone, rel=0.1)
    assert around["duration"] == 11.5


def test_a_voice_whose_envelope_is_known() -> None:
    assert measured(voice(6.0))["articulation rate"] == pytest.approx(2.2, rel=0.1)
    assert measured(voice(3.0), silence(2.0), voice(3.0, seed=1))["articulation rate"] == pytest.approx(2.2, rel=0.15)


@pytest.mark.parametrize("gain", [0.001, 0.05, 3.0])
def test_the_level_of_a_recording_does_not_matter(gain: float) -> None:
    sound = np.concatenate([spoken(10, 4.0), np.zeros(RATE)])
    assert measured(gain * sound)["articulation rate"] == pytest.approx(measured(sound)["articulation rate"], rel=0.02)


def test_swells_of_less_than_two_decibels_are_one_syllable() -> None:
    steady = measured(spoken(12, 4.0, dip=0.85))  # 1.4 dB
    assert steady["articulation rate"] < 1
    around = silence(0.5)
    assert measured(around, spoken(12, 4.0, dip=0.6), around)["articulation rate"] == pytest.approx(
        4.0, rel=0.1
    )  # 4.4 dB


def test_sound_without_a_voice_is_no_syllable() -> None:
    hiss = np.random.default_rng(0).normal(0, 0.05, RATE // 10)
    steps = [sound for _ in range(6) for sound in (hiss, silence(0.15))]
    alone, beside = measured(spoken(8, 4.0)), measured(spoken(8, 4.0), silence(0.5), *steps)
    assert beside["articulation rate"] <= alone["articulation rate"]
    assert np.isnan(measured(*steps)["articulation rate"])


@pytest.mark.parametrize(
    ("step", "loud", "speech"),
    [
        (0.1, "--####--####-----####---#----", "--##########-----####---#----"),
        (0.05, "--####--####-----####---#----", "--#######################----"),
        (0.05, "#########------#------#######", "#########-------------#######"),
    ],
)
def test_phonation_bridges_short_silences_and_leaves_out_pauses_and_clicks(step: float, loud: str, speech: str) -> None:
    frames = np.array([{"-": 30.0, "#": 70.0}[each] for each in loud])
    assert "".join("#" if heard else "-" for heard in phonation(frames, step)) == speech
    assert np.isnan(articulation_rate(np.array([70.0, 30.0, 30.0]), np.ones(3, bool), 0.05))


@pytest.mark.parametrize("samples", [0, 1, 100, 1360, 2047, 2048, 2049, 3000])
def test_sound_that_is_too_short_or_silent_has_what_can_be_measured(samples: int) -> None:
    for wave in (voice(1.0)[:samples], np.zeros(samples, np.float32)):
        row = Praat()([wave])[0]
        assert row[PROPERTIES.index("duration")] == pytest.approx(samples / RATE)
        assert not np.isinf(row).any()
    assert Praat()([]).shape == (0, 7)


def written(folder: Path, waves: dict[str, np.ndarray]) -> list[str]:
    for name, wave in waves.items():
        soundfile.write(folder / name, wave, RATE)
    return [str(folder / name) for name in waves]


def test_captions_say_what_is_high_and_leave_out_what_cannot_be_measured(tmp_path: Path) -> None:
    waves = {f"{rate}.wav": spoken(8, rate, 80 + 20 * rate) for rate in range(2, 8)}
    paths = written(tmp_path, waves | {"hiss.wav": silence(1.0, 0.05)})
    emotions = ["anger", "no agreement", None, "fear", "Other", "calm", "sadness"]
    table = pl.DataFrame({"path": paths, "emotion": emotions, "split": ["train"] * 7})
    slow, nobody, nothing, _, other, fast, hiss = paraclap.assign(table)
    assert slow is not None
    assert slow.startswith("speech has anger emotion and pitch is low and ")
    assert slow.endswith("articulation rate is low")
    assert fast is not None
    assert fast.endswith("articulation rate is high")
    assert (nobody, nothing, other) == (None, None, None)
    assert hiss is not None
    assert "pitch" not in hiss
    assert "articulation" not in hiss
    mute = paraclap.assign(table[:1], reference=table[6:])  # no pitch to compare with
    assert mute[0] is not None
    assert "pitch" not in mute[0]
    assert paraclap.assign(table[:1].with_columns(path=pl.lit("gone.wav"))) == [None]


@pytest.mark.corpora
def test_syllables_of_emodbs_sentences(corpora: Path) -> None:
    """Over half a corpus: the count follows what is said, and is as far off as the method's authors found it to be."""
    listed = pl.read_csv(corpora / "emodb" / "metadata.csv", infer_schema=False).filter(source="original_16k")[::6]
    said = np.array([EMODB[code] for code in listed["text_code"]])
    found = np.array([counted(corpora / "emodb" / name) for name in listed["file"]])
    assert np.corrcoef(said, found)[0, 1] > 0.85
    assert 0.7 < (found / said).mean() < 1.0
    assert np.abs(found / said - 1).mean() < 0.25


@pytest.mark.corpora
def test_syllables_of_ravdess_sentences(corpora: Path) -> None:
    """'Kids are talking by the door' and 'Dogs are sitting by the door' have seven, with seconds of silence around."""
    files = sorted((corpora / "ravdess").glob("Actor_*/*.flac"))[::24]
    found = np.array([counted(path) for path in files])
    assert 6.5 < found.mean() < 7.7
    assert np.abs(found - 7).mean() < 1.0
    assert found.max() < 12


def counted(path: Path) -> float:
    """Syllables: the rate times the seconds that it was taken over."""
    import parselmouth

    wave = audio.load(str(path))
    intensity = parselmouth.Sound(wave.astype(np.float64), RATE).to_intensity(50.0)
    seconds = phonation(intensity.values[0], intensity.dx).sum() * intensity.dx
    return measured(wave)["articulation rate"] * seconds
