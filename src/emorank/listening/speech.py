"""Where there is speech, and where none: heard at one level, however loud or soft the recording is."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.fft import dct
from scipy.ndimage import maximum_filter1d, median_filter, uniform_filter1d

from emorank.audio import SAMPLE_RATE

CHUNK = 512  # samples at 16 kHz, 32 ms: what one probability of speech is for
TIMBRE = 13  # numbers that say how a chunk sounds

_PAGE = 512  # chunks that are heard together; more than the levels reach to either side
_LEVEL = -25.0  # dB of full scale that the loudest voice around is brought to, as clips are for the encoder
_FAINTEST = -100.0  # dB of full scale; what is fainter is not raised any further
_SILENT = -90.0  # dB of full scale; dither of 16 bits is fainter
_POP, _AROUND, _SMOOTH = 15, 95, 47  # chunks: half a second, three seconds, one and a half
_STEADY, _TENTH, _SECOND = 3.0, 1600, 16_000  # dB; samples
_SPEECH, _MAYBE = 0.5, 0.35  # probability; crying and shouts lie between

Wave = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Listened:
    """A stretch of a recording with what was heard in it.

    Args:
        wave: (samples,) float32 at 16 kHz; the last chunk may lack samples.
        probabilities: (chunks,) of speech.
        timbre: (chunks, `TIMBRE`) cepstrum, whatever the level.
    """

    wave: Wave
    probabilities: np.ndarray
    timbre: np.ndarray

    def __add__(self, after: "Listened") -> "Listened":
        pairs = ((getattr(self, field.name), getattr(after, field.name)) for field in dataclasses.fields(self))
        return Listened(*(np.concatenate(pair) for pair in pairs))

    def part(self, first: int, last: int | None = None) -> "Listened":
        """From the chunk `first` to before the chunk `last`."""
        samples = slice(first * CHUNK, None if last is None else last * CHUNK)
        return Listened(self.wave[samples], self.probabilities[first:last], self.timbre[first:last])


NOTHING = Listened(np.zeros(0, np.float32), np.zeros(0, np.float32), np.zeros((0, TIMBRE), np.float32))


def listen(blocks: Iterable[Wave]) -> Iterator[Listened]:
    """Hear a recording, page by page; the same whatever blocks it comes in.

    The detector is at its best between -45 and -5 dB, and misses a third of the speech at -65 dB. So every chunk is
    raised by what the loudest half second near it lacks; noise that is raised so is not taken for speech.
    """
    from emorank.listening.silero import Silero

    detector = Silero()
    end = np.zeros(0, np.float32)
    pages = ((page, np.maximum(_levels(page, CHUNK), _FAINTEST)) for page in itertools.chain(_pages(blocks), [end]))
    before = np.zeros(0)
    for (wave, levels), (_, after) in itertools.pairwise(pages):
        if levels.max() > _FAINTEST:
            around = _voice_level(np.concatenate([before, levels, after]))[len(before) :][: len(levels)]
            gains = 10 ** ((_LEVEL - around) / 20)
            levelled = np.pad(wave, (0, -len(wave) % CHUNK)).reshape(-1, CHUNK) * gains[:, None]
            probabilities, power = detector(levelled.clip(-1, 1).astype(np.float32).ravel())
            timbre = dct(np.log(power + 1e-8), norm="ortho")[:, :TIMBRE]
        else:
            detector.forget()
            probabilities, timbre = np.zeros(len(levels), np.float32), np.zeros((len(levels), TIMBRE), np.float32)
        yield Listened(wave, probabilities, timbre)
        before = levels


def heard(wave: Wave) -> np.ndarray:
    """The probability of speech in every chunk of a clip, (chunks,)."""
    return np.concatenate([NOTHING.probabilities, *(page.probabilities for page in listen([wave]))])


def seconds(probabilities: np.ndarray) -> float:
    """How long somebody speaks in chunks of these probabilities of speech, in seconds."""
    return float(np.count_nonzero(probabilities >= _MAYBE)) * CHUNK / SAMPLE_RATE


def no_voice(wave: Wave, probabilities: np.ndarray) -> str | None:
    """Why a clip holds no voice, a sentence for an `AudioError`, or None where it may hold one.

    Music, noise that comes and goes, and faint voices in noise are let through: only what is surely none is refused.

    Args:
        wave: the clip.
        probabilities: what was `heard` in it.
    """
    if is_silent(wave):
        return "it is silent."
    if _is_steady(wave) and probabilities.max() < _SPEECH:
        return "it holds a steady noise and no voice."
    return None


def is_silent(wave: Wave) -> bool:
    """Nothing, or nothing louder than the dither of 16 bits (a constant is silent too)."""
    return not len(wave) or float(_levels(wave, CHUNK).max()) < _SILENT


def _is_steady(wave: Wave) -> bool:
    """Whether it keeps its level, as hum and hiss do; voices rise and fall by more than 8 dB within a second."""
    if len(wave) < _SECOND:
        return False
    low, high = np.percentile(_levels(wave[: len(wave) // _TENTH * _TENTH], _TENTH), [5, 95])
    return bool(high - low < _STEADY)


def _levels(wave: Wave, length: int) -> np.ndarray:
    """Of every `length` samples the root mean square without their mean, in dB of full scale; the last may be fewer."""
    edges = np.arange(0, len(wave), length)
    counts = np.diff(edges, append=len(wave))
    exact = wave.astype(np.float64)
    mean, square = np.add.reduceat(exact, edges) / counts, np.add.reduceat(exact * exact, edges) / counts
    levels: np.ndarray = 10 * np.log10(np.maximum(square - mean * mean, 1e-20))
    return levels


def _voice_level(levels: np.ndarray) -> np.ndarray:
    """Levels of chunks -> of the loudest half second around each of them; a pop is too short to count."""
    loudest = maximum_filter1d(median_filter(levels, _POP, mode="nearest"), _AROUND, mode="nearest")
    smooth: np.ndarray = uniform_filter1d(loudest, _SMOOTH, mode="nearest")
    return smooth


def _pages(blocks: Iterable[Wave]) -> Iterator[Wave]:
    """Any blocks -> pages of `_PAGE` chunks, the last one shorter."""
    size = _PAGE * CHUNK
    pieces: list[Wave] = []
    count = 0
    for block in blocks:
        pieces.append(block)
        count += len(block)
        if count >= size:
            joined = np.concatenate(pieces)
            whole = count - count % size
            yield from np.split(joined[:whole], whole // size)
            pieces, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(pieces)
