"""What is known of segments and recordings, looked up in the files when it is asked for: as lists and dicts give it."""

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from emorank.index.plan import Indexed
from emorank.search.mapped.parts import named
from emorank.search.mapped.store import Store


class Texts(Sequence[str]):
    """A text for every row.

    Args:
        store: the files.
        made: makes it of the path of the row's recording.
    """

    def __init__(self, store: Store, made: Callable[[str], str] = str) -> None:
        self._store, self._made = store, made

    def __len__(self) -> int:
        return len(self._store)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        """Of a row, or of some."""
        if isinstance(row, slice):
            return [self[at] for at in range(len(self))[row]]
        return self._made(decoded(self._store.path(int(self._store["recording"][row]))))


class Recordings(Mapping[str, Indexed]):
    """The recordings that have segments, by absolute path."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __len__(self) -> int:
        return len(self._store["order"])

    def __iter__(self) -> Iterator[str]:
        return (decoded(self._store.path(int(number))) for number in self._store["order"])

    def __getitem__(self, path: str) -> Indexed:
        """Size, time of change and digest of a recording."""
        number = self.number(path)
        if number is None:
            raise KeyError(path)
        digest = bytes(self._store["digest"][number])
        size, changed = (int(self._store[name][number]) for name in ("size", "changed"))
        return Indexed(size, changed, digest.hex() if any(digest) else None, None)

    def number(self, path: str) -> int | None:
        """Of a recording; None where there is none of this path."""
        order, encoded = self._store["order"], path.encode("utf8", "surrogateescape")
        at = bisect.bisect_left(order, encoded, key=lambda number: self._store.path(int(number)))
        found = at < len(order) and self._store.path(int(order[at])) == encoded
        return int(order[at]) if found else None

    def under(self, root: str) -> np.ndarray:
        """Numbers of the recordings of a folder, or of one recording, in the order of their paths."""
        import os

        order, top = self._store["order"], root.rstrip(os.sep).encode("utf8", "surrogateescape")
        key = os.sep.encode()
        first, last = (
            bisect.bisect_left(order, edge, key=lambda number: self._store.path(int(number)))
            for edge in (top + key, top + bytes([key[0] + 1]))
        )
        itself = self.number(root)
        inside = order[first:last]
        return inside if itself is None else np.concatenate([[itself], inside]).astype(order.dtype)


class Contents(Mapping[str, list[str]]):
    """The paths of recordings, in order, by the digest of what is in them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        halves = np.ascontiguousarray(store["digest"]).view(">u8")[:, 0] if len(store["digest"]) else np.zeros(0, ">u8")
        self._heads = halves[store["order"]].astype(np.uint64)
        self._sorted = np.argsort(self._heads, kind="stable")

    def __len__(self) -> int:
        return len(np.unique(self._heads))

    def __iter__(self) -> Iterator[str]:
        numbers = self._store["order"][self._sorted]
        return iter(dict.fromkeys(bytes(self._store["digest"][number]).hex() for number in numbers))

    def __getitem__(self, digest: str) -> list[str]:
        """The paths of a content."""
        wanted = bytes.fromhex(digest)
        head = np.uint64(int.from_bytes(wanted[:8], "big"))
        span = slice(*(np.searchsorted(self._heads, head, side, self._sorted) for side in ("left", "right")))
        numbers = self._store["order"][self._sorted[span]]
        found = [n for n in numbers.tolist() if bytes(self._store["digest"][n]) == wanted and any(wanted)]
        if not found:
            raise KeyError(digest)
        return [decoded(self._store.path(number)) for number in found]


class Names(Mapping[str, int]):
    """The row of every short name.

    Args:
        store: the files.
        alive: (n,) which rows are there; None for all.
    """

    def __init__(self, store: Store, alive: np.ndarray | None) -> None:
        self._store, self._alive = store, alive

    def __len__(self) -> int:
        return len(self._store) if self._alive is None else int(self._alive.sum())

    def __iter__(self) -> Iterator[str]:
        rows = range(len(self._store)) if self._alive is None else np.flatnonzero(self._alive)
        return (named(int(self._store["id"][row])) for row in rows)

    def __getitem__(self, name: str) -> int:
        """Rows that were added last are looked through, the others are in order."""
        wanted = np.uint64(int(name, 16))
        ids, by_id = self._store["id"], self._store["by_id"]
        low = bisect.bisect_left(by_id, wanted, key=lambda row: ids[int(row)])
        high = low
        while high < len(by_id) and ids[int(by_id[high])] == wanted:
            high += 1
        rows = [*by_id[low:high].tolist(), *(len(by_id) + np.flatnonzero(ids[len(by_id) :] == wanted)).tolist()]
        for row in rows:
            if self._alive is None or self._alive[row]:
                return int(row)
        raise KeyError(name)


class Firsts(Mapping[str, int]):
    """The first row of every recording by its short name.

    Args:
        store: the files.
        numbers: of the recordings that are there.
    """

    def __init__(self, store: Store, numbers: np.ndarray) -> None:
        self._store, self._numbers = store, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return (named(int(self._store["name"][number])) for number in self._numbers)

    def __getitem__(self, name: str) -> int:
        """Of a recording."""
        alike = np.flatnonzero(self._store["name"] == np.uint64(int(name, 16)))
        there = alike[np.isin(alike, self._numbers)]
        if not len(there):
            raise KeyError(name)
        return int(self._store["first"][there[0]])


class Damage(Mapping[str, str]):
    """What is missing of recordings, by path."""

    def __init__(self, store: Store) -> None:
        self._store, self._recordings = store, Recordings(store)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __iter__(self) -> Iterator[str]:
        there = set(self._store["order"].tolist()) & self._store.manifest.damage.keys()
        return (decoded(self._store.path(number)) for number in there)

    def __getitem__(self, path: str) -> str:
        """In a sentence."""
        number = self._recordings.number(path)
        if number is None:
            raise KeyError(path)
        return self._store.manifest.damage[number]


def decoded(path: bytes) -> str:
    """A path as Python has it."""
    return path.decode("utf8", "surrogateescape")


def series(store: Store) -> Any:
    """The paths of all recordings by number, as a column of polars."""
    import polars as pl
    import pyarrow as pa

    ends = np.concatenate([[0], store["path_end"]]).astype(np.int64)
    buffers = [None, pa.py_buffer(ends.data), pa.py_buffer(np.ascontiguousarray(store["path"]).data)]
    texts = pa.Array.from_buffers(pa.large_string(), len(ends) - 1, buffers)
    return pl.Series("path", texts, dtype=pl.String)
