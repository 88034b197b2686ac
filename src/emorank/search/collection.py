"""What is searched, in memory: segments with a short name each, and the columns that a filter may ask about."""

import bisect
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.index import Segments
from emorank.index.segments import recording_id, segment_id
from emorank.search import dates, disagreement
from emorank.search.columns import NUMBERS, beside, number
from emorank.search.filter import where
from emorank.search.groups import DAY, Codes, Numbered, coded, require
from emorank.search.order import RECORDING
from emorank.search.scan import Scan

if TYPE_CHECKING:
    import polars as pl

    from emorank.index.named import NamedIndex


@dataclass(frozen=True)
class Collection:
    """The segments of an index with what is known about them.

    Args:
        segments: in the order of path and start.
        labels: a table of the user's with absolute `path` and any columns of numbers, text or truth.
        shown: the path of every segment as a person sees it; the absolute one where this is None.
    """

    segments: Segments
    labels: "pl.DataFrame | None" = None
    shown: Sequence[str] | None = None

    @classmethod
    def of(cls, named: "NamedIndex", segments: Segments | None = None) -> "Collection":
        """What a named index holds, with its labels; paths are shown from the folder that was indexed on.

        Args:
            named: the index.
            segments: of it, where they are known.
        """
        segments = named.reading.segments() if segments is None else segments
        return cls(segments, named.labels(), [named.shown(path) for path in segments.paths])

    def __len__(self) -> int:
        return len(self.segments.paths)

    @cached_property
    def columns(self) -> "pl.DataFrame":
        """A row a segment: path, file, start, end, `NUMBERS`, damage, date, the user's own.

        Where the user's table says how segments sound, `disagreement` is how far from that the model puts them.
        """
        import polars as pl

        shown = self.segments.paths if self.shown is None else self.shown
        segments = self.segments
        spans = (segments.start, segments.end)
        numbers = (*spans, segments.places, segments.loudness, segments.channels, segments.speech)
        own = pl.DataFrame(
            {
                "path": shown,
                "file": [os.path.basename(path) for path in shown],
                **{name: number(name, *numbers) for name in NUMBERS},
                "damage": [segments.damage.get(path) for path in segments.paths],
            },
            schema_overrides={"path": pl.String, "file": pl.String, "damage": pl.String},
        )
        if self.labels is None:
            return own.with_columns(dates.dates(self.segments.changed, len(self)))
        joined = pl.DataFrame({"path": self.segments.paths}, schema={"path": pl.String}).join(
            self.labels, on="path", how="left", maintain_order="left"
        )
        stated = joined[dates.COLUMN] if dates.COLUMN in joined.columns else None
        own = own.with_columns(dates.dates(self.segments.changed, len(self), stated))
        if compared := disagreement.compared(self.labels):
            stands = disagreement.stated(joined, compared)
            own = own.with_columns(disagreement.distances(stands, self.segments.places))
        return own.hstack(joined.select(beside(joined)))

    @cached_property
    def _codes(self) -> dict[str, Codes]:
        return {}

    def codes(self, name: str) -> Codes:
        """A column, `recording` or `day` by its different values, made when first asked for.

        Raises:
            EmorankError: there is no such column.
        """
        if name not in self._codes:
            self._codes[name] = self._coded(name)
        return self._codes[name]

    def _coded(self, name: str) -> Codes:
        require(name, self.columns.columns)
        if name in (RECORDING, "path"):  # told apart by their order, without comparing a million texts
            first, paths = self.recordings[:-1], self.segments.paths if self.shown is None else self.shown
            every = np.repeat(np.arange(len(first)), np.diff(self.recordings))
            return Codes(every, Numbered(len(first), lambda number: paths[int(first[number])]))
        if name == DAY and DAY not in self.columns.columns:
            return coded(self.columns[dates.COLUMN].str.head(dates.DAY))
        return coded(self.columns[name])

    def kept(self, passing: np.ndarray | None) -> np.ndarray | None:
        """(n,) of rows that pass those that are segments, which all are; None for all."""
        return passing

    def column(self, name: str, rows: np.ndarray) -> "pl.Series":
        """A column of some rows."""
        return self.columns[name][rows]

    def date_at(self, row: int) -> str | None:
        """The date of a segment's recording, see `emorank.search.dates`."""
        date: str | None = self.columns[dates.COLUMN][row]
        return date

    @cached_property
    def upwards(self) -> np.ndarray:
        """(n,) the order of the segments by arousal, those without any last."""
        order: np.ndarray = np.argsort(self.segments.places[:, 1], kind="stable")
        return order

    @property
    def label_names(self) -> list[str]:
        """The columns of the user's own table."""
        return [] if self.labels is None else [name for name in self.labels.columns if name != "path"]

    @cached_property
    def _label_columns(self) -> "dict[str, pl.Series]":
        return {name: self.columns[name] for name in self.label_names}

    def labels_at(self, row: int) -> dict[str, Any]:
        """The columns of the user's own table for a segment."""
        return {name: column[row] for name, column in self._label_columns.items()}

    def id_of(self, row: int) -> str:
        """A short name of a segment, made of its path, start and channel: it stays over updates."""
        segments = self.segments
        return segment_id(segments.paths[row], segments.start[row], int(segments.channels[row]))

    @cached_property
    def scan(self) -> Scan:
        """Gives every segment its cosine to a direction."""
        return Scan(self.segments.embeddings)

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of every short name."""
        return {self.id_of(row): row for row in range(len(self))}

    @cached_property
    def recordings(self) -> np.ndarray:
        """(recordings + 1,) the first row of each recording, and the number of rows at the end."""
        paths = self.segments.paths
        first = [row for row, path in enumerate(paths) if row == 0 or path != paths[row - 1]]
        return np.array([*first, len(paths)])

    @property
    def recording_count(self) -> int:
        """How many recordings have segments."""
        return len(self.recordings) - 1

    @property
    def seconds(self) -> float:
        """Length of all segments."""
        return float((self.segments.end - self.segments.start).sum())

    def at(self, rows: Sequence[int] | np.ndarray) -> "pl.DataFrame":
        """The columns of some rows."""
        return self.columns[np.asarray(rows, np.int64)]

    def listed(
        self, expression: str | None = None, offset: int = 0, limit: int | None = None
    ) -> tuple[np.ndarray, int]:
        """Rows by path and start, those that pass a filter if there is one, and how many there are in all.

        Raises:
            FilterError: it cannot be understood.
        """
        rows = np.arange(len(self)) if expression is None else np.flatnonzero(self.passing(expression))
        return rows[offset : None if limit is None else offset + limit], len(rows)

    @property
    def column_types(self) -> "dict[str, pl.DataType]":
        """What a filter may ask about."""
        return dict(self.columns.schema)

    def sketch(self, name: str) -> "pl.Series":
        """A column's values."""
        return self.columns[name]

    def recording_of(self, row: int) -> range:
        """The rows of the recording that a row belongs to."""
        place = int(np.searchsorted(self.recordings, row, "right"))
        return range(int(self.recordings[place - 1]), int(self.recordings[place]))

    @cached_property
    def recording_rows(self) -> dict[str, int]:
        """The first row of every recording by its short name, see `emorank.index.segments.recording_id`."""
        return {recording_id(self.segments.paths[row]): row for row in self.recordings[:-1].tolist()}

    def rows_of(self, path: str) -> range:
        """The rows of a recording by its absolute path; none where the index does not have it."""
        paths = self.segments.paths
        return range(bisect.bisect_left(paths, path), bisect.bisect_right(paths, path))

    def passing(self, expression: str) -> np.ndarray:
        """(n,) which segments pass a filter.

        Raises:
            FilterError: it cannot be understood.
        """
        chosen = where(expression, dict(self.columns.schema))
        passed: np.ndarray = self.columns.select(chosen.fill_null(False).alias("passed"))["passed"].to_numpy()
        return passed
