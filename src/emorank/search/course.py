"""Valence, arousal and dominance over a recording: aggregated for drawing, and its most striking stretches.

All of it is computed from segments that were heard already; nothing is decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emorank.affect import DIMENSIONS, NEUTRAL

WINDOW = 30.0  # seconds of a stretch
_SPEECH = 10.0  # seconds of speech that a stretch must hold
_LEAST = 60.0  # seconds of speech that a recording must hold for any stretch of it to be named
_BEYOND = 0.25  # so far from neutral a stretch must lie to have a name
_APART = 1.0  # and by so many standard deviations of the recording it must stand out

#: What a stretch is called that lies farthest in a direction, if the model knows all of its dimensions.
_NAMES = (
    ("angriest", {"valence": -1, "arousal": 1}),
    ("most excited", {"valence": 1, "arousal": 1}),
    ("saddest", {"valence": -1, "arousal": -1}),
    ("calmest", {"valence": 1, "arousal": -1}),
)
#: What it is called where the model does not know both of these.
_LACKING = (
    ("most positive", {"valence": 1}),
    ("most negative", {"valence": -1}),
    ("most energetic", {"arousal": 1}),
    ("least energetic", {"arousal": -1}),
    ("most dominant", {"dominance": 1}),
    ("least dominant", {"dominance": -1}),
)


@dataclass(frozen=True)
class Aggregate:
    """One dimension in stretches of equal length; NaN where nothing is spoken, or the model lacks it.

    Args:
        low: (bins,) the lowest value of a segment.
        mean: (bins,) weighted by the time that is spoken.
        high: (bins,) the highest value.
    """

    low: np.ndarray
    mean: np.ndarray
    high: np.ndarray


def aggregated(
    starts: np.ndarray, ends: np.ndarray, places: np.ndarray, start: float, end: float, bins: int
) -> dict[str, Aggregate]:
    """Segments as a line that can be drawn, however many there are.

    Args:
        starts: (n,) of segments, in seconds.
        ends: (n,) in seconds.
        places: (n, 3) by `affect.DIMENSIONS`, NaN where the model lacks one.
        start: of the part that is drawn, in seconds.
        end: of it.
        bins: how many stretches it is cut into.

    Returns:
        Every dimension.
    """
    width = (end - start) / bins
    inside = np.flatnonzero((ends > start) & (starts < end))
    first = np.clip(np.floor((starts[inside] - start) / width), 0, bins - 1).astype(np.int64)
    last = np.clip(np.ceil((ends[inside] - start) / width), first + 1, bins).astype(np.int64)
    counts = last - first
    segment = np.repeat(np.arange(len(inside)), counts)
    place = np.arange(len(segment)) - np.repeat(np.cumsum(counts) - counts, counts) + first[segment]
    order = np.argsort(place, kind="stable")
    rows, place = inside[segment[order]], place[order]
    begins = start + place * width
    spoken = np.minimum(ends[rows], begins + width) - np.maximum(starts[rows], begins)
    spoken = np.maximum(spoken, 1e-9)
    filled, at = np.unique(place, return_index=True)
    found = {}
    for name, values in zip(DIMENSIONS, places[rows].astype(np.float64).T, strict=True):
        lines = np.full((3, bins), np.nan)
        if len(filled):
            lines[0, filled] = np.minimum.reduceat(values, at)
            lines[1, filled] = np.add.reduceat(values * spoken, at) / np.add.reduceat(spoken, at)
            lines[2, filled] = np.maximum.reduceat(values, at)
        found[name] = Aggregate(*lines)
    return found


@dataclass(frozen=True)
class Stretch:
    """A part of a recording that stands out.

    Args:
        name: such as "angriest".
        start: in seconds.
        end: in seconds.
        places: mean of what is spoken in it, of the dimensions that make it stand out.
    """

    name: str
    start: float
    end: float
    places: dict[str, float]


def striking(
    starts: np.ndarray, ends: np.ndarray, places: np.ndarray, dimensions: Sequence[str] = DIMENSIONS
) -> list[Stretch]:
    """The stretches of one voice that a person would look for, each at most once, in the order of `_NAMES`.

    Every 30 s from the beginning of a segment on are a stretch, if at least 10 s of them are spoken; its place is the
    mean over what is spoken. Of all stretches of a recording that lie in a quarter of the plane, at least 0.25 from
    its middle in both dimensions, the one is named that lies farthest into it: valence and arousal count the same. It
    must also lie a standard deviation of all stretches beyond their mean in this direction; a recording in one mood
    has no angriest stretch. Nothing is said of recordings with less than a minute of speech. The same holds for a
    single dimension, where a model does not know both valence and arousal.

    Args:
        starts: (n,) of segments of one channel, in seconds, ascending.
        ends: (n,) in seconds.
        places: (n, 3) by `affect.DIMENSIONS`.
        dimensions: that the model knows.
    """
    lengths = ends - starts
    if len(starts) < 2 or lengths.sum() < _LEAST:
        return []
    last = np.searchsorted(starts, starts + WINDOW)  # behind the last that begins in a stretch
    total = np.concatenate([[0.0], np.cumsum(lengths)])
    over = np.maximum(0.0, ends[last - 1] - (starts + WINDOW))  # of the last, beyond the stretch
    spoken = total[last] - total[:-1] - over
    chosen = np.flatnonzero(spoken >= _SPEECH)
    if len(chosen) < 2:
        return []
    means = {}
    for name, values in zip(DIMENSIONS, places.astype(np.float64).T, strict=True):
        if name in dimensions:
            summed = np.concatenate([[0.0], np.cumsum(values * lengths)])
            inside = summed[last] - summed[:-1] - over * values[last - 1]
            means[name] = (inside / np.maximum(spoken, 1e-9))[chosen]
    names = _NAMES if {"valence", "arousal"} <= set(means) else _LACKING
    found = []
    for name, signs in names:
        if not set(signs) <= set(means):
            continue
        sides = np.stack([sign * (means[dimension] - NEUTRAL) for dimension, sign in signs.items()])
        score = sides.sum(0)
        named = np.flatnonzero((sides >= _BEYOND).all(0) & (score >= score.mean() + _APART * score.std()))
        if len(named) and score.std() > 1e-6:
            best = named[np.argmax(score[named])]
            row = chosen[best]
            end = float(min(starts[row] + WINDOW, ends[last[row] - 1]))
            found.append(Stretch(name, float(starts[row]), end, {key: float(means[key][best]) for key in signs}))
    return found
