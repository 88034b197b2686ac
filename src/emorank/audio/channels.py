"""Which channels of a recording are heard, and how: decided from what is in them.

Two channels may hold the same voice, the same voice upside down, the voice and its noise, the voice and nothing, or two
people. Mixing is right for the first, silences the second, buries the third, and makes one wrong voice of the last.
"""

import itertools
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from emorank.audio.decoder import Samples
from emorank.errors import EmorankError

Policy = Literal["auto", "mix", "each"] | int

_APART = 20.0, 6.0  # dB by which the difference in level of two channels changes when different people speak in them:
# where they are coherent (each person is heard in both), and where they are not
_ABOVE = 10.0  # dB above the quiet of a channel is sound, or half way to its loudest if that is nearer
_COHERENT = 0.5  # correlation from which on two channels add up
_LIVELY = 6.0  # dB between the loudest moments of a channel and its quiet; below it is noise or hum
_MOMENTS = 5  # frames that count as the loudest
_DIFFERENT = (5, 0.01)  # frames, and share of those with sound, that make a difference
_FRAMES = 20  # a second; less than that tells nothing
_RATE = 8_000  # Hz, at which channels are compared
_CLEAN = 0.03  # noise power, relative to the loudest channel, that is as good as none
_COMPARED = 16  # channels; of more, only the correlation is looked at
_FLOOR, _BIN, _BINS = -160.0, 2.0, 90  # dB: the lowest level, and how levels are counted

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Channel:
    """A channel as it is heard: a weighted sum of the channels of the file.

    Args:
        weights: one for each channel of the file; negative is upside down; their magnitudes sum to 1.
        number: which channel of the file, from 1, where a recording is heard as several; None where it is heard as
            one. Where a channel is a mix of some of the file's, it bears the number of the first of them.
    """

    weights: tuple[float, ...]
    number: int | None = None

    @property
    def inputs(self) -> tuple[int, ...]:
        """The channels of the file that are heard in it, from 1."""
        return tuple(index + 1 for index, weight in enumerate(self.weights) if weight)

    def of(self, samples: Samples) -> Samples:
        """(count, channels) -> (count,). A stretch of fewer or more channels than the file begins with is averaged."""
        count = samples.shape[1]
        if count == 1:
            return samples[:, 0]
        if count != len(self.weights):
            return np.ascontiguousarray(samples.mean(axis=1, dtype=np.float32))
        return samples @ np.array(self.weights, np.float32)


def parse_policy(value: str | int) -> Policy:
    """ "auto", "mix", "each" or a number from 1, as people write it.

    Raises:
        EmorankError: it is none of them.
    """
    match value:
        case "auto" | "mix" | "each":
            return value
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise EmorankError(f"--channels is auto, mix, each, or the number of a channel from 1, not {value!r}.")
    return number


class Likeness:
    """What the channels of a recording have in common; fed piece by piece, no larger for a longer recording."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._products = np.zeros((channels, channels))
        self._count = 0
        self._levels = np.zeros((channels, _BINS), np.int64)  # frames by level
        pairs = itertools.combinations(range(channels if channels <= _COMPARED else 0), 2)
        self._pairs = {pair: np.zeros(_BINS * _BINS, np.int64) for pair in pairs}  # frames by the levels of both

    def add(self, rate: int, samples: Samples) -> None:
        """Take in a piece, (count, channels); one of another number of channels says nothing of them."""
        every = max(1, rate // _RATE)
        count = len(samples) // every
        if samples.shape[1] != self.channels or count < 2:
            return
        low = samples[: count * every].reshape(count, every, self.channels).mean(axis=1)
        sound = np.diff(low, axis=0)  # without offset and hum
        self._products += sound.T @ sound
        self._count += len(sound)
        frame = max(1, rate // every // _FRAMES)
        frames = len(sound) // frame
        power = np.square(sound[: frames * frame]).reshape(frames, frame, self.channels).mean(axis=1, dtype=np.float64)
        bins = ((10 * np.log10(power + 10 ** (_FLOOR / 10)) - _FLOOR) / _BIN).astype(np.int64).clip(0, _BINS - 1).T
        for one in range(self.channels):
            self._levels[one] += np.bincount(bins[one], minlength=_BINS)
        for (one, other), joint in self._pairs.items():
            joint += np.bincount(bins[one] * _BINS + bins[other], minlength=_BINS * _BINS)

    @property
    def frames(self) -> int:
        """How many moments it has heard, of 1/20 s."""
        return int(self._levels[0].sum())

    def correlation(self) -> Array:
        """(channels, channels) of their waves, -1..1."""
        size = np.sqrt(np.maximum(np.diag(self._products), 1e-30))
        correlation: Array = self._products / np.outer(size, size)
        return correlation

    def power(self) -> Array:
        """(channels,) mean power."""
        power: Array = np.diag(self._products) / max(1, self._count)
        return power

    def quiet(self) -> Array:
        """(channels,) level of the quietest tenth, in dB."""
        reached = self._levels.cumsum(axis=1) > 0.1 * self._levels.sum(axis=1, keepdims=True)
        level: Array = _FLOOR + _BIN * reached.argmax(axis=1)
        return level

    def loud(self) -> Array:
        """(channels,) level of the loudest moments, in dB."""
        above = self._levels[:, ::-1].cumsum(axis=1)[:, ::-1]  # frames at a level or louder
        enough = np.minimum(_MOMENTS, self._levels.sum(axis=1, keepdims=True))
        level: Array = _FLOOR + _BIN * ((above >= enough) * np.arange(_BINS)).max(axis=1)
        return level

    def apart(self, one: int, other: int) -> float:
        """How much the difference in level of two channels changes over their sound, in dB.

        One voice that is heard in both is everywhere as much louder in the one; of two people, each is louder in the
        own channel when speaking, also where both channels hold both. NaN where there is too little sound to tell.
        """
        one, other = sorted((one, other))
        if (one, other) not in self._pairs:
            return float("nan")
        levels = np.arange(_BINS)
        joint = self._pairs[one, other].reshape(_BINS, _BINS)
        quiet, loud = self.quiet()[[one, other]], self.loud()[[one, other]]
        floor = (quiet + np.minimum(_ABOVE, (loud - quiet) / 2) - _FLOOR) / _BIN
        louder = np.where(
            levels[:, None] >= levels, levels[:, None] >= floor[0], levels >= floor[1]
        )  # and is it sound?
        difference = levels[:, None] - levels
        counts = np.bincount((difference + _BINS)[louder], joint[louder], minlength=2 * _BINS)
        if counts.sum() < _FRAMES:
            return float("nan")
        least = max(_DIFFERENT[0], _DIFFERENT[1] * counts.sum())
        low, high = counts.cumsum() >= least, counts[::-1].cumsum()[::-1] >= least
        return _BIN * max(0.0, float((high * np.arange(2 * _BINS)).max() - low.argmax()))

    def alike(self, one: int, other: int) -> bool:
        """Whether two channels hold the same sound."""
        apart = self.apart(one, other)
        coherent = abs(self.correlation()[one, other]) >= _COHERENT
        return apart < _APART[1] or (coherent and not apart >= _APART[0])


def decide(likeness: Likeness, policy: Policy) -> tuple[Channel, ...]:
    """Which channels are heard, and how.

    Args:
        likeness: of a whole recording with several channels.
        policy: "auto": channels with the same sound are one, aligned; different speech is heard each on its own;
            noise and silence are left out where another channel holds sound. "mix": the same, and all in one.
    """
    groups = sorted(
        (_aligned(likeness, group) for group in _groups(likeness)), key=lambda weights: weights.nonzero()[0][0]
    )
    if policy == "mix" or len(groups) == 1:
        weights = np.mean(groups, axis=0)
        return (Channel(tuple(map(float, weights))),)
    channels = [Channel(tuple(map(float, weights))) for weights in groups]
    return tuple(replace(channel, number=channel.inputs[0]) for channel in channels)


def single(channels: int, number: int) -> Channel:
    """One channel of a file, by its number from 1."""
    return Channel(tuple(float(index + 1 == number) for index in range(channels)), number)


def _groups(likeness: Likeness) -> list[list[int]]:
    """Channels (from 0) by the sound that they hold, without those that hold none."""
    lively = (likeness.loud() - likeness.quiet() >= _LIVELY) | (likeness.frames < _FRAMES)
    audible = likeness.loud() > _FLOOR
    kept = np.flatnonzero(lively if lively.any() else audible if audible.any() else ~audible)
    groups: list[list[int]] = []
    for channel in kept.tolist():
        joined = [group for group in groups if any(likeness.alike(channel, other) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([channel, *(other for group in joined for other in group)]))
    return sorted(groups)


def _aligned(likeness: Likeness, group: list[int]) -> Array:
    """Weights of a group's channels: each turned to the loudest, the noisy ones lighter.

    A channel whose wave is not like that of the loudest, though it is loud at the same times (the same voice from
    elsewhere in the room), would blur it and is left out.
    """
    power = likeness.power()
    noise = np.maximum(10 ** (likeness.quiet() / 10), _CLEAN * power[group].max() + 1e-30)
    loudest = max(group, key=lambda channel: power[channel])
    correlation = likeness.correlation()[loudest]
    weights = np.zeros(likeness.channels)
    for channel in group:
        if channel == loudest or abs(correlation[channel]) >= _COHERENT:
            weights[channel] = np.copysign(1.0, correlation[channel]) / noise[channel]
    weights /= np.abs(weights).sum()
    return weights
