"""Which channels of a recording are heard, and how: decided from what is in them.

Two channels may hold the same voice, the same voice upside down, the voice and its noise, the voice and nothing, or two
people. Mixing is right for the first, silences the second, buries the third, and makes one wrong voice of the last.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from emorank.audio.decoder import Samples
from emorank.errors import EmorankError

Policy = Literal["auto", "mix", "each"] | int

_ALIKE = 0.5  # correlation of two channels from which on they hold the same sound
_TOGETHER = 0.8  # correlation of their loudness over time from which on they do, though their waves differ
_LIVELY = 10.0  # dB between the loudest moments of a channel and its quiet; below it is noise or hum
_MOMENTS = 5  # frames that count as the loudest
_FRAMES = 20  # a second; a channel must have that many to be compared by loudness
_RATE = 8_000  # Hz, at which channels are compared
_CLEAN = 1e-4  # noise power, relative to the loudest channel, that is as good as none
_FLOOR = -160  # dB

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
    if value in ("auto", "mix", "each"):
        return value  # type: ignore[return-value]
    try:
        number = int(value)
    except ValueError:
        number = 0
    if number < 1:
        raise EmorankError(f"channels is auto, mix, each, or the number of a channel from 1, not {value!r}.")
    return number


class Likeness:
    """What the channels of a recording have in common; fed piece by piece, no larger for a longer recording."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self._products = np.zeros((channels, channels))
        self._loudness = np.zeros(channels)
        self._loudness_products = np.zeros((channels, channels))
        self._levels = np.zeros((-_FLOOR + 60, channels), np.int64)  # how many frames are how loud, by 1 dB
        self._count = 0
        self.frames = 0

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
        loudness = np.sqrt(power)
        self._loudness += loudness.sum(axis=0)
        self._loudness_products += loudness.T @ loudness
        decibels = (10 * np.log10(power + 10 ** (_FLOOR / 10))).astype(np.int64) - _FLOOR
        for channel in range(self.channels):
            levels = decibels[:, channel].clip(0, len(self._levels) - 1)
            self._levels[:, channel] += np.bincount(levels, minlength=len(self._levels))
        self.frames += frames

    def correlation(self) -> Array:
        """(channels, channels) of their waves, -1..1."""
        return _normalised(self._products)

    def loudness_correlation(self) -> Array:
        """(channels, channels) of their loudness over time, -1..1; 0 where the recording is too short to tell."""
        if self.frames < _FRAMES:
            return np.zeros((self.channels, self.channels))
        mean = self._loudness / self.frames
        return _normalised(self._loudness_products / self.frames - np.outer(mean, mean))

    def power(self) -> Array:
        """(channels,) mean power."""
        return np.divide(np.diag(self._products), max(1, self._count))

    def quiet(self) -> Array:
        """(channels,) level of the quietest tenth, in dB."""
        return self._level(self._levels.cumsum(axis=0) > 0.1 * self.frames)

    def loud(self) -> Array:
        """(channels,) level of the loudest moments, in dB."""
        from_above = self._levels[::-1].cumsum(axis=0)[::-1]
        return self._level(from_above < min(_MOMENTS, self.frames)) - 1

    def _level(self, reached: np.ndarray[Any, Any]) -> Array:
        levels: Array = reached.argmax(axis=0) + float(_FLOOR)
        return levels


def decide(likeness: Likeness, policy: Policy) -> tuple[Channel, ...]:
    """Which channels are heard, and how.

    Args:
        likeness: of a whole recording with several channels.
        policy: "auto": channels with the same sound are one, aligned; different speech is heard each on its own;
            noise and silence are left out where another channel holds sound. "mix": the same, and all in one.
    """
    groups = [_aligned(likeness, group) for group in _groups(likeness)]
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
    lively = likeness.loud() - likeness.quiet() >= _LIVELY
    audible = likeness.loud() > _FLOOR + 10
    kept = np.flatnonzero(lively if lively.any() else audible if audible.any() else ~audible)
    alike = (np.abs(likeness.correlation()) >= _ALIKE) | (likeness.loudness_correlation() >= _TOGETHER)
    groups: list[list[int]] = []
    for channel in kept.tolist():
        joined = [group for group in groups if any(alike[channel, other] for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append(sorted([channel, *(other for group in joined for other in group)]))
    return sorted(groups)


def _aligned(likeness: Likeness, group: list[int]) -> Array:
    """Weights of a group's channels: each turned to the loudest, and the cleaner the heavier.

    A channel whose wave is not like that of the loudest, though it is loud at the same times (the same voice from
    elsewhere in the room), would blur it and is left out.
    """
    power = likeness.power()
    noise = np.minimum(10 ** (likeness.quiet() / 10), power) + _CLEAN * power[group].max() + 1e-30
    loudest = max(group, key=lambda channel: power[channel])
    correlation = likeness.correlation()[loudest]
    weights = np.zeros(likeness.channels)
    for channel in group:
        if channel == loudest or abs(correlation[channel]) >= _ALIKE:
            weights[channel] = np.sign(correlation[channel] or 1) * np.sqrt(power[channel] + 1e-30) / noise[channel]
    total = np.abs(weights).sum()
    shares: Array = weights / total
    return shares


def _normalised(products: Array) -> Array:
    size = np.sqrt(np.maximum(np.diag(products), 1e-30))
    return np.divide(products, np.outer(size, size))
