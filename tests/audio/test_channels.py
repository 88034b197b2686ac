"""Which channels are heard, and how."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank import audio
from emorank.audio import Channel
from emorank.audio.channels import Likeness, decide, parse_policy
from emorank.errors import AudioError, EmorankError
from tests.audio.encode import encode, rms
from tests.conftest import voice

RATE = 16_000
NOISE = np.random.default_rng(0).standard_normal(60 * RATE).astype(np.float32)
ANN, BEN = voice(8.0, 210.0, seed=1), voice(8.0, 110.0, seed=5)
BEN[: 2 * RATE] *= 0.02  # they do not breathe together
ANN[5 * RATE :] *= 0.02
QUIET = np.zeros_like(ANN)


def write(path: Path, *channels: np.ndarray, rate: int = RATE) -> Path:
    soundfile.write(path, np.stack(channels, 1), rate, format="WAV", subtype="FLOAT")
    return path


def heard(path: Path, policy: audio.Policy = "auto") -> list[tuple[int | None, tuple[int, ...]]]:
    return [(channel.number, channel.inputs) for channel in audio.channels_of(path, policy)]


def alike(one: np.ndarray, other: np.ndarray) -> float:
    return float(abs(np.corrcoef(one, other)[0, 1]))


@pytest.mark.parametrize("level", [1.0, 0.5, -1.0, -0.2])
def test_the_same_in_both(tmp_path: Path, level: float) -> None:
    path = write(tmp_path / "a.wav", ANN, level * ANN)
    assert heard(path) == [(None, (1, 2))]
    wave = audio.load(path)
    assert alike(wave, ANN) > 0.9999
    assert rms(wave) == pytest.approx(rms(ANN) * (1 + abs(level)) / 2, rel=1e-3)


def test_two_people(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", ANN, BEN)
    assert heard(path) == [(1, (1,)), (2, (2,))]
    reading = audio.Reading(path)
    for channel, right in zip(reading.channels, (ANN, BEN), strict=True):
        np.testing.assert_allclose(reading.load(channel), right, atol=1e-6)
        np.testing.assert_allclose(audio.load(path, channel=channel), right, atol=1e-6)
    assert heard(path, "mix") == [(None, (1, 2))]
    np.testing.assert_allclose(audio.load(path), (ANN + BEN) / 2, atol=1e-6)


@pytest.mark.parametrize("leak", [0.01, 0.1, 0.2, -0.2])
@pytest.mark.parametrize("loudness", [1.0, 0.03])
@pytest.mark.parametrize("delay", [0, 40])
def test_two_people_who_are_heard_in_both(tmp_path: Path, leak: float, loudness: float, delay: int) -> None:
    ben = loudness * BEN
    path = write(tmp_path / "a.wav", ANN + leak * np.roll(ben, delay), ben + leak * loudness * np.roll(ANN, delay))
    assert heard(path) == [(1, (1,)), (2, (2,))]


@pytest.mark.parametrize("level", [0.001, 0.1, 1.0])
def test_noise_does_not_hide_the_voice(tmp_path: Path, level: float) -> None:
    path = write(tmp_path / "a.wav", level * NOISE[: len(ANN)], ANN)
    assert heard(path) == [(None, (2,))]
    np.testing.assert_allclose(audio.load(path), ANN, atol=1e-6)


def test_a_voice_and_the_same_with_noise(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", ANN, ANN + rms(ANN) * NOISE[: len(ANN)])
    (channel,) = audio.channels_of(path)
    assert channel.weights[0] > 0.9
    assert alike(audio.load(path), ANN) > 0.99


def test_silence_does_not_halve_the_level(tmp_path: Path) -> None:
    for channels in ((ANN, QUIET), (QUIET, ANN), (QUIET, ANN, QUIET)):
        np.testing.assert_allclose(audio.load(write(tmp_path / "a.wav", *channels)), ANN, atol=1e-6)
    assert rms(audio.load(write(tmp_path / "a.wav", QUIET, QUIET))) == 0


def test_the_same_voice_from_elsewhere_in_the_room(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", ANN, 0.7 * np.roll(ANN, 80))
    assert len(heard(path)) == 1
    assert alike(audio.load(path), ANN) > 0.99


def test_an_offset_makes_nobody_alike(tmp_path: Path) -> None:
    assert len(heard(write(tmp_path / "a.wav", ANN + 0.3, BEN + 0.3))) == 2
    assert len(heard(write(tmp_path / "b.wav", ANN + 0.3, 0 * BEN + 0.3))) == 1


def test_three_channels_of_two_people(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", ANN, BEN, -0.5 * ANN)
    assert heard(path) == [(1, (1, 3)), (2, (2,))]
    assert alike(audio.load(path, channel=audio.channels_of(path)[0]), ANN) > 0.9999


def test_each_and_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", ANN, ANN, QUIET)
    assert heard(path, "each") == [(1, (1,)), (2, (2,)), (3, (3,))]
    assert heard(path, 2) == [(2, (2,))]
    with pytest.raises(AudioError, match=r"it has 3 channels; there is no channel 4\."):
        audio.Reading(path, 4)
    soundfile.write(path, ANN, RATE)
    assert heard(path, "each") == heard(path) == [(None, (1,))]
    assert heard(path, 1) == [(1, (1,))]
    with pytest.raises(AudioError, match=r"it has one channel; there is no channel 2\."):
        audio.Reading(path, 2)


@pytest.mark.parametrize(("said", "meant"), [("auto", "auto"), ("mix", "mix"), ("each", "each"), ("2", 2), (3, 3)])
def test_policies(said: str | int, meant: audio.Policy) -> None:
    assert parse_policy(said) == meant


@pytest.mark.parametrize("said", ["", "left", "0", -1, "1.5"])
def test_what_is_no_policy(said: str | int) -> None:
    with pytest.raises(EmorankError, match="auto, mix, each, or the number of a channel"):
        parse_policy(said)


@pytest.mark.parametrize(("container", "codec", "rate"), [("mp3", "libmp3lame", 44_100), ("ogg", "libopus", 48_000)])
def test_compressed(tmp_path: Path, container: str, codec: str, rate: int) -> None:
    ann, ben = (
        np.interp(np.arange(8 * rate) / rate, np.arange(8 * RATE) / RATE, wave).astype(np.float32)
        for wave in (ANN, BEN)
    )
    encode(tmp_path / "a", container, codec, np.stack([ann, ben]), rate, bit_rate=128_000)
    reading = audio.Reading(tmp_path / "a")
    assert [channel.number for channel in reading.channels] == [1, 2]
    for channel, right in zip(reading.channels, (ANN, BEN), strict=True):
        assert alike(reading.load(channel)[: 7 * RATE], right[: 7 * RATE]) > 0.9
    encode(tmp_path / "b", container, codec, np.stack([ann, -ann]), rate, bit_rate=128_000)
    assert alike(audio.load(tmp_path / "b")[: 7 * RATE], ANN[: 7 * RATE]) > 0.9


def test_eight_channels(tmp_path: Path) -> None:
    encode(tmp_path / "a.mka", "matroska", "flac", np.stack([QUIET] * 6 + [ANN, BEN]), RATE)
    assert heard(tmp_path / "a.mka") == [(7, (7,)), (8, (8,))]
    encode(tmp_path / "a.opus", "ogg", "libopus", np.stack([QUIET] * 6 + [ANN, QUIET]), 48_000, bit_rate=256_000)
    assert audio.channels_of(tmp_path / "a.opus")[0].number is None


def test_more_channels_than_are_compared(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", *[ANN, -ANN] * 10, *[QUIET] * 80)
    assert heard(path) == [(None, tuple(range(1, 21)))]


def test_the_number_of_channels_changes_on_the_way(tmp_path: Path) -> None:
    parts = []
    for wave in (ANN, np.stack([ANN, BEN])):
        parts.append(encode(tmp_path / "p.mp3", "mp3", "libmp3lame", wave, RATE).read_bytes())
    for name, order in (("a.mp3", (0, 1)), ("b.mp3", (1, 0))):
        (tmp_path / name).write_bytes(b"".join(parts[index] for index in order))
        for channel in audio.channels_of(tmp_path / name):
            wave = audio.load(tmp_path / name, channel=channel)
            assert len(wave) == pytest.approx(2 * len(ANN), abs=800)
            alone = wave[: len(ANN)] if order[0] == 0 else wave[-len(ANN) :]
            assert alike(alone, ANN) > 0.95


def test_the_same_file_is_decided_once_and_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.wav", ANN, BEN)
    once = audio.channels_of(path)
    monkeypatch.setattr(audio.Reading, "_likeness", lambda self: pytest.fail("it was decided before"))
    assert audio.channels_of(path) == once
    monkeypatch.undo()
    write(path, ANN, ANN)
    assert audio.channels_of(path) != once


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60_000), st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_however_it_is_cut_into_pieces(size: int, seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    sound = np.stack([voice(2.0, pitch=100 + 30 * index, seed=index) for index in range(channels)], 1)
    sound = sound @ rng.standard_normal((channels, channels)).astype(np.float32)
    whole, pieces = Likeness(channels), Likeness(channels)
    whole.add(RATE, sound)
    for at in range(0, len(sound), size):
        pieces.add(RATE, sound[at : at + size])
    for likeness in (whole, pieces):
        for policy in ("auto", "mix"):
            decided = decide(likeness, policy)
            assert all(sum(map(abs, channel.weights)) == pytest.approx(1) for channel in decided)
            assert all(len(channel.weights) == channels for channel in decided)
            numbers = [channel.number for channel in decided]
            assert numbers == [None] or numbers == sorted(set(numbers))
            assert policy == "auto" or len(decided) == 1


def test_inputs() -> None:
    assert Channel((0.5, 0.0, -0.5)).inputs == (1, 3)
