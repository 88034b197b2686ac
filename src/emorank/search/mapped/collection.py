"""What is searched, in files: the same as a `Collection` in memory gives, looked up when it is asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.search.mapped import lookups
from emorank.search.mapped.columns import OF_ROWS, ROWS_AT_ONCE, Columns, Shown
from emorank.search.mapped.follow import Followed
from emorank.search.mapped.parts import named
from emorank.search.mapped.segments import MappedSegments
from emorank.search.mapped.store import MANIFEST

if TYPE_CHECKING:
    import polars as pl


class MappedCollection(Columns):
    """The segments of a large index. A row is a place in its files; not every place need be a segment any more.

    Args:
        followed: the files, and the table that they follow.
        labels: see `Collection`.
        shown: how paths are shown.
        under: only what lies in this folder, or in this recording; everything where it is None.
    """

    def __init__(
        self,
        followed: Followed,
        labels: "pl.DataFrame | None" = None,
        shown: Shown | None = None,
        under: str | None = None,
    ) -> None:
        super().__init__(followed.store, labels, shown or Shown())
        self.followed = followed
        self.segments = MappedSegments(followed)
        self.numbers = self.store["order"] if under is None else lookups.Recordings(self.store).under(under)
        self._all = len(self.numbers) == len(self.store["order"])

    def __len__(self) -> int:
        return len(self.store) if self.alive is None else int(self.alive.sum())

    @cached_property
    def alive(self) -> np.ndarray | None:
        """(n,) which rows are segments that are searched; None for all."""
        if self._all and not len(self.store["dead"]):
            return None
        alive = np.ones(len(self.store), bool)
        if not self._all:
            inside = np.zeros(self.store.manifest.lengths["recordings"], bool)
            inside[self.numbers] = True
            alive = inside[self.store["recording"]]
        alive[self.store["dead"]] = False
        return alive

    @cached_property
    def recordings(self) -> Mapping[str, Any]:
        """What the index knows of recordings, by absolute path."""
        return lookups.Recordings(self.store)

    @cached_property
    def by_content(self) -> Mapping[str, Sequence[str]]:
        """The paths of recordings by the digest of what is in them."""
        return lookups.Contents(self.store)

    @property
    def recording_count(self) -> int:
        """How many recordings have segments."""
        return len(self.numbers)

    @cached_property
    def seconds(self) -> float:
        """Length of all segments."""
        return float((self.store["end"] - self.store["start"]).sum(where=True if self.alive is None else self.alive))

    @cached_property
    def rows(self) -> Mapping[str, int]:
        """The row of every short name."""
        return lookups.Names(self.store, self.alive)

    @cached_property
    def recording_rows(self) -> Mapping[str, int]:
        """The first row of every recording by its short name."""
        return lookups.Firsts(self.store, self.numbers)

    def id_of(self, row: int) -> str:
        """A short name of a segment."""
        return named(int(self.store["id"][row]))

    def recording_of(self, row: int) -> range:
        """The rows of the recording that a row belongs to."""
        recording = int(self.store["recording"][row])
        first = int(self.store["first"][recording])
        return range(first, first + int(self.store["count"][recording]))

    def rows_of(self, path: str) -> range:
        """The rows of a recording by its absolute path; none where the index does not have it."""
        recording = lookups.Recordings(self.store).number(path)
        return range(0) if recording is None else self.recording_of(int(self.store["first"][recording]))

    def sketch(self, name: str) -> "pl.Series":
        """A column's values, or fewer with the same lowest and highest and the same different ones."""
        import polars as pl

        if name not in OF_ROWS:
            return self.recording_column(name)[self.numbers]
        ends = []
        for start in range(0, len(self.store), ROWS_AT_ONCE):
            span = slice(start, start + ROWS_AT_ONCE)
            values = self.by_row(name, span)
            values = values if self.alive is None else values.filter(pl.Series(self.alive[span]))
            ends += [values.min(), values.max()]
        return pl.Series(name, ends, dtype=self.column_types[name])

    def spread(self, most: int) -> np.ndarray:
        """So many rows at most, evenly over all segments."""
        rows = np.arange(len(self.store)) if self.alive is None else np.flatnonzero(self.alive)
        return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(np.int64)]

    @property
    def stale(self) -> bool:
        """Whether the files were found not to be what was written, or were removed."""
        return self.followed.kept is None and not (self.store.folder / MANIFEST).exists()

    def listed(
        self, expression: str | None = None, offset: int = 0, limit: int | None = None
    ) -> tuple[np.ndarray, int]:
        """Rows by path and start, those that pass a filter if there is one, and how many there are in all."""
        return self.ordered(self.kept(self.passing(expression) if expression else None), offset, limit)

    def kept(self, passing: np.ndarray | None) -> np.ndarray | None:
        """(n,) of rows that pass those that are segments; None for all."""
        if passing is None or self.alive is None:
            return self.alive if passing is None else passing
        both: np.ndarray = passing & self.alive
        return both

    def ordered(self, passing: np.ndarray | None, offset: int, limit: int | None) -> tuple[np.ndarray, int]:
        """Some of the rows that pass, by path and start, and how many pass in all."""
        numbers = self.numbers
        first, counts = self.store["first"], self.store["count"]
        if passing is not None:
            counts = np.bincount(self.store["recording"][passing], minlength=len(first))
        reached = np.cumsum(counts[numbers], dtype=np.int64)
        total = int(reached[-1]) if len(reached) else 0
        stop = total if limit is None else min(total, offset + limit)
        if offset >= stop:
            return np.zeros(0, np.int64), total
        from_, to = (int(np.searchsorted(reached, place, "right")) for place in (offset, stop - 1))
        spans = [np.arange(int(first[n]), int(first[n]) + int(self.store["count"][n])) for n in numbers[from_ : to + 1]]
        rows = np.concatenate(spans)
        rows = rows if passing is None else rows[passing[rows]]
        before = int(reached[from_ - 1]) if from_ else 0
        return rows[offset - before : stop - before], total
