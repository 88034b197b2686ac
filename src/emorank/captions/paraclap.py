"""Captions from acoustic properties, in the manner of ParaCLAP (Jing et al., 2024; paper section 4.1).

Praat measures seven properties of a recording; each is low, normal or high by the 30 % and 70 % quantiles of the
training data, and the caption joins them to the category: 'speech has anger emotion and pitch is high and ...'.
"""

from typing import Any

import numpy as np
import polars as pl

from emorank import audio
from emorank.errors import EmorankError
from emorank.listening.store import Progress, recordings

#: What is measured, in the order of the columns; units in `Praat`.
PROPERTIES = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration", "articulation rate")
QUANTILES = (0.3, 0.7)
_LEVELS = ("low", "normal", "high")
_PITCH_RANGE = (75.0, 600.0)  # Hz
_DIP = 2.0  # dB that the intensity has to fall between two syllables (de Jong & Wempe, 2009)

Array = np.ndarray[Any, np.dtype[np.float32]]


class Praat:
    """Measures recordings like an audio encoder, so that the feature store keeps what it finds.

    The columns are mean and standard deviation of the pitch (Hz), mean intensity (dB), local jitter and shimmer
    (shares of a period and of its amplitude), duration (s), and articulation rate (syllables a second of voiced
    speech). What cannot be measured, such as the pitch of a whisper, is NaN.

    Raises:
        EmorankError: the extra `paraclap` is not installed.
    """

    name = fingerprint = "praat-1"
    device = "cpu"
    dim = len(PROPERTIES)

    def __init__(self) -> None:
        try:
            import parselmouth  # noqa: F401
        except ModuleNotFoundError as error:
            raise EmorankError("ParaCLAP captions need an extra; run: pip install 'emorank[paraclap]'") from error

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, 7) from mono arrays at 16 kHz."""
        return np.array([_measured(wave) for wave in waves], np.float32).reshape(-1, self.dim)


def captions(
    table: pl.DataFrame, reference: pl.DataFrame | None = None, progress: Progress | None = None
) -> list[str | None]:
    """What is high and low in every utterance, beside its category; None for recordings that cannot be read.

    Args:
        table: utterances with `path` and `emotion`.
        reference: utterances whose quantiles part low from normal from high; None is the split `train` of the table,
            or all of it where it has no such split.
        progress: called with recordings done and to do.
    """
    if reference is None:
        train = table.filter(split="train") if "split" in table.columns else table
        reference = train if len(train) else table
    bounds = np.nanquantile(_of(reference, progress), QUANTILES, axis=0)
    properties = _of(table, progress)
    return [
        None if emotion is None or np.isnan(row[PROPERTIES.index("duration")]) else _caption(emotion, row, bounds)
        for emotion, row in zip(table["emotion"], properties, strict=True)
    ]


def _of(table: pl.DataFrame, progress: Progress | None) -> Array:
    """(n, 7) properties; rows of recordings that cannot be read are NaN."""
    properties, errors = recordings(table["path"].to_list(), Praat(), progress=progress)
    properties[[error is not None for error in errors]] = np.nan
    return properties


def _caption(emotion: str, properties: Array, bounds: np.ndarray) -> str:
    """One caption; a property that could not be measured is left out."""
    levels = (properties[None, :] > bounds).sum(0)
    parts = [
        f"{name} is {_LEVELS[level]}"
        for name, level, value in zip(PROPERTIES, levels, properties, strict=True)
        if not np.isnan(value)
    ]
    return " and ".join([f"speech has {emotion} emotion", *parts])


def _measured(wave: np.ndarray) -> list[float]:
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(wave.astype(np.float64), audio.SAMPLE_RATE)
    duration = len(wave) / audio.SAMPLE_RATE
    if duration < 3 / _PITCH_RANGE[0] * 2:  # too short for one window of the pitch analysis
        return [np.nan] * 5 + [duration, np.nan]
    intensity = sound.to_intensity(_PITCH_RANGE[0])
    pitch = sound.to_pitch(pitch_floor=_PITCH_RANGE[0], pitch_ceiling=_PITCH_RANGE[1])
    voiced = pitch.selected_array["frequency"]
    frequencies = voiced[voiced > 0]
    loudness = float(call(intensity, "Get mean", 0, 0, "energy"))
    if not len(frequencies):
        return [np.nan, np.nan, loudness, np.nan, np.nan, duration, np.nan]
    pulses = call([sound, pitch], "To PointProcess (cc)")
    periods = (0, 0, 0.0001, 0.02, 1.3)  # Praat's own bounds: whole sound, period 0.1 to 20 ms, factor 1.3
    jitter = float(call(pulses, "Get jitter (local)", *periods))
    shimmer = float(call([sound, pulses], "Get shimmer (local)", *periods, 1.6))
    times = intensity.xs()
    heard = np.array([pitch.get_value_at_time(t) for t in times]) > 0  # NaN, not voiced, is False
    voiced_seconds = len(frequencies) * pitch.time_step
    rate = syllables(intensity.values[0], heard) / voiced_seconds
    return [float(frequencies.mean()), float(frequencies.std()), loudness, jitter, shimmer, duration, rate]


def syllables(intensity: np.ndarray, voiced: np.ndarray) -> int:
    """Syllable nuclei: voiced intensity peaks above the median with a dip of 2 dB before the next one.

    Args:
        intensity: (frames,) dB.
        voiced: (frames,) whether there is a pitch.
    """
    from scipy.signal import find_peaks

    peaks, _ = find_peaks(intensity, height=float(np.median(intensity)), prominence=_DIP)
    return int(voiced[peaks].sum())
