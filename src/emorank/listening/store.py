"""Features of whole recordings and of descriptions, computed once and kept.

They are kept by what was heard and who heard it: the digest of the recording's content, and the fingerprint of the
encoder. A recording that was moved, copied or touched is known; a changed one, or other weights under an old name, are
not. A killed run loses at most the clips that it was encoding.
"""

import logging
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial

import numpy as np

from emorank.audio import SAMPLE_RATE, Reading
from emorank.digest import known_digests
from emorank.encoders import AudioEncoder, TextEncoder
from emorank.errors import AudioError
from emorank.listening.encode import listen, matrix
from emorank.listening.kept import FeatureStore
from emorank.listening.recordings import Recording
from emorank.listening.segments import Segment
from emorank.types import Array, Progress

__all__ = ["FeatureStore", "cropped", "features", "text_features", "whole"]

logger = logging.getLogger(__name__)


def features(
    paths: Sequence[str],
    encoder: AudioEncoder,
    store: FeatureStore | None = None,
    progress: Progress | None = None,
    window: float | None = None,
) -> tuple[Array, list[AudioError | None]]:
    """The features of recordings, from the store where they are known, else heard and stored.

    Args:
        paths: the files; order is kept.
        encoder: gives the vectors.
        store: where they are kept; None is the user's cache.
        progress: called with how many are done, and how many there are.
        window: None hears recordings whole; else they are cropped or zero-padded to so many seconds (paper, 4.1).

    Returns:
        (n, encoder.dim) float32, and for each file None or why it could not be read (its row is zero).
    """
    store = FeatureStore() if store is None else store
    space = encoder.fingerprint if window is None else f"{encoder.fingerprint} {window:g} s"
    errors: list[AudioError | None] = [None] * len(paths)
    digests: list[str | None] = [None] * len(paths)
    for index, (_, digest) in enumerate(known_digests(paths)):
        if isinstance(digest, str):
            digests[index] = digest
        else:
            missing = isinstance(digest, FileNotFoundError)
            reason = "there is no such file." if missing else f"it cannot be opened ({digest.strerror})."
            errors[index] = AudioError(paths[index], reason)
    vectors = store.get(space, sorted({digest for digest in digests if digest}), encoder.dim)
    if window is None:
        vectors |= _adopted(paths, digests, vectors, encoder, store)
    todo = {digest: paths[index] for index, digest in enumerate(digests) if digest and digest not in vectors}
    refused: dict[str, AudioError] = {}
    done = len(paths) - len(todo)
    cut = whole if window is None else partial(cropped, seconds=window)
    unheard = [Recording(path, 0, 0) for path in todo.values()]  # looked at when their turn comes
    for batch in listen(unheard, encoder, cut, "mix") if todo else ():
        column = batch.select(["path", "digest", "reason"]).to_pydict()
        found = dict(zip(column["path"], matrix(batch["feature"]), strict=True))
        reasons = dict(zip(column["path"], column["reason"], strict=True))
        heard = dict(zip(column["digest"], column["path"], strict=True))
        refused |= {path: AudioError(path, reason) for path, reason in reasons.items() if reason is not None}
        new = {digest: found[path] for digest, path in heard.items() if reasons[path] is None}
        store.put(space, new.items())
        vectors |= new
        done += len(batch)
        if progress:
            progress(done, len(paths))
    result = np.zeros((len(paths), encoder.dim), np.float32)
    for index, heard_as in enumerate(digests):
        if heard_as in vectors:
            result[index] = vectors[heard_as]
        elif heard_as is not None:
            error = refused.get(todo[heard_as])
            reason = error.reason if error else "it changed while it was read; run again."
            errors[index] = AudioError(paths[index], reason)
    return result, errors


def text_features(descriptions: Sequence[str], encoder: TextEncoder, store: FeatureStore | None = None) -> Array:
    """The features of descriptions, from the store where they are known, else encoded and stored.

    Returns:
        (n, encoder.dim) float32, in the order of the descriptions.
    """
    store = FeatureStore() if store is None else store
    vectors = store.get(encoder.fingerprint, sorted(set(descriptions)), encoder.dim)
    new = sorted({text for text in descriptions if text not in vectors})
    if new:
        encoded = dict(zip(new, encoder(new), strict=True))
        store.put(encoder.fingerprint, encoded.items())
        vectors |= encoded
    result = np.zeros((len(descriptions), encoder.dim), np.float32)
    for index, text in enumerate(descriptions):
        result[index] = vectors[text]
    return result


def whole(reading: Reading) -> Iterator[Segment]:
    """A recording as one segment."""
    wave = reading.load()
    yield Segment(0.0, len(wave) / SAMPLE_RATE, wave)


def cropped(reading: Reading, seconds: float) -> Iterator[Segment]:
    """The first seconds of a recording as one segment, zero-padded where it is shorter."""
    wave = reading.load(end=seconds)
    padded = np.pad(wave, (0, max(0, round(seconds * SAMPLE_RATE) - len(wave))))
    yield Segment(0.0, seconds, padded)


def _adopted(
    paths: Sequence[str],
    digests: Sequence[str | None],
    known: dict[str, Array],
    encoder: AudioEncoder,
    store: FeatureStore,
) -> dict[str, Array]:
    """Features that emorank 0.1.0's first stores hold: by name of the encoder, path, size and time of change.

    Only of packaged weights, which cannot have changed under their name. What is taken over is kept in the new store.
    """
    old = store.path.with_name(re.sub(r"[^\w.-]+", "_", encoder.name) + ".sqlite")
    if not old.exists():
        return {}
    if not encoder.name.startswith("whisper-base/"):
        logger.warning("%s: features of an older emorank, of weights that it did not note; they are not used.", old)
        return {}
    wanted = {}
    for path, digest in zip(paths, digests, strict=True):
        if digest and digest not in known:
            file = Recording.now(path)
            wanted[f"{os.path.abspath(path)}|{file.size}|{file.changed}"] = digest
    found: dict[str, Array] = {}
    try:
        with closing(sqlite3.connect(old, timeout=60)) as connection:
            for key, digest in wanted.items():
                row = connection.execute("SELECT vector FROM features WHERE key = ?", [key]).fetchone()
                if row is not None and len(row[0]) == 4 * encoder.dim:
                    found[digest] = np.frombuffer(row[0], np.float32)
    except sqlite3.Error as error:
        logger.warning("%s: features of an older emorank that cannot be read (%s); they are not used.", old, error)
    if found:
        store.put(encoder.fingerprint, found.items())
    return found
