"""Cuts moments out of their recordings: each recording is read once, and one that fails costs only its own moments."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby

from emorank.audio.excerpts import Excerpt, excerpts
from emorank.digest import known_digest
from emorank.errors import AudioError
from emorank.index.plan import Indexed
from emorank.taking.moments import Moment, by_recording

LONGEST_PAD = 10.0  # seconds
Check = Callable[[str], None]


def cut(
    moments: Iterable[Moment], pad: float = 0.0, check: Check | None = None, most: int | None = None
) -> Iterator[tuple[Moment, Excerpt | AudioError]]:
    """Every moment with its sound, at the rate and in all channels of its recording, or in the one that was heard.

    Args:
        moments: which.
        pad: seconds before and after, as far as the recording goes.
        check: asked about a recording by its absolute path before it is read, and after each of its moments; raises an
            AudioError where that is not what was indexed.
        most: values (samples times channels) of a clip; larger ones are refused.

    Yields:
        Each moment once, recording by recording; with the reason where it cannot be cut.
    """
    for path, some in by_recording(moments).items():
        by_channel = sorted(some, key=lambda moment: moment.hit.channel or 0)  # stable
        for channel, group in groupby(by_channel, key=lambda moment: moment.hit.channel):
            yield from _of_channel(path, list(group), channel, pad, check or (lambda _: None), most)


def as_indexed(known: Mapping[str, Indexed]) -> Check:
    """A check that recordings have the size and time of change, or else the content, that an index knows."""

    def check(path: str) -> None:
        entry = known.get(path)
        status = os.stat(path)
        same = entry is not None and (status.st_size, status.st_mtime_ns) == (entry.size, entry.changed)
        if not same and (entry is None or entry.digest is None or known_digest(path) != entry.digest):
            raise AudioError(path, "it has changed since it was indexed; update the index.")

    return check


def _of_channel(
    path: str, moments: list[Moment], channel: int | None, pad: float, check: Check, most: int | None
) -> Iterator[tuple[Moment, Excerpt | AudioError]]:
    spans = [(max(0.0, moment.start - pad), moment.end + pad) for moment in moments]
    done = 0
    try:
        check(path)
        for excerpt in excerpts(path, spans, channel, most):
            check(path)
            yield moments[done], excerpt
            done += 1
        return
    except AudioError as error:
        wrong = error
    except OSError as error:
        wrong = AudioError(path, f"it cannot be read ({error.strerror or error}).")
    for moment in moments[done:]:
        yield moment, wrong
