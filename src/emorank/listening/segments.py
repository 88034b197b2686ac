"""Cuts long recordings into the stretches that are searched: what one voice says between two pauses.

A recording of up to 10 s is one segment. A longer one is read once, block by block, and never held whole.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.errors import AudioError
from emorank.listening.cut import ENDS, LONGEST, SHORTEST, cut
from emorank.listening.speech import CHUNK, NOTHING, Listened, Wave, heard, is_silent, listen, no_voice, seconds

__all__ = ["LONGEST", "SHORTEST", "NoSpeech", "Segment", "segments", "spoken"]

_APART = 32  # chunks without speech, a second, after which nothing of what was before matters
_HELD = 1875  # chunks, a minute: speech without such a pause is parted at its least speech-like moment


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording.

    Args:
        start: in seconds.
        end: in seconds.
        wave: samples at 16 kHz.
        channel: from 1; None where a recording is heard as one.
        speech: how long somebody speaks in it, in seconds; None where nobody looked.
    """

    start: float
    end: float
    wave: Wave
    channel: int | None = None
    speech: float | None = None


class NoSpeech(AudioError):
    """A recording, or a channel of it, in which nobody speaks."""


def segments(name: str, blocks: Iterable[Wave]) -> Iterator[Segment]:
    """The segments of a recording, in order; the same whatever blocks it comes in.

    Args:
        name: of the recording, for errors.
        blocks: its samples, mono float32 at 16 kHz, read once.

    Raises:
        NoSpeech: it is silent, or no speech was found in it; raised at the end of a long recording.
    """
    blocks = iter(blocks)
    head = _beginning(blocks)
    if len(head) <= LONGEST * SAMPLE_RATE:
        yield Segment(0.0, len(head) / SAMPLE_RATE, head, speech=spoken(name, head))
        return
    silent, found = True, False
    for begin, stretch in _stretches(listen(itertools.chain([head], blocks))):
        silent = silent and is_silent(stretch.wave)
        for first, last in cut(stretch.probabilities, stretch.timbre):
            found = True
            wave = stretch.wave[first:last]
            start, end = (begin + first) / SAMPLE_RATE, (begin + first + len(wave)) / SAMPLE_RATE
            speech = seconds(stretch.probabilities[first // CHUNK : -(-last // CHUNK)])
            yield Segment(start, end, wave, speech=speech)
    if not found:
        raise NoSpeech(name, "it is silent." if silent else "no speech was found in it.")


def spoken(name: str, wave: Wave) -> float:
    """How long somebody speaks in a clip, in seconds.

    Args:
        name: of the clip, for errors.
        wave: its samples, mono float32 at 16 kHz.

    Raises:
        NoSpeech: it is silent, or surely holds no voice.
    """
    probabilities = heard(wave)
    if reason := no_voice(wave, probabilities):
        raise NoSpeech(name, reason)
    return seconds(probabilities)


def _beginning(blocks: Iterator[Wave]) -> Wave:
    """All of it where it is short, otherwise more than `LONGEST` seconds."""
    pieces = [np.zeros(0, np.float32)]
    count = 0
    while count <= LONGEST * SAMPLE_RATE:
        block = next(blocks, None)
        if block is None:
            break
        pieces.append(block)
        count += len(block)
    return np.concatenate(pieces)


def _stretches(pages: Iterable[Listened]) -> Iterator[tuple[int, Listened]]:
    """Pages -> stretches that can be cut each on its own, with the sample where each begins.

    A stretch ends in the middle of a second without speech; where that does not come within a minute, at the least
    speech-like moment of the half minute before.
    """
    held, begin, length, quiet = NOTHING, 0, 0, 0
    for page in pages:
        held = held + page
        for probability in page.probabilities:
            length += 1
            quiet = 0 if probability >= ENDS else quiet + 1
            if quiet == _APART:
                end = length - _APART // 2
            elif length == _HELD:
                end = _HELD // 2 + int(np.argmin(held.probabilities[_HELD // 2 : _HELD]))
            else:
                continue
            yield begin, held.part(0, end)
            held, begin, length = held.part(end), begin + end * CHUNK, length - end
            quiet = min(quiet, length)
    if length:
        yield begin, held
