"""One version of an index's table, read in pieces: for who does not hold all of it in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from emorank.index import sums, table
from emorank.index.failures import damaged, reported
from emorank.index.remote import connected

_IDS_AT_ONCE = 65_536  # LanceDB takes thirty times as long with its own default
_STREAMED_AT_ONCE = 16_384
_TAKEN_AT_ONCE = 8_192


class View:
    """A table at a version; what is written meanwhile is not seen. LanceDB keeps versions for a day.

    A row is known by its row id: it says in which of LanceDB's files the row lies and where. Within a table that was
    made once (`made`) no id ever means another row; putting small files together gives rows new ones.

    Args:
        folder: of the index; an address of object storage is a text.
        name: of the table.
        version: of the table.
    """

    def __init__(self, folder: Path | str, name: str, version: int) -> None:
        self.folder, self.name, self.version = folder, name, version
        with reported(folder, "read"):
            self._table = connected(folder).open_table(name)
            self._table.checkout(version)
            about = table.about(self._table, folder)
            schema = self._table.schema
        self.made = f"{about.get('made', '')}|{about['model']}"
        self.dim, self._names = int(schema.field("embedding").type.list_size), frozenset(schema.names)

    def __len__(self) -> int:
        with reported(self.folder, "read"):
            return int(self._table.count_rows())

    def ids(self) -> np.ndarray:
        """(n,) uint64 of all rows, in the order in which they lie."""
        with reported(self.folder, "read"):
            batches = self._table.search().select(["_rowid"]).to_batches(_IDS_AT_ONCE)
            parts = [batch["_rowid"].to_numpy(zero_copy_only=False) for batch in batches]
        return np.concatenate(parts).astype(np.uint64) if parts else np.zeros(0, np.uint64)

    def all(self, columns: list[str], groups: tuple[str, ...]) -> Iterator[tuple[np.ndarray, Any]]:
        """Ids and columns of all rows, some at a time, checked as `Rows.read` does.

        Raises:
            DamagedIndex: a row is not what was written.
        """
        import pyarrow as pa

        with reported(self.folder, "read"):
            query = self._table.search().select(self._wanted(columns, groups))
            for batch in query.to_batches(_STREAMED_AT_ONCE):
                yield self._checked(pa.Table.from_batches([batch]), columns, groups)

    def some(self, ids: np.ndarray, columns: list[str], groups: tuple[str, ...]) -> Iterator[tuple[np.ndarray, Any]]:
        """The same of the rows of these ids, in any order; those that are not there are left out."""
        with reported(self.folder, "read"):
            for start in range(0, len(ids), _TAKEN_AT_ONCE):
                taken = self._table.take_row_ids(ids[start : start + _TAKEN_AT_ONCE].tolist())
                yield self._checked(taken.select(self._wanted(columns, groups)).to_arrow(), columns, groups)

    def sums(self, ids: np.ndarray) -> np.ndarray:
        """(n,) uint64: what the rows say is the sum of what a search reads of them; 0 in a table without sums."""
        found = np.zeros(len(ids), np.uint64)
        if sums.COLUMN in self._names and len(ids):
            order = np.argsort(ids)
            for some, rows in self.some(ids, [sums.COLUMN], ()):
                found[order[np.searchsorted(ids, some, sorter=order)]] = stated(rows)
        return found

    def _wanted(self, columns: list[str], groups: tuple[str, ...]) -> list[str]:
        needed = [name for group in groups for name in (*sums.GROUPS[group], sums.COLUMN)]
        return [*table.stored(self._names, [*columns, *needed]), "_rowid"]

    def _checked(self, rows: Any, columns: list[str], groups: tuple[str, ...]) -> tuple[np.ndarray, Any]:
        for group in groups:
            if not (good := sums.good(rows, group)).all():
                raise damaged(self.folder, f"{int((~good).sum())} rows of {self.name}{table.SUFFIX}")
        whole = table.completed(rows, list(dict.fromkeys([*rows.column_names, *columns])))
        return rows["_rowid"].to_numpy().astype(np.uint64), whole


def stated(rows: Any) -> np.ndarray:
    """(n,) uint64: the sums of what a search reads, as the rows state them; 0 where they have none."""
    if sums.COLUMN not in rows.column_names:
        return np.zeros(len(rows), np.uint64)
    flat = rows[sums.COLUMN].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    which = list(sums.GROUPS).index("searched")
    found: np.ndarray = flat.reshape(-1, len(sums.GROUPS))[:, which].astype(np.int64).view(np.uint64)
    return found
