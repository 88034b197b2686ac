"""A clip as the bytes of a file: WAV, FLAC or Opus, without a loss that the format does not force."""

import io
from typing import Any, Literal

import numpy as np

from emorank.audio.excerpts import Excerpt
from emorank.errors import EmorankError

ClipFormat = Literal["wav", "flac", "opus"]
FORMATS: tuple[ClipFormat, ...] = ("wav", "flac", "opus")
MEDIA_TYPES: dict[ClipFormat, str] = {"wav": "audio/wav", "flac": "audio/flac", "opus": "audio/ogg"}

_OPUS_RATES = (8_000, 12_000, 16_000, 24_000, 48_000)  # Hz; other recordings become 48 kHz
_FLAC_CHANNELS = 8


def encoded(excerpt: Excerpt, format: ClipFormat) -> bytes:
    """An excerpt as a file.

    WAV and FLAC hold 16 bits a sample where the recording has no more, else 24. What needs more than that, such as
    decoded MP3, is 32-bit float in WAV and rounded to 24 bits in FLAC. Opus loses what Opus loses, at the rate of the
    recording or, where Opus does not know that, at 48 kHz.

    Raises:
        EmorankError: the format cannot hold so many channels.
    """
    import soundfile

    samples, rate = excerpt.samples, excerpt.rate
    if format == "flac" and samples.shape[1] > _FLAC_CHANNELS:
        raise EmorankError(
            f"FLAC holds {_FLAC_CHANNELS} channels at most, the recording has {samples.shape[1]}; use wav."
        )
    file = io.BytesIO()
    if format == "opus":
        samples, rate = _for_opus(samples, rate)
        soundfile.write(file, samples.clip(-1, 1), rate, format="OGG", subtype="OPUS")
    else:
        values, subtype = _exact(samples, rounded=format == "flac")
        soundfile.write(file, values, rate, format=format.upper(), subtype=subtype)
    return file.getvalue()


def same_sound(one: bytes, other: bytes) -> bool:
    """Whether two files hold the same samples; headers may hold a time, and Ogg a random number."""
    import soundfile

    if one == other:
        return True
    try:
        (first, rate), (second, other_rate) = (
            soundfile.read(io.BytesIO(data), dtype="float32") for data in (one, other)
        )
    except soundfile.SoundFileError:
        return False
    return bool(rate == other_rate and np.array_equal(first, second))


def _exact(samples: Any, rounded: bool) -> tuple[Any, str]:
    """Samples as integers of as few bits as hold them, or as they are; with libsndfile's name for that."""
    for bits, subtype in ((16, "PCM_16"), (24, "PCM_24")):
        low, high = np.float32(-(2.0 ** (bits - 1))), np.float32(2.0 ** (bits - 1) - 1)  # both exact, as is the product
        scaled = samples * -low
        whole = np.rint(scaled).clip(low, high)
        if (rounded and bits == 24) or np.array_equal(whole, scaled):
            return (whole.astype(np.int16) if bits == 16 else whole.astype(np.int32) << 8), subtype
    return samples, "FLOAT"


def _for_opus(samples: Any, rate: int) -> tuple[Any, int]:
    if rate in _OPUS_RATES:
        return samples, rate
    import soxr

    return soxr.resample(samples, rate, _OPUS_RATES[-1]), _OPUS_RATES[-1]
