"""Cuts moments out of their recordings: each recording is read once, and one that fails costs only its own moments."""

import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from emorank.audio.excerpts import Excerpt, excerpts
from emorank.digest import known_digest
from emorank.errors import AudioError
from emorank.index.plan import Indexed
from emorank.taking.moments import Moment, by_recording

LONGEST_PAD = 10.0  # seconds


def cut(
    moments: Iterable[Moment], pad: float = 0.0, known: Mapping[str, Indexed] | None = None, most: int | None = None
) -> Iterator[tuple[Moment, Excerpt | AudioError]]:
    """Every moment with its sound, at the rate and in all channels of its recording, or in the one that was heard.

    Args:
        moments: which.
        pad: seconds before and after, as far as the recording goes.
        known: what the index knows of the recordings by absolute path: one that is not that any more is not cut. None
            takes them as they are.
        most: values (samples times channels) of a clip; larger ones are refused.

    Yields:
        Each moment once, recording by recording; with the reason where it cannot be cut.
    """
    for path, some in by_recording(moments).items():
        wrong = None if known is None else _changed(path, known.get(path))
        by_channel = sorted(some, key=lambda moment: moment.hit.channel or 0)  # stable
        for channel, group in groupby(by_channel, key=lambda moment: moment.hit.channel):
            yield from _of_channel(path, list(group), channel, pad, wrong, most)


def _of_channel(
    path: str, moments: list[Moment], channel: int | None, pad: float, wrong: AudioError | None, most: int | None
) -> Iterator[tuple[Moment, Excerpt | AudioError]]:
    spans = [(max(0.0, moment.start - pad), moment.end + pad) for moment in moments]
    done = 0
    if wrong is None:
        try:
            for excerpt in excerpts(path, spans, channel, most):
                yield moments[done], excerpt
                done += 1
            return
        except AudioError as error:
            wrong = error
        except OSError as error:
            wrong = AudioError(path, f"it cannot be read ({error.strerror or error}).")
    for moment in moments[done:]:
        yield moment, wrong


def _changed(path: str, known: Indexed | None) -> AudioError | None:
    """Why a recording is not what was indexed; None where it is."""
    try:
        status = os.stat(path)
        same = known is not None and (status.st_size, status.st_mtime_ns) == (known.size, known.changed)
        if same or (known is not None and known.digest is not None and known_digest(path) == known.digest):
            return None
    except OSError as error:
        return AudioError(path, f"it cannot be read ({error.strerror or error}).")
    return AudioError(path, "it has changed since it was indexed; update the index.")
