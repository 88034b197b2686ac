"""Captions from acoustic properties, by the method of ParaCLAP (Jing et al., 2024; paper section 4.1).

Praat measures seven properties of a recording; each is low, normal or high by the 30 % and 70 % quantiles of the
training data, and the caption joins them to the category: 'speech has anger emotion and pitch is high and ...'.
"""

from typing import Any

import numpy as np
import polars as pl

from emorank import audio
from emorank.captions.template import sentence
from emorank.errors import MissingExtra
from emorank.listening.store import features
from emorank.types import Progress

#: What is measured, in the order of the columns; units in `Praat`.
PROPERTIES = ("pitch", "pitch variation", "intensity", "jitter", "shimmer", "duration", "articulation rate")
QUANTILES = (0.3, 0.7)
_LEVELS = ("low", "normal", "high")
_PITCH_RANGE = (75.0, 600.0)  # Hz
# Of de Jong, N. H. & Wempe, T. (2009). Praat script to detect syllable nuclei and measure speech rate automatically.
# Behavior Research Methods, 41(2), 385-390.
_INTENSITY_FLOOR = 50.0  # Hz: the window is 3.2 / 50 s, so that single periods of a low voice make no peaks
_SHORTEST = 6.4 / _INTENSITY_FLOOR  # seconds that the analysis of intensity needs
_SILENT = 25.0  # dB below the loudest of a recording; what is as soft is no speech
_DIP = 2.0  # dB that the intensity has to fall between two syllables
_PAUSE, _SOUNDING = 0.3, 0.1  # seconds; shorter silences are part of speech, shorter sounds are not

Array = np.ndarray[Any, np.dtype[np.float32]]


class Praat:
    """Measures recordings like an audio encoder, so that the feature store keeps what it finds.

    The columns are mean and standard deviation of the pitch (Hz), mean intensity (dB), local jitter and shimmer
    (shares of a period and of its amplitude), duration (s), and articulation rate (syllables a second of phonation
    time, pauses left out). What cannot be measured, such as the pitch of a whisper, is NaN.

    Raises:
        EmorankError: the extra `paraclap` is not installed.
    """

    name = fingerprint = "praat-2"  # kept features have this name: it changes with what is measured
    device = "cpu"
    dim = len(PROPERTIES)

    def __init__(self) -> None:
        try:
            import parselmouth  # noqa: F401
        except ModuleNotFoundError as error:
            raise MissingExtra("The caption style paraclap", "paraclap") from error

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, 7) from mono arrays at 16 kHz."""
        return np.array([_measured(wave) for wave in waves], np.float32).reshape(-1, self.dim)


def assign(
    table: pl.DataFrame, reference: pl.DataFrame | None = None, progress: Progress | None = None
) -> list[str | None]:
    """What is high and low in every utterance, beside its category; None without one, or if it cannot be read.

    Args:
        table: utterances with `path` and `emotion`.
        reference: utterances whose quantiles part low from normal from high; None is the split `train` of the table,
            or all of it where it has no such split.
        progress: called with recordings done and to do.
    """
    if reference is None:
        train = table.filter(split="train") if "split" in table.columns else table
        reference = train if len(train) else table
    bounds = _bounds(_of(reference, progress))
    properties = _of(table, progress)
    return [_caption(emotion, row, bounds) for emotion, row in zip(table["emotion"], properties, strict=True)]


def _of(table: pl.DataFrame, progress: Progress | None) -> Array:
    """(n, 7) properties; rows of recordings that cannot be read are NaN."""
    properties, errors = features(table["path"].to_list(), Praat(), progress=progress)
    properties[[error is not None for error in errors]] = np.nan
    return properties


def _bounds(properties: Array) -> np.ndarray:
    """(2, 7) quantiles of every property, NaN for one that no recording has."""
    result = np.full((len(QUANTILES), len(PROPERTIES)), np.nan)
    there = ~np.isnan(properties).all(0)
    if there.any():
        result[:, there] = np.nanquantile(properties[:, there], QUANTILES, axis=0)
    return result


def _caption(emotion: str | None, properties: Array, bounds: np.ndarray) -> str | None:
    """One caption; a property that could not be measured, here or in the reference, is left out."""
    start = sentence(emotion)
    if start is None or np.isnan(properties[PROPERTIES.index("duration")]):
        return None
    levels = (properties[None, :] > bounds).sum(0)
    measured = ~np.isnan(properties + bounds[0])
    named = zip(PROPERTIES, levels, measured, strict=True)
    return " and ".join([start, *(f"{name} is {_LEVELS[level]}" for name, level, there in named if there)])


def _measured(wave: np.ndarray) -> list[float]:
    import parselmouth
    from parselmouth.praat import call

    sound = parselmouth.Sound(wave.astype(np.float64), audio.SAMPLE_RATE)
    duration = len(wave) / audio.SAMPLE_RATE
    if duration <= _SHORTEST:
        return [np.nan] * 5 + [duration, np.nan]
    intensity = sound.to_intensity(_INTENSITY_FLOOR)
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
    heard = np.array([pitch.get_value_at_time(time) for time in intensity.xs()]) > 0  # NaN, not voiced, is False
    rate = articulation_rate(intensity.values[0], heard, intensity.dx)
    return [float(frequencies.mean()), float(frequencies.std()), loudness, jitter, shimmer, duration, rate]


def articulation_rate(intensity: np.ndarray, voiced: np.ndarray, step: float) -> float:
    """Syllables a second of phonation time, by the method of de Jong & Wempe (2009).

    A syllable is a voiced peak of the intensity from which it falls by 2 dB on both sides before it rises higher, in a
    stretch of speech. Phonation time is all speech with its short silences, without pauses.

    Args:
        intensity: (frames,) dB.
        voiced: (frames,) whether there is a pitch.
        step: seconds from frame to frame.

    Returns:
        The rate; NaN where there is no speech.
    """
    from scipy.signal import find_peaks

    speech = phonation(intensity, step)
    if not speech.any():
        return float("nan")
    peaks, _ = find_peaks(intensity, prominence=_DIP)
    return float((voiced & speech & _loud(intensity))[peaks].sum() / (speech.sum() * step))


def phonation(intensity: np.ndarray, step: float) -> np.ndarray:
    """Where there is speech: (frames,) bool, without silences of 0.3 s and more and without sounds under 0.1 s.

    Args:
        intensity: (frames,) dB.
        step: seconds from frame to frame.
    """
    starts, ends = np.flatnonzero(np.diff(_loud(intensity).astype(int), prepend=0, append=0)).reshape(-1, 2).T
    pauses = (starts[1:] - ends[:-1]) * step >= _PAUSE
    starts, ends = starts[np.r_[True, pauses]], ends[np.r_[pauses, True]]
    speech = np.zeros(len(intensity), bool)
    for start, end in zip(starts, ends, strict=True):
        speech[start:end] = (end - start) * step >= _SOUNDING
    return speech


def _loud(intensity: np.ndarray) -> np.ndarray:
    loud: np.ndarray = intensity > np.quantile(intensity, 0.99) - _SILENT
    return loud
