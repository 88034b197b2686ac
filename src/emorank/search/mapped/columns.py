"""The columns of a large index: what is said of rows, and what is the same for all segments of a recording."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.search import dates, disagreement
from emorank.search.columns import NUMBERS, column_types, number
from emorank.search.filter import where
from emorank.search.groups import DAY, Codes, Numbered, coded, require
from emorank.search.mapped import lookups
from emorank.search.mapped.store import Store
from emorank.search.order import RECORDING

if TYPE_CHECKING:
    import polars as pl

ROWS_AT_ONCE = 500_000  # that a filter looks at together
_OWN = ("start", "end", "places", "loudness", "channel", "speech")
OF_ROWS = (*NUMBERS, disagreement.COLUMN)  # a user's own column of that name may be text, and is read by rows as well


@dataclass(frozen=True)
class Shown:
    """How the paths of recordings are shown.

    Args:
        one: of an absolute path.
        all: of many, as a column.
    """

    one: Callable[[str], str] = str
    all: "Callable[[pl.Series], pl.Series]" = lambda paths: paths


class Columns:
    """Columns by row and by recording; a row need not be a segment any more.

    Args:
        store: the files.
        labels: see `Collection`.
        shown: how paths are shown.
    """

    def __init__(self, store: Store, labels: "pl.DataFrame | None", shown: Shown) -> None:
        self.store, self.labels = store, labels
        self._shown = shown
        self._columns: dict[str, pl.Series] = {}

    @cached_property
    def shown(self) -> Sequence[str]:
        """The path of every row as a person sees it."""
        return lookups.Texts(self.store, self._shown.one)

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
            if name in OF_ROWS:
                columns[name] = self.by_row(name, chosen)
            elif name in ("path", "file") and few:
                texts = [self.shown[row] for row in chosen.tolist()]
                columns[name] = pl.Series(texts if name == "path" else map(os.path.basename, texts), dtype=pl.String)
            else:
                columns[name] = self.recording_column(name)[recordings]
        return pl.DataFrame(columns)

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
        if not set(names) & set(OF_ROWS):
            columns = pl.DataFrame({name: self.recording_column(name) for name in names})
            whole: np.ndarray = _truths(columns, chosen)[self.store["recording"]]
            return whole
        parts = [
            _truths(self._rows(start, min(len(self.store), start + ROWS_AT_ONCE), names), chosen)
            for start in range(0, len(self.store), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, bool)

    def _rows(self, start: int, stop: int, names: Sequence[str]) -> "pl.DataFrame":
        import polars as pl

        span = slice(start, stop)
        recordings = self.store["recording"][span]
        return pl.DataFrame(
            {
                name: self.by_row(name, span) if name in OF_ROWS else self.recording_column(name)[recordings]
                for name in names
            }
        )

    def by_row(self, name: str, rows: np.ndarray | slice) -> "pl.Series":
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
        if name in OF_ROWS:
            return coded(self.by_row(name, slice(None)))
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


def _truths(columns: "pl.DataFrame", chosen: "pl.Expr") -> np.ndarray:
    passed: np.ndarray = columns.select(chosen)["passed"].to_numpy()
    return passed
