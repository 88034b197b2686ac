"""Encoder outputs, computed once and kept on disk.

One SQLite file an encoder, one row a recording or a description. Rows are added in transactions, so a killed run loses
at most the clips it was encoding. A recording that changes (size or time of change) is encoded anew.
"""

import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from emorank import audio
from emorank.encoders import AudioEncoder, TextEncoder
from emorank.errors import AudioError, EmorankError
from emorank.storage import cache_folder

_SECONDS_AT_ONCE = 600.0  # of audio held in memory; long enough for batches of equal length
_KEYS_AT_ONCE = 500  # bound parameters of one query

Array = np.ndarray[Any, np.dtype[np.float32]]
Progress = Callable[[int, int], None]  # done, total


class FeatureStore:
    """Vectors of one encoder, by recording.

    Args:
        encoder: name of the encoder.
        folder: where the file lies; None is the user's cache.

    Raises:
        EmorankError: the file cannot be opened as a feature store.
    """

    def __init__(self, encoder: str, folder: Path | None = None) -> None:
        folder = cache_folder() / "features" if folder is None else folder
        self.path = folder / (re.sub(r"[^\w.-]+", "_", encoder) + ".sqlite")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with closing(self._connect()) as connection, connection:
                connection.execute("PRAGMA journal_mode=WAL")
                connection.execute("CREATE TABLE IF NOT EXISTS features (key TEXT PRIMARY KEY, vector BLOB NOT NULL)")
        except (OSError, sqlite3.Error) as error:
            raise EmorankError(
                f"{self.path}: the feature store cannot be opened ({error}); remove it to start anew."
            ) from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=60)

    def get(self, keys: Sequence[str]) -> dict[str, Array]:
        """The vectors that are known among `keys`."""
        found: dict[str, Array] = {}
        with closing(self._connect()) as connection:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = list(keys[start : start + _KEYS_AT_ONCE])
                marks = ",".join("?" * len(some))
                for key, blob in connection.execute(f"SELECT key, vector FROM features WHERE key IN ({marks})", some):
                    found[key] = np.frombuffer(blob, np.float32)
        return found

    def put(self, vectors: Iterable[tuple[str, Array]]) -> None:
        """Keep vectors, in one transaction."""
        rows = [(key, np.ascontiguousarray(vector, np.float32).tobytes()) for key, vector in vectors]
        with closing(self._connect()) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", rows)


def key_of(path: str) -> str:
    """What identifies a recording as it is now: absolute path, size and time of change.

    Raises:
        AudioError: the file cannot be looked at.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise AudioError(path, "there is no such file.") from error
    return f"{os.path.abspath(path)}|{status.st_size}|{status.st_mtime_ns}"


def recordings(
    paths: Sequence[str],
    encoder: AudioEncoder,
    store: FeatureStore | None = None,
    progress: Progress | None = None,
) -> tuple[Array, list[AudioError | None]]:
    """The features of recordings, from the store where they are known, else encoded and stored.

    Args:
        paths: the files; order is kept.
        encoder: gives the vectors.
        store: where they are kept; None is the user's cache.
        progress: called with how many are done, and how many there are.

    Returns:
        (n, encoder.dim) float32, and for each file None or why it could not be read (its row is zero).
    """
    store = FeatureStore(encoder.name) if store is None else store
    features = np.zeros((len(paths), encoder.dim), np.float32)
    errors: list[AudioError | None] = [None] * len(paths)
    keys: dict[int, str] = {}
    for index, path in enumerate(paths):
        try:
            keys[index] = key_of(path)
        except AudioError as error:
            errors[index] = error
    known = store.get(sorted(set(keys.values())))
    todo = []
    for index, key in keys.items():
        if key in known and known[key].shape == (encoder.dim,):
            features[index] = known[key]
        else:
            todo.append(index)
    done = len(paths) - len(todo)
    for indices, waves in _decoded(paths, todo, errors):
        vectors = encoder(waves) if waves else np.zeros((0, encoder.dim), np.float32)
        good = [index for index in indices if errors[index] is None]
        features[good] = vectors
        store.put((keys[index], vector) for index, vector in zip(good, vectors, strict=True))
        done += len(indices)
        if progress:
            progress(done, len(paths))
    return features, errors


def texts(descriptions: Sequence[str], encoder: TextEncoder, store: FeatureStore | None = None) -> Array:
    """The features of descriptions, from the store where they are known, else encoded and stored.

    Returns:
        (n, encoder.dim) float32, in the order of the descriptions.
    """
    store = FeatureStore(f"text-{encoder.name}") if store is None else store
    known = store.get(sorted(set(descriptions)))
    new = sorted({text for text in descriptions if text not in known})
    if new:
        vectors = dict(zip(new, encoder(new), strict=True))
        store.put(vectors.items())
        known |= vectors
    return np.stack([known[text] for text in descriptions])


def _decoded(
    paths: Sequence[str], todo: Sequence[int], errors: list[AudioError | None]
) -> Iterator[tuple[list[int], list[np.ndarray]]]:
    """Runs of recordings of about ten minutes together; what cannot be read is noted in `errors`."""
    indices: list[int] = []
    waves: list[np.ndarray] = []
    seconds = 0.0
    for index in todo:
        indices.append(index)
        try:
            waves.append(audio.load(paths[index]))
            seconds += len(waves[-1]) / audio.SAMPLE_RATE
        except AudioError as error:
            errors[index] = error
        if seconds >= _SECONDS_AT_ONCE or len(indices) >= _KEYS_AT_ONCE:
            yield indices, waves
            indices, waves, seconds = [], [], 0.0
    if indices:
        yield indices, waves
