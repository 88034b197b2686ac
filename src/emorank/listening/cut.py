"""Where a recording is cut into segments: at its pauses first, then where another voice takes over.

The detector's probability dips at every breath and every change of speaker. So speech is divided at each dip, and the
phrases are put together again where the pause is short and the voice after it sounds like the one before.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.listening.speech import CHUNK, TIMBRE

SHORTEST, LONGEST = 1.0, 10.0  # seconds; shorter ones say little, longer ones hold more than one feeling
BEGINS, ENDS = 0.5, 0.35  # probability that begins, and below which ends, a stretch of speech

_STEP = CHUNK / SAMPLE_RATE  # seconds
_DIP = 0.65  # probability below which a phrase may end
_PAUSE = 0.5  # seconds; a longer one always ends a segment
_COMPARED = 1.5  # seconds of either voice
_CHANGE = 0.4  # log-likelihood for every chunk that two voices must explain better than one
_CLICK = 0.1  # seconds; what is shorter and alone is not a voice
_MARGIN = 0.15  # seconds kept before and after speech

Span = tuple[int, int]


def cut(probabilities: np.ndarray, timbre: np.ndarray) -> list[Span]:
    """Cut a stretch of a recording.

    Args:
        probabilities: (chunks,) of speech.
        timbre: (chunks, k) how each chunk sounds.

    Returns:
        First and last sample of each segment, ascending and apart, at most `LONGEST` long, and at least `SHORTEST`
        where the pauses around it allow that. They hold all speech but lone clicks.
    """
    phrases = list(_phrases(probabilities))
    phrases = _long_enough(_like_voices(phrases, probabilities, timbre))
    phrases = [(int(first), int(last)) for first, last in phrases if (last - first) * _STEP > _CLICK]
    return list(_with_margins(phrases, len(probabilities)))


def _phrases(probabilities: np.ndarray) -> Iterator[Span]:
    """First and last chunk of what lies between two dips; a dip is parted at its lowest."""
    for first, last in _speech(probabilities):
        clear = first + np.flatnonzero(np.diff(probabilities[first:last] >= _DIP, prepend=False, append=False))
        dips = zip(clear[1:-1:2], clear[2::2], strict=True)
        lowest = [down + int(np.argmin(probabilities[down:up])) for down, up in dips]
        for begin, end in pairwise([first, *lowest, last]):
            yield from _halves(probabilities, begin, end)


def _speech(probabilities: np.ndarray) -> Iterator[Span]:
    """Stretches of speech: begun at `BEGINS`, ended below `ENDS`, so that a wavering voice is one stretch."""
    begun: int | None = None
    for index, probability in enumerate(probabilities):
        if begun is None and probability >= BEGINS:
            begun = index
        elif begun is not None and probability < ENDS:
            yield begun, index
            begun = None
    if begun is not None:
        yield begun, len(probabilities)


def _halves(probabilities: np.ndarray, first: int, last: int) -> Iterator[Span]:
    """Divides a phrase that is too long at its least speech-like moment, away from the edges."""
    if _fits(first, last):
        yield first, last
        return
    quarter = (last - first) // 4
    middle = first + quarter + int(np.argmin(probabilities[first + quarter : last - quarter]))
    yield from _halves(probabilities, first, middle)
    yield from _halves(probabilities, middle, last)


def _like_voices(phrases: list[Span], probabilities: np.ndarray, timbre: np.ndarray) -> list[Span]:
    """Puts phrases together that a short pause parts and one voice speaks."""
    voiced = probabilities >= ENDS
    compared = round(_COMPARED / _STEP)
    together: list[Span] = []
    for first, last in phrases:
        if together:
            begin, end = together[-1]
            before, after = slice(max(begin, end - compared), end), slice(first, min(last, first + compared))
            if (first - end) * _STEP < _PAUSE and _fits(begin, last):
                change = _change(timbre[before][voiced[before]], timbre[after][voiced[after]])
                if change < _CHANGE:
                    together[-1] = (begin, last)
                    continue
        together.append((first, last))
    return together


def _change(before: np.ndarray, after: np.ndarray) -> float:
    """How much better two voices explain two phrases than one: the log-likelihood ratio of Gaussians for every chunk.

    What two parts of one phrase would reach by chance is taken off, so that short phrases are not called changes.
    """
    both = np.concatenate([before, after])
    ratio = sum(len(part) * np.log(part.var(0) + 0.05).sum() for part in (before, after))
    return float((len(both) * np.log(both.var(0) + 0.05).sum() - ratio) / 2 / len(both) - TIMBRE / len(both))


def _long_enough(phrases: list[Span]) -> list[Span]:
    """Puts phrases that are too short to say much to the nearer neighbour, the nearest pair first."""
    phrases = list(phrases)
    while True:
        pairs = [
            (after[0] - before[1], index)
            for index, (before, after) in enumerate(pairwise(phrases))
            if min(before[1] - before[0], after[1] - after[0]) * _STEP < SHORTEST
            and (after[0] - before[1]) * _STEP < _PAUSE
            and _fits(before[0], after[1])
        ]
        if not pairs:
            return phrases
        _, index = min(pairs)
        phrases[index : index + 2] = [(phrases[index][0], phrases[index + 1][1])]


def _fits(first: int, last: int) -> bool:
    return (last - first) * _STEP + 2 * _MARGIN <= LONGEST


def _with_margins(phrases: list[Span], chunks: int) -> Iterator[Span]:
    """Chunks -> samples, with what surrounds a phrase: more around a short one, never past the middle of a pause."""
    ends = [-chunks, *(last for _, last in phrases)]
    starts = [*(first for first, _ in phrases), 2 * chunks]
    for index, (first, last) in enumerate(phrases):
        seconds = max(_MARGIN, (SHORTEST - (last - first) * _STEP) / 2)
        margin = round(seconds * SAMPLE_RATE)
        before = min(margin, (first - ends[index]) * CHUNK // 2, first * CHUNK)
        after = min(margin, (starts[index + 1] - last) * CHUNK // 2, (chunks - last) * CHUNK)
        yield first * CHUNK - before, last * CHUNK + after
