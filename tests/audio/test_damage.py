"""What cannot be heard is named with its place and length; what can be heard is used."""

import contextlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.audio.damage import Damage, Damages
from emorank.errors import AudioError
from tests.audio.encode import encode, rms
from tests.conftest import voice

RATE = 16_000


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (Damage("unreadable", 192.4, 0.31, 4096), "4 kB unreadable at 3:12.4, 0.3 s lost"),
        (Damage("unreadable", 3725.0, 12.0, 700), "700 bytes unreadable at 1:02:05.0, 12.0 s lost"),
        (Damage("unreadable", 59.97, 0.004), "unreadable at 1:00.0, 0.1 s lost"),
        (Damage("unreadable", 1.0, None, 2_000_000), "2000 kB unreadable at 0:01.0"),
        (Damage("cut", 12.0, 8.0), "ends early: 12.0 of 20.0 s"),
        (Damage("cut", 12.04, None), "ends early: at 12.0 s, of an unknown length"),
    ],
)
def test_sentences(damage: Damage, said: str) -> None:
    assert str(damage) == said


def test_losses_close_together_are_one() -> None:
    damages = Damages()
    for at in (1.0, 1.3, 1.9, 9.0):
        damages.note(Damage("unreadable", at, 0.2, 100))
    damages.note(Damage("unreadable", 9.2, 0.1, None))
    damages.note(Damage("cut", 9.4, 3.0))
    assert damages.all() == (
        Damage("unreadable", 1.0, pytest.approx(0.6), 300),
        Damage("unreadable", 9.0, pytest.approx(0.3), None),
        Damage("cut", 9.4, 3.0),
    )


def with_a_hole(path: Path, wave: np.ndarray, container: str, codec: str, size: int = 4096) -> bytes:
    encode(path, container, codec, wave, RATE)
    data = path.read_bytes()
    at = len(data) * 3 // 4
    path.write_bytes(data[:at] + bytes(size) + data[at + size :])
    return data


@pytest.mark.parametrize(
    ("container", "codec"), [("mp3", "libmp3lame"), ("adts", "aac"), ("ipod", "aac"), ("flac", "flac"), ("flv", "aac")]
)
def test_sound_after_a_hole_is_where_it_was(tmp_path: Path, container: str, codec: str) -> None:
    beep = np.zeros(20 * RATE, np.float32)
    beep[:] = 1e-3 * np.random.default_rng(0).standard_normal(len(beep))
    beep[18 * RATE : 19 * RATE] = voice(1.0)
    rate = 44_100 if container == "flv" else RATE
    if rate != RATE:
        beep = np.interp(np.arange(20 * rate) / rate, np.arange(len(beep)) / RATE, beep).astype(np.float32)
    path = tmp_path / "a"
    encode(path, container, codec, beep, rate)
    intact = audio.load(path)
    data = path.read_bytes()
    at = len(data) // 2
    path.write_bytes(data[:at] + bytes(4096) + data[at + 4096 :])
    reading = audio.Reading(path)
    wave = reading.load()
    (damage,) = reading.damage
    assert damage.kind == "unreadable"
    assert damage.at == pytest.approx(10.0, abs=1.5)
    assert len(wave) == pytest.approx(len(intact), abs=0.06 * RATE)
    begins = [np.flatnonzero(np.abs(found) > 0.05)[0] / 16_000 for found in (intact, wave)]
    assert begins[0] == pytest.approx(begins[1], abs=0.06)
    lost = wave[round((damage.at + 0.01) * 16_000) : round((damage.at + damage.seconds - 0.01) * 16_000)]
    assert np.abs(lost).max() < 1e-3


def test_the_example_of_the_issue(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    with_a_hole(path, voice(16.0), "mp3", "libmp3lame")
    reading = audio.Reading(path)
    assert reading.damage == ()  # nothing was read yet
    seconds = sum(map(len, reading.blocks())) / 16_000
    (damage,) = reading.damage
    assert str(damage).startswith("4 kB unreadable at 0:1")
    assert seconds == pytest.approx(16.0, abs=0.05)
    list(reading.blocks(start=1.0, end=2.0))
    list(reading.blocks())
    assert reading.damage == (damage,)  # again and again the same
    with pytest.raises(AudioError, match="4 kB unreadable"):
        list(audio.Reading(path, strict=True).blocks())


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "mp3", "ogg"])
def test_cut_off(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    soundfile.write(path, voice(5.0), RATE)
    whole = audio.load(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reading = audio.Reading(path)
    wave = reading.load()
    np.testing.assert_allclose(wave[:24_000], whole[:24_000], atol=2e-3)
    (damage,) = reading.damage
    assert damage.kind == "cut"
    assert damage.at == pytest.approx(len(wave) / 16_000, abs=0.01)
    if suffix != "ogg":
        assert damage.at + damage.seconds == pytest.approx(5.0, abs=0.05)


def test_ten_hours_in_a_header_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, voice(0.5), RATE)
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] & 0xF0, *(RATE * 36_000).to_bytes(4, "big")])  # total samples of STREAMINFO
    path.write_bytes(data)
    reading = audio.Reading(path)
    assert len(reading.load()) == 8_000
    assert [str(damage) for damage in reading.damage] == ["ends early: 0.5 of 36000.0 s"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_that_are_no_numbers(tmp_path: Path, bad: float, channels: int) -> None:
    path, wave = tmp_path / "a.wav", voice(2.0)
    broken = np.stack([wave] * channels, 1)
    broken[16_000:16_800] = bad
    soundfile.write(path, broken, RATE, subtype="FLOAT")
    reading = audio.Reading(path)
    loaded = reading.load()
    assert np.isfinite(loaded).all()
    assert np.abs(loaded[16_000:16_800]).max() < 1e-3
    np.testing.assert_allclose(loaded[:15_900], wave[:15_900], atol=1e-3)
    assert [str(damage) for damage in reading.damage] == ["unreadable at 0:01.0, 0.1 s lost"]
    soundfile.write(path, np.full_like(broken, bad), RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match="not audio, or damaged beyond decoding"):
        audio.load(path)


@pytest.mark.parametrize("container", ["mp3", "adts", "ipod", "webm", "ogg"])
def test_when_nothing_is_left_it_is_refused(tmp_path: Path, container: str) -> None:
    path = tmp_path / "a"
    codec, rate = {"mp3": ("libmp3lame", RATE), "webm": ("libopus", 48_000), "ogg": ("libopus", 48_000)}.get(
        container, ("aac", RATE)
    )
    encode(path, container, codec, voice(3.0, rate=rate), rate)
    data = bytearray(path.read_bytes())
    begin, end = 700, len(data) - (2000 if container == "ipod" else 0)
    data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    try:
        reading = audio.Reading(path)
        wave = reading.load()
    except AudioError as error:
        refused = error.reason
    else:
        refused = None
        assert rms(wave) < 0.2 * rms(voice(3.0))  # some frames stand before the hole
        assert reading.damage
    assert refused in (None, "it is not audio, or damaged beyond decoding.", "it holds no samples.")


def test_a_sentence_for_an_mp4_without_its_contents(tmp_path: Path) -> None:
    encode(tmp_path / "a.m4a", "ipod", "aac", voice(3.0), RATE)
    data = (tmp_path / "a.m4a").read_bytes()
    (tmp_path / "a.m4a").write_bytes(data[: data.index(b"moov") - 4])
    with pytest.raises(AudioError, match="cut off before its table of contents was written"):
        audio.load(tmp_path / "a.m4a")


def test_nothing_is_written_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wave = voice(6.0)
    for name, container, codec in (
        ("a.mp3", "mp3", "libmp3lame"),
        ("a.m4a", "ipod", "aac"),
        ("a.flac", "flac", "flac"),
    ):
        with_a_hole(tmp_path / name, wave, container, codec)
        audio.load(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(AudioError) if name == "a.m4a" else contextlib.nullcontext():
            audio.load(tmp_path / name)
    (tmp_path / "b.mp3").write_bytes(os.urandom(20_000))
    with pytest.raises(AudioError):
        audio.load(tmp_path / "b.mp3")
    assert capfd.readouterr() == ("", "")


def test_what_stands_between_frames_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    encode(path, "mp3", "libmp3lame", voice(4.0), RATE)
    data = path.read_bytes()
    path.write_bytes(bytes(3_000) + data + b"APETAGEX" + b"x" * 500 + b"TAG" + b"y" * 125 + bytes(2_000))
    reading = audio.Reading(path)
    assert len(reading.load()) / 16_000 == pytest.approx(4.0, abs=0.06)
    assert reading.damage == ()


def test_silence_in_place_of_what_is_lost_keeps_its_level(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    with_a_hole(path, voice(12.0) + 0.3, "mp3", "libmp3lame")
    reading = audio.Reading(path)
    wave = reading.load()
    (damage,) = reading.damage
    lost = wave[round((damage.at + 0.05) * 16_000) : round((damage.at + damage.seconds - 0.05) * 16_000)]
    assert rms(lost) < 1e-3  # not at -0.3, where taking away the offset would put it
    assert abs(wave[: 8 * RATE].mean()) < 1e-3
