"""Clips as files hold what was cut."""

import io

import numpy as np
import pytest
import soundfile

from emorank.audio.excerpts import Excerpt
from emorank.errors import EmorankError
from emorank.taking.clips import encoded, same_sound
from tests.taking.conftest import noise


@pytest.mark.parametrize("format", ["wav", "flac"])
@pytest.mark.parametrize("bits", [16, 24])
def test_whole_numbers_stay_what_they_are(format: str, bits: int) -> None:
    samples = noise(5_000, 2, bits).astype(np.float32)
    samples[:2] = [[-1, 1 - 2.0 ** (1 - bits)]] * 2  # the extremes
    file = io.BytesIO(encoded(Excerpt(22_050, samples), format))
    about = soundfile.info(file)
    assert (about.format, about.subtype, about.samplerate) == (format.upper(), f"PCM_{bits}", 22_050)
    file.seek(0)
    read = soundfile.read(file, dtype="int32")[0]
    np.testing.assert_array_equal(read, np.rint(samples.astype(np.float64) * 2.0**31).astype(np.int64))


def test_what_needs_more_is_float_in_wav_and_rounded_in_flac() -> None:
    samples = np.random.default_rng(0).uniform(-1.2, 1.2, (4_000, 1)).astype(np.float32)
    wav = io.BytesIO(encoded(Excerpt(16_000, samples), "wav"))
    np.testing.assert_array_equal(soundfile.read(wav, dtype="float32", always_2d=True)[0], samples)
    flac = io.BytesIO(encoded(Excerpt(16_000, samples), "flac"))
    read = soundfile.read(flac, dtype="float64", always_2d=True)[0]
    assert np.abs(read - samples.clip(-1, 1)).max() <= 2.0**-23


@pytest.mark.parametrize(("rate", "written"), [(16_000, 16_000), (44_100, 48_000), (96_000, 48_000)])
def test_opus_sounds_alike(rate: int, written: int) -> None:
    time = np.arange(rate * 2) / rate
    tone = (0.3 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)
    read, found = soundfile.read(io.BytesIO(encoded(Excerpt(rate, np.stack([tone, tone], 1)), "opus")))
    assert (found, read.shape) == (written, (written * 2, 2))
    again = 0.3 * np.sin(2 * np.pi * 300 * np.arange(written * 2) / written)
    assert np.corrcoef(read[:, 0], again)[0, 1] > 0.99


def test_flac_has_eight_channels() -> None:
    with pytest.raises(EmorankError, match="FLAC holds 8 channels at most, the recording has 9; use wav"):
        encoded(Excerpt(16_000, np.zeros((10, 9), np.float32)), "flac")


def test_the_same_sound_is_recognised_and_another_is_not() -> None:
    one, other = (Excerpt(16_000, noise(16_000, 1, seed=seed).astype(np.float32) / 4) for seed in (1, 2))
    assert same_sound(encoded(one, "opus"), encoded(one, "opus"))
    assert not same_sound(encoded(one, "opus"), encoded(other, "opus"))
    assert not same_sound(encoded(one, "wav"), b"a text")
    assert not same_sound(encoded(one, "wav"), encoded(Excerpt(8_000, one.samples), "wav"))
