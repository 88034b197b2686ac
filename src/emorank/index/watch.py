"""Follows folders: says when something in them changed and has come to rest."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Event

from emorank.audio import SUFFIXES
from emorank.listening.recordings import within

_REST = 1_000  # milliseconds without a change before a burst of changes counts as over
_BURST = 30_000  # milliseconds after which it counts in any case
_ANYWAY = 600.0  # seconds after which to look without news: not every file system, above all over a network, gives them


def changes(roots: Sequence[str], stop: Event | None = None) -> Iterator[set[str]]:
    """Waits for recordings to appear, change or vanish.

    Args:
        roots: folders and recordings, absolute; those that are not there are not watched.
        stop: ends the iteration when it is set.

    Yields:
        The paths that changed, a burst of changes at a time; nothing once at the beginning, when changes begin to be
        seen, and every ten minutes.
    """
    from watchfiles import Change, watch

    def ours(change: Change, path: str) -> bool:
        root = next((root for root in roots if within(path, root)), os.sep)
        hidden = any(part.startswith(".") for part in Path(os.path.relpath(path, root)).parts if part != ".")
        # A folder that came or went has no suffix of a recording but may hold some.
        return not hidden and (Path(path).suffix.lower() in SUFFIXES or change != Change.modified)

    there = [root for root in roots if os.path.exists(root)]
    seen = float("-inf")
    for burst in watch(
        *there,
        watch_filter=ours,
        stop_event=stop,
        yield_on_timeout=True,
        step=_REST,
        debounce=_BURST,
        rust_timeout=_REST,
    ):
        if burst or time.monotonic() - seen > _ANYWAY:
            seen = time.monotonic()
            yield {path for _, path in burst}
