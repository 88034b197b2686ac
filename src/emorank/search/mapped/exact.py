"""Embeddings as the table has them, of some rows; checked with what the files say of those rows."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError
from emorank.index import sums
from emorank.listening.encode import fixed_size_list, matrix
from emorank.search.mapped.follow import Followed
from emorank.search.mapped.store import MANIFEST, Store


class Stale(EmorankError):
    """What the index is searched by is not what was written, or of a version that is no more; it is made anew."""


def exact(followed: Followed, rows: np.ndarray, made: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """What a function makes of the embeddings of rows, some thousands at a time.

    The sum of a row is of all that a search shows of it. It is built of what the files say and the embedding that the
    table gives, so that neither can be anything else than what was heard.

    Args:
        followed: the files and the table.
        rows: each once.
        made: (n, embedding_dim) -> (n, ...).

    Raises:
        DamagedIndex: a row of the table is not what was written.
        Stale: a row of the files is not, or the table has lost it.
    """
    store, view = followed.store, followed.view
    ids = store.places_in_table(rows)
    order = np.argsort(ids)
    found: np.ndarray | None = None
    seen = 0
    for some, table in view.some(ids[order], ["embedding"], ()):
        embeddings = matrix(table["embedding"])
        places = order[np.searchsorted(ids, some, sorter=order)]
        if not _sound(store, rows[places], embeddings):
            for _ in view.some(some, [], ("searched",)):  # says so where it is the table
                pass
            raise _stale(store)
        result = made(embeddings)
        if found is None:
            found = np.empty((len(rows), *result.shape[1:]), result.dtype)
        found[places] = result
        seen += len(some)
    if seen != len(rows):
        raise _stale(store)
    return made(np.zeros((0, view.dim), np.float32)) if found is None else found


def _sound(store: Store, rows: np.ndarray, embeddings: np.ndarray) -> bool:
    import pyarrow as pa

    stated = store["sum"][rows]
    if not stated.any():  # an older emorank wrote no sums
        return True
    recordings = store["recording"][rows].tolist()
    channels = store["channel"][rows]
    places = store["places"][rows]
    table = pa.table(
        {
            "path": pa.array([store.path(n) for n in recordings], pa.binary()).cast(pa.string(), safe=False),
            "start": store["start"][rows],
            "channel": pa.array(channels.astype(np.int64), mask=channels == 0),
            "end": store["end"][rows],
            "embedding": fixed_size_list(embeddings),
            **{name: places[:, i] for i, name in enumerate(DIMENSIONS)},
            "loudness": store["loudness"][rows],
            "speech": store["speech"][rows],
            "damage": pa.array([store.manifest.damage.get(n) for n in recordings], pa.string()),
            "reason": pa.nulls(len(rows), pa.string()),
        }
    )
    found: bool = bool((sums.of_group(table, "searched") == stated).all())
    return found


def _stale(store: Store) -> Stale:
    with suppress(OSError):
        (store.folder / MANIFEST).unlink()
    return Stale(
        "What the index is searched by was damaged, or of a version that is gone; it is made anew. Search again."
    )
