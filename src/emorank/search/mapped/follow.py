"""Brings the files of a large index up to its table: reads what is new, notes what is gone, touches nothing else."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import EmorankError
from emorank.index.view import View
from emorank.search.mapped import store as files
from emorank.search.mapped.parts import NEEDED, part_of
from emorank.search.mapped.store import Store
from emorank.search.mapped.writer import Writer
from emorank.storage import cache_folder, private_folder

SAMPLE = 16_384  # rows that percentiles are found from, and the leading directions
_OUTGROWN = 2.0  # times as many rows as when the directions were found
_GONE = 0.25  # share of rows that are no more, from which on all is made anew
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Followed:
    """The files at the version of a view, which the rows of the table are read from.

    Args:
        store: the files.
        view: of the table, at the version of the files.
        kept: keeps a folder as long as the files are used, where they lie in no cache.
    """

    store: Store
    view: View
    kept: object = None


def folder_of(view: View) -> Path:
    """Where the files of a table lie, in the user's cache."""
    name = blake2b(f"{view.folder}|{view.name}".encode("utf8", "surrogateescape"), digest_size=8).hexdigest()
    return cache_folder() / "search" / name


def followed(view: View, progress: Progress | None = None) -> Followed:
    """The files of a table, brought up to it.

    Where another process is about it, what it brought them up to last: of a moment ago. Where the cache cannot be
    written, the files last as long as this process.

    Args:
        view: the table at its latest version.
        progress: called with rows read and to read.

    Raises:
        DamagedIndex: a row of the table is not what was written.
        EmorankError: they can be written nowhere.
    """
    from filelock import FileLock, Timeout

    folder = folder_of(view)
    try:
        private_folder(folder)
        lock = FileLock(folder / ".lock", mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            before = files.opened(folder, thorough=False)
            if before is not None and before.manifest.made == view.made:
                with suppress(EmorankError):  # its version may be gone from the table
                    return Followed(before, View(view.folder, view.name, before.manifest.version))
            lock.acquire()  # another process makes them
        try:
            return Followed(_brought_up(folder, view, progress), view)
        finally:
            lock.release()
    except OSError:
        return _elsewhere(view, progress)


def _elsewhere(view: View, progress: Progress | None) -> Followed:
    try:
        place = tempfile.TemporaryDirectory(prefix="emorank-", ignore_cleanup_errors=True)
        return Followed(_brought_up(Path(place.name), view, progress), view, place)
    except OSError as error:
        raise EmorankError(
            f"{view.folder}: the index is larger than the memory it may take, and what it is searched by can be "
            f"written neither to {cache_folder()} nor to {tempfile.gettempdir()} ({error.strerror or error}); make "
            "room there, or allow more memory with --memory."
        ) from error


def _brought_up(folder: Path, view: View, progress: Progress | None) -> Store:
    store = files.opened(folder)
    if store is not None and store.manifest.made == view.made:
        if store.manifest.version == view.version:
            return store
        live = view.ids()
        if not _outgrown(store, len(live)):
            return _with_changes(store, view, live, progress)
    else:
        live = view.ids()
    share = min(1.0, SAMPLE / max(1, len(live)))
    begun = files.begun(folder, view.made, share, _sample(view, live))
    writer = Writer(begun)
    done = 0
    for ids, rows in _whole(view.all(NEEDED, ("searched", "file"))):
        writer.add(part_of(begun, ids, rows))
        done += len(ids)
        if progress:
            progress(done, len(live))
    return writer.commit(view.version, began=len(live))


def _whole(batches: Iterator[tuple[np.ndarray, Any]]) -> Iterator[tuple[np.ndarray, Any]]:
    """The same rows, but for the last recording of each batch, which comes with the next one."""
    import pyarrow as pa

    ids, rows = np.zeros(0, np.uint64), None
    for more_ids, more in batches:
        ids, rows = np.concatenate([ids, more_ids]), more if rows is None else pa.concat_tables([rows, more])
        paths = rows["path"]
        last, stop = paths[len(rows) - 1], len(rows)
        while stop and paths[stop - 1] == last:
            stop -= 1
        if stop:
            yield ids[:stop], rows.slice(0, stop)
        ids, rows = ids[stop:], rows.slice(stop)
    if rows is not None:
        yield ids, rows


def _outgrown(store: Store, live: int) -> bool:
    gone = len(store["dead"]) > _GONE * max(len(store), files.DIMS)
    return gone or live > _OUTGROWN * max(store.manifest.began, SAMPLE)


def _with_changes(store: Store, view: View, live: np.ndarray, progress: Progress | None) -> Store:
    vanished, unheard, fresh = _differences(store, live)
    writer = Writer(store)
    if len(vanished) and len(fresh):  # small files were put together, or recordings were written again as they are
        at, where = _moved(store.whole("sum")[vanished], view.sums(fresh))
        writer.moves(vanished[at], fresh[where])
        vanished, fresh = np.delete(vanished, at), np.delete(fresh, where)
    writer.removes(vanished, unheard)
    done = 0
    for ids, rows in view.some(fresh, NEEDED, ("searched", "file")):
        writer.add(part_of(store, ids, rows))
        done += len(ids)
        if progress:
            progress(done, len(fresh))
    return writer.commit(view.version)


def _differences(store: Store, live: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the files that the table has no more, ids of unheard recordings of which the same is true, and new ids.

    The upper half of an id is LanceDB's file, whose rows can only become fewer: as many are the same.
    """
    alive = np.ones(len(store), bool)
    alive[store["dead"]] = False
    rows = np.flatnonzero(alive) if len(store["dead"]) else np.arange(len(store))
    known = np.concatenate([store.places_in_table()[rows], store["unheard"]])
    here, there = ((ids >> np.uint64(32)).astype(np.int64) for ids in (known, live))
    most = int(max(here.max(initial=0), there.max(initial=0))) + 1
    differ = np.bincount(here, minlength=most) != np.bincount(there, minlength=most)
    at, ids = np.flatnonzero(differ[here]), live[differ[there]]
    gone = at[~np.isin(known[at], ids, assume_unique=True)]
    heard = gone[gone < len(rows)]
    return rows[heard], known[gone[len(heard) :]], ids[~np.isin(ids, known[at], assume_unique=True)]


def _moved(gone: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of sums in `gone` and of the same in `new`; those without a sum are none."""
    both, at, where = np.intersect1d(gone, new, return_indices=True)
    return at[both != 0], where[both != 0]


def _sample(view: View, live: np.ndarray) -> np.ndarray:
    some = live if len(live) <= SAMPLE else np.sort(np.random.default_rng(0).choice(live, SAMPLE, replace=False))
    from emorank.listening.encode import matrix

    parts = [matrix(rows["embedding"]) for _, rows in view.some(some, ["embedding"], ())]
    return np.concatenate(parts) if parts else np.zeros((1, view.dim), np.float32)
