"""Frames of FFmpeg, whatever their format -> float32."""

from typing import Any

import numpy as np

from emorank.audio.decoder import Samples

_TYPES = {"u8": "u1", "s16": "i2", "s32": "i4", "s64": "i8", "flt": "f4", "dbl": "f8"}
_SCALE = {"u1": 2.0**-7, "i2": 2.0**-15, "i4": 2.0**-31, "i8": 2.0**-63, "f8": 1.0}


def samples_of(frame: Any) -> Samples:
    """(samples, channels) of a frame of any format."""
    from av.audio.plane import AudioPlane

    name, count, channels = frame.format.name, frame.samples, frame.layout.nb_channels
    kind = _TYPES[name.removesuffix("p")]

    def plane(index: int, values: int) -> Any:  # not frame.planes, which counts them wrongly beyond eight
        memory: Any = AudioPlane(frame, index)
        return np.frombuffer(memory, kind, values)

    if not name.endswith("p"):
        values = plane(0, count * channels).reshape(count, channels)
    elif channels == 1:
        values = plane(0, count)[:, None]
    else:
        values = np.stack([plane(index, count) for index in range(channels)]).T
    if kind == "f4":
        samples: Samples = values
        return samples
    scaled: Samples = np.multiply(values, np.float32(_SCALE[kind]), dtype=np.float32, casting="same_kind")
    return scaled - 1 if kind == "u1" else scaled
