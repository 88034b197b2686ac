"""Puts recordings into the files of a large index, takes rows out, and makes both count at once."""

import bisect
from dataclasses import replace

import msgspec
import numpy as np

from emorank.search.mapped import store as files
from emorank.search.mapped.parts import ROWS, Part
from emorank.search.mapped.store import Store

_UNSORTED = 0.1  # share of rows whose names may be looked through one by one


class Writer:
    """What a next version will hold, beyond the one that it begins from.

    A recording's rows lie one after the other. One of which rows are added goes on as a new one with all its rows.

    Args:
        store: the version to begin from.
    """

    def __init__(self, store: Store) -> None:
        self._before = store
        self._store = store  # with what was added
        self._order = store["order"].astype(np.int64)
        self._dead = [store["dead"].astype(np.int64)]
        self._moved = (store["moved"].astype(np.int64), store["moved_to"])
        self._unheard = store["unheard"]
        self._damage = dict(store.manifest.damage)
        self._random = np.random.default_rng(len(store))

    def add(self, part: Part) -> None:
        """Put recordings at the end."""
        self._unheard = np.concatenate([self._unheard, part.unheard])
        if not part.paths:
            return
        places = [bisect.bisect_left(self._order, path, key=self._path) for path in part.paths]
        known = [
            (i, int(self._order[place]))
            for i, (place, path) in enumerate(zip(places, part.paths, strict=True))
            if place < len(self._order) and self._path(self._order[place]) == path
        ]
        rows, counts = dict(part.rows), part.counts.copy()
        chosen = np.flatnonzero(self._random.random(len(part.embeddings)) < self._store.manifest.share)
        sample = (chosen, part.embeddings[chosen])
        for i, number in reversed(known):  # from the last on, so that places before stay what they are
            sample = self._continued(rows, counts, sample, i, number)
        at = self._store.manifest.lengths
        count, recordings = len(rows["id"]), len(part.paths)
        numbers = at["recordings"] + np.arange(recordings)
        self._append(
            rows
            | part.recordings
            | {
                "recording": np.repeat(numbers, counts),
                "path": np.frombuffer(b"".join(part.paths), np.uint8),
                "path_end": at["bytes"] + np.cumsum([len(path) for path in part.paths]),
                "first": at["rows"] + np.cumsum(counts) - counts,
                "count": counts,
                "sample_row": at["rows"] + sample[0],
                "sample": sample[1],
            },
            {"rows": count, "recordings": recordings, "bytes": sum(map(len, part.paths)), "sample": len(sample[0])},
        )
        self._damage |= {int(n): note for n, note in zip(numbers, part.damage, strict=True) if note is not None}
        again = {i for i, _ in known}
        self._order[[places[i] for i in again]] = numbers[list(again)]
        new = [i for i in range(recordings) if i not in again]
        self._order = np.insert(self._order, [places[i] for i in new], numbers[new])

    def removes(self, rows: np.ndarray, unheard: np.ndarray) -> None:
        """Rows, and ids of recordings that could not be heard, that the table has no more."""
        self._unheard = self._unheard[~np.isin(self._unheard, unheard)]
        if not len(rows):
            return
        self._dead.append(rows)
        touched = np.unique(self._store["recording"][rows])
        alive = self._alive()
        first, count = self._store["first"], self._store["count"]
        gone = [n for n in touched.tolist() if not alive[int(first[n]) : int(first[n]) + int(count[n])].any()]
        self._order = self._order[~np.isin(self._order, gone)]

    def moves(self, rows: np.ndarray, ids: np.ndarray) -> None:
        """Rows that lie elsewhere in the table now."""
        rows = np.concatenate([rows, self._moved[0]])  # the newest of a row comes first
        ids = np.concatenate([ids, self._moved[1]])
        unique, at = np.unique(rows, return_index=True)
        self._moved = (unique, ids[at])
        self._store = replace(self._store, arrays=self._store.arrays | {"moved": unique, "moved_to": ids[at]})

    def commit(self, version: int, began: int | None = None) -> Store:
        """Make it count; gives what is there now.

        Args:
            version: of the table.
            began: how many rows the table has where the files are made anew.
        """
        store, dead = self._store, np.unique(np.concatenate(self._dead))
        changing = {"moved": self._moved[0], "moved_to": self._moved[1], "dead": dead, "order": self._order}
        changing["unheard"] = self._unheard
        if len(store) - len(store["by_id"]) > _UNSORTED * len(store):
            changing["by_id"] = np.argsort(store.whole("id"), kind="stable")
        else:
            changing["by_id"] = store["by_id"]
        began = store.manifest.began if began is None else began
        manifest = msgspec.structs.replace(store.manifest, version=version, began=began, damage=self._damage)
        same = {
            name: values
            for name, values in changing.items()
            if name not in self._before.manifest.changing or not np.array_equal(values, self._before[name])
        }
        files.committed(store.folder, manifest, same, self._before.manifest)
        opened = files.opened(store.folder, thorough=False)
        if opened is None:
            raise OSError(None, "what was written cannot be read again", str(store.folder))
        return opened

    def _continued(
        self,
        rows: dict[str, np.ndarray],
        counts: np.ndarray,
        sample: tuple[np.ndarray, np.ndarray],
        i: int,
        number: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put the rows that a recording has already before its new ones, which then are in order."""
        store = self._store
        first, count = int(store["first"][number]), int(store["count"][number])
        old = first + np.flatnonzero(self._alive(first, first + count))
        begin = int(counts[:i].sum())
        span = slice(begin, begin + int(counts[i]))
        joined = {name: np.concatenate([store[name][old], rows[name][span]]) for name in ROWS}
        joined["rowid"][: len(old)] = store.places_in_table(old)
        order = np.lexsort((joined["channel"], joined["start"]))
        for name in ROWS:
            rows[name] = np.concatenate([rows[name][:begin], joined[name][order], rows[name][span.stop :]])
        self._dead.append(old)
        place = np.argsort(order)  # of each of `joined` among the ordered
        at = np.flatnonzero(np.isin(store["sample_row"], old))
        kept = place[np.searchsorted(old, store["sample_row"][at])] + begin
        chosen, embeddings = sample
        here = (chosen >= span.start) & (chosen < span.stop)
        moved = np.where(chosen >= span.stop, chosen + len(old), chosen)
        moved[here] = begin + place[len(old) + chosen[here] - begin]
        counts[i] += len(old)
        every = np.concatenate([moved, kept])
        sequence = np.argsort(every)
        return every[sequence], np.concatenate([embeddings, store["sample"][at]])[sequence]

    def _append(self, values: dict[str, np.ndarray], grown: dict[str, int]) -> None:
        lengths = self._store.manifest.lengths
        arrays = files.appended(self._store, values, lengths)
        longer = {name: lengths[name] + more for name, more in grown.items()}
        manifest = msgspec.structs.replace(self._store.manifest, lengths=longer)
        self._store = replace(self._store, manifest=manifest, arrays=self._store.arrays | arrays)

    def _alive(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        stop = len(self._store) if stop is None else stop
        alive = np.ones(stop - start, bool)
        for rows in self._dead:
            alive[rows[(rows >= start) & (rows < stop)] - start] = False
        return alive

    def _path(self, number: int) -> bytes:
        return self._store.path(int(number))
