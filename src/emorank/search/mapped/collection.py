"""What is searched, in files: the same as a `Collection` in memory gives, looked up when it is asked for."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.search import dates, disagreement
from emorank.search.columns import NUMBERS, column_types, number
from emorank.search.filter import where
from emorank.search.groups import DAY, Codes, Numbered, coded, require
from emorank.search.mapped import lookups
from emorank.search.mapped.exact import exact
from emorank.search.mapped.follow import Followed
from emorank.search.mapped.parts import named
from emorank.search.mapped.store import MANIFEST
from emorank.search.order import RECORDING

if TYPE_CHECKING:
    import polars as pl

_ROWS_AT_ONCE = 500_000  # that a filter looks at together


@dataclass(frozen=True)
class Shown:
    """How the paths of recordings are shown.

    Args:
        one: of an absolute path.
        all: of many, as a column.
    """

    one: Callable[[str], str] = str
    all: "Callable[[pl.Series], pl.Series]" = lambda paths: paths


class MappedCollection:
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
        self.followed, self.store, self.labels = followed, followed.store, labels
        self._shown = shown or Shown()
        self._columns: dict[str, pl.Series] = {}
        self.segments = MappedSegments(self)
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
    def shown(self) -> Sequence[str]:
        """The path of every row as a person sees it."""
        return lookups.Texts(self.store, self._shown.one)

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

    @property
    def label_names(self) -> list[str]:
        """The columns of the user's own table."""
        return [] if self.labels is None else [name for name in self.labels.columns if name != "path"]

    def labels_at(self, row: int) -> dict[str, Any]:
        """The columns of the user's own table for a segment."""
        recording = int(self.store["recording"][row])
        return {name: self._label_of(name)[recording] for name in self.label_names}

    def _label_of(self, name: str) -> "pl.Series":
        """A column of the user's table as it stands there; `date` is read into another one."""
        key = f"label {name}" if name == dates.COLUMN else name
        if key not in self._columns:
            self._columns[key] = self._labelled(name)
        return self._columns[key]

    @property
    def column_types(self) -> "dict[str, pl.DataType]":
        """What a filter may ask about."""
        return column_types(self.labels)

    def at(self, rows: Sequence[int] | np.ndarray, names: Sequence[str] | None = None) -> "pl.DataFrame":
        """Columns of some rows: path, file, start, end, ... and the user's own; all of them, or those of some names."""
        import polars as pl

        chosen = np.asarray(rows, np.int64)
        recordings = self.store["recording"][chosen]
        few = len(chosen) < len(self.store["first"]) // 100
        columns = {}
        for name in names or self.column_types:
            if name in _OF_ROWS:
                columns[name] = self._numbers(name, chosen)
            elif name in ("path", "file") and few:
                texts = [self.shown[row] for row in chosen.tolist()]
                columns[name] = pl.Series(texts if name == "path" else map(os.path.basename, texts), dtype=pl.String)
            else:
                columns[name] = self.recording_column(name)[recordings]
        return pl.DataFrame(columns)

    def sketch(self, name: str) -> "pl.Series":
        """A column's values, or fewer with the same lowest and highest and the same different ones."""
        import polars as pl

        if name not in _OF_ROWS:
            return self.recording_column(name)[self.numbers]
        ends = []
        for start in range(0, len(self.store), _ROWS_AT_ONCE):
            span = slice(start, start + _ROWS_AT_ONCE)
            values = self._numbers(name, span)
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

    def recording_column(self, name: str) -> "pl.Series":
        """A column that is the same for all segments of a recording, by its number."""
        if name not in self._columns:
            self._columns[name] = self._recording_column(name)
        return self._columns[name]

    @cached_property
    def _paths(self) -> "pl.Series":
        return lookups.series(self.store)  # type: ignore[no-any-return]

    def passing(self, expression: str) -> np.ndarray:
        """(n,) which rows pass a filter, whether or not they are segments any more.

        Raises:
            FilterError: it cannot be understood.
        """
        import polars as pl

        chosen = where(expression, self.column_types).fill_null(False).alias("passed")
        names = chosen.meta.root_names()
        if not set(names) & set(_OF_ROWS):
            columns = pl.DataFrame({name: self.recording_column(name) for name in names})
            whole: np.ndarray = _truths(columns, chosen)[self.store["recording"]]
            return whole
        parts = [
            _truths(self._rows(start, min(len(self.store), start + _ROWS_AT_ONCE), names), chosen)
            for start in range(0, len(self.store), _ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, bool)

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

    def _rows(self, start: int, stop: int, names: Sequence[str]) -> "pl.DataFrame":
        import polars as pl

        span = slice(start, stop)
        recordings = self.store["recording"][span]
        return pl.DataFrame(
            {
                name: self._numbers(name, span) if name in _OF_ROWS else self.recording_column(name)[recordings]
                for name in names
            }
        )

    def _numbers(self, name: str, rows: np.ndarray | slice) -> "pl.Series":
        """A column that is not the same for all segments of a recording, of some rows."""
        if name == disagreement.COLUMN and name not in self.label_names:
            stated = self._stated[self.store["recording"][rows]]
            return disagreement.distances(stated, self.store["places"][rows])
        if name not in NUMBERS:
            return self.recording_column(name)[self.store["recording"][rows]]
        return number(name, *(self.store[each][rows] for each in _OWN))

    @cached_property
    def _stated(self) -> np.ndarray:
        """(recordings, 2) the places that the user's table says."""
        assert self.labels is not None
        joined = self._paths.to_frame("path").join(self.labels, on="path", how="left", maintain_order="left")
        return disagreement.stated(joined, disagreement.compared(self.labels))

    def column(self, name: str, rows: np.ndarray) -> "pl.Series":
        """A column of some rows."""
        return self.at(rows, [name])[name]

    @cached_property
    def _codes(self) -> dict[str, Codes]:
        return {}

    def codes(self, name: str) -> Codes:
        """See `Collection.codes`; also of rows that are no segments any more."""
        if name not in self._codes:
            self._codes[name] = self._coded(name)
        return self._codes[name]

    def _coded(self, name: str) -> Codes:
        kinds = self.column_types
        require(name, kinds)
        recordings = self.store["recording"]
        if name in (RECORDING, "path"):
            shown, first = self.shown, self.store["first"]
            return Codes(recordings.astype(np.int64), Numbered(len(first), lambda number: shown[int(first[number])]))
        if name in _OF_ROWS:
            return coded(self._numbers(name, slice(None)))
        if name == DAY and DAY not in kinds:
            column = self.recording_column(dates.COLUMN).str.head(dates.DAY)
        else:
            column = self.recording_column(name)
        made = coded(column)
        return Codes(made.of[recordings], made.values)

    def date_at(self, row: int) -> str | None:
        """The date of a segment's recording, see `emorank.search.dates`."""
        recording = int(self.store["recording"][row])
        if dates.COLUMN in self.label_names:
            date: str | None = self.recording_column(dates.COLUMN)[recording]
            return date
        return dates.shown(int(self.store["changed"][recording]))

    def _recording_column(self, name: str) -> "pl.Series":
        import polars as pl

        if name == "path":
            return self._shown.all(self._paths).alias("path")
        if name == "file":
            return self.recording_column("path").str.split(os.sep).list.last().alias("file")
        if name == dates.COLUMN:
            stated = self._labelled(name) if name in self.label_names else None
            return dates.dates(self.store["changed"], len(self.store["changed"]), stated)
        if name == "damage":
            notes: list[str | None] = [None] * self.store.manifest.lengths["recordings"]
            for recording, note in self.store.manifest.damage.items():
                notes[recording] = note
            return pl.Series("damage", notes, dtype=pl.String)
        return self._labelled(name)

    def _labelled(self, name: str) -> "pl.Series":
        """A column of the user's table, by the numbers of recordings."""
        assert self.labels is not None
        joined = self._paths.to_frame("path").join(
            self.labels.select("path", name), on="path", how="left", maintain_order="left"
        )
        return joined[name]


_OWN = ("start", "end", "places", "loudness", "channel")
_OF_ROWS = (*NUMBERS, disagreement.COLUMN)  # a user's own column of that name may be text, and is read by rows as well


class MappedSegments:
    """The same as `Segments` of an index, by row."""

    def __init__(self, collection: MappedCollection) -> None:
        store = collection.store
        self.paths: Sequence[str] = lookups.Texts(store)
        self.start, self.end, self.places = store["start"], store["end"], store["places"]
        self.loudness, self.channels = store["loudness"], store["channel"]
        self.damage: Mapping[str, str] = lookups.Damage(store)
        self.embeddings = Embeddings(collection)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the model places speech in."""
        some = self.places[:1000]
        nowhere = [len(column) > 0 and bool(np.isnan(column).all()) for column in some.T]
        return tuple(name for name, lacking in zip(DIMENSIONS, nowhere, strict=True) if not lacking)


class Embeddings:
    """The embeddings of rows, read of the table when they are asked for."""

    def __init__(self, collection: MappedCollection) -> None:
        self._collection = collection

    def __getitem__(self, rows: int | Sequence[int] | np.ndarray) -> np.ndarray:
        """(embedding_dim,) of a row, or (n, embedding_dim) of some."""
        chosen, places = np.unique(np.atleast_1d(np.asarray(rows, np.int64)), return_inverse=True)
        found = exact(self._collection.followed, chosen, lambda embeddings: embeddings)[places]
        return found[0] if isinstance(rows, int | np.integer) else found


def _truths(columns: "pl.DataFrame", chosen: "pl.Expr") -> np.ndarray:
    passed: np.ndarray = columns.select(chosen)["passed"].to_numpy()
    return passed
