"""Speech as it comes out of a small file: MP3 and Opus at low rates."""

import io

import numpy as np
import soundfile

from emorank.audio import SAMPLE_RATE
from emorank.types import Array

#: Container, codec, and how much is thrown away, 0..1 as libsndfile counts.
KINDS = (("MP3", "MPEG_LAYER_III", 0.9), ("OGG", "OPUS", 0.98))


def lossy(wave: np.ndarray, kind: int) -> Array:
    """A clip written and read again.

    Args:
        wave: mono float32 at 16 kHz.
        kind: index into `KINDS`.
    """
    container, codec, level = KINDS[kind]
    file = io.BytesIO()
    soundfile.write(file, wave, SAMPLE_RATE, subtype=codec, format=container, compression_level=level)
    file.seek(0)
    result: Array = soundfile.read(file, dtype="float32")[0]
    return result
