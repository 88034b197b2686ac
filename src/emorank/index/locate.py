"""Where recordings lie by an encoder's own regression head, without a model and without an index."""

import os

import numpy as np

from emorank.encoders import Locates
from emorank.encoders.base import Array
from emorank.errors import AudioError
from emorank.index.update import Segments
from emorank.listening.encode import encoded
from emorank.listening.recordings import recordings
from emorank.listening.store import Progress


class _Points:
    """The head as an encoder, whose vectors are points."""

    name = "points"
    dim = 3

    def __init__(self, head: Locates) -> None:
        self.fingerprint = f"{head.fingerprint}-points"
        self.device = head.device
        self._head = head

    def __call__(self, waves: list[np.ndarray]) -> Array:
        return self._head.points(waves)


def locate(
    root: str | os.PathLike[str], head: Locates, progress: Progress | None = None
) -> tuple[Segments, list[AudioError]]:
    """The segments of a folder, or of one recording, with their points and without embeddings.

    Returns:
        The segments by path and start, and the recordings that could not be read, each with its reason.

    Raises:
        EmorankError: there is nothing at `root`.
    """
    todo, broken = recordings(root)
    rows = []
    done = 0
    for batch in encoded(todo, _Points(head)):
        broken += [AudioError(row.recording.path, row.reason) for row in batch if row.reason is not None]
        rows += [row for row in batch if row.reason is None]
        done += len({row.recording.path for row in batch})
        if progress:
            progress(done, len(todo))
    rows.sort(key=lambda row: (row.recording.path, row.start))
    segments = Segments(
        [row.recording.path for row in rows],
        np.array([row.start for row in rows]),
        np.array([row.end for row in rows]),
        np.zeros((len(rows), 0), np.float32),
        np.array([row.feature for row in rows], np.float32).reshape(-1, 3),
        np.array([row.loudness for row in rows], np.float32),
    )
    return segments, sorted(broken, key=lambda error: error.path)
