"""A table as it is used: read with the sums of its rows, written with the ledger of its files."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from emorank.index import ledger, sums, table
from emorank.index.failures import damaged
from emorank.index.view import View

_VERSIONS_KEPT = timedelta(days=1)
_SMALL_KEPT = 20  # files of less than 100,000 rows; putting them together rewrites up to a million rows
_ROWS_AT_ONCE = 20_000  # of a batch
_NOTED_EVERY = 30.0  # seconds between two ledgers of an update

Item = TypeVar("Item")


class Rows:
    """The rows of an index.

    Args:
        folder: of the index; an address of object storage is a text.
        name: of the table.
        layout: its schema.
        open_table: opens it; None where it is not there yet.
    """

    def __init__(self, folder: Path | str, name: str, layout: Any, open_table: Callable[[], Any | None]) -> None:
        self._folder, self._name, self._layout, self._open = folder, name, layout, open_table
        self._table = open_table()
        self._checked = -1  # the version whose files were looked at
        self._noted = time.monotonic()

    def refresh(self) -> int:
        """Go on to the latest version; its number, 0 where nothing was written yet.

        Raises:
            DamagedIndex: a file is not what was written.
        """
        if self._table is None:
            self._table = self._open()
            if self._table is None:
                return 0
        else:
            self._table.checkout_latest()
        if self._table.version != self._checked:
            self._check()
            self._checked = self._table.version
        return int(self._table.version)

    def read(self, columns: list[str], groups: Sequence[str], where: str | None = None) -> Any:
        """Columns of some groups of `sums.GROUPS`, of one version whatever is written meanwhile.

        Raises:
            DamagedIndex: a row is not what was written.
        """
        if self._table is None:
            return self._layout.empty_table().select(columns)
        needed = [name for group in groups for name in sums.GROUPS[group]]
        query = self._table.search().select(table.stored(self._table.schema.names, [*columns, *needed, sums.COLUMN]))
        found = (query.where(where) if where else query).to_arrow()
        good = np.all([sums.good(found, group) for group in groups], axis=0)
        if not good.all():
            raise damaged(self._folder, f"{int((~good).sum())} rows of {self._name}{table.SUFFIX}")
        return table.completed(found, columns)

    def batches(self, columns: list[str], group: str) -> Iterator[Any]:
        """The same a batch at a time, of one group: what is too large to be held whole."""
        import pyarrow as pa

        if self._table is None:
            return
        wanted = table.stored(self._table.schema.names, [*columns, *sums.GROUPS[group], sums.COLUMN])
        for batch in self._table.search().select(wanted).to_batches(_ROWS_AT_ONCE):
            rows = pa.Table.from_batches([batch])
            if not sums.good(rows, group).all():
                raise damaged(self._folder, f"rows of {self._name}{table.SUFFIX}")
            yield table.completed(rows, columns)

    def whole(self, where: str) -> Any:
        """Some rows with all columns.

        Raises:
            DamagedIndex: one of them is not what was written.
        """
        found = self._table.search().where(where).to_arrow() if self._table else self._layout.empty_table()
        if not all(sums.good(found, group).all() for group in sums.GROUPS):
            raise damaged(self._folder, f"rows of {self._name}{table.SUFFIX}")
        return table.completed(found, self._layout.names)

    def add(self, rows: Any) -> None:
        """One transaction."""
        self._writable().add(table.fitting(rows, self._writable()))
        if time.monotonic() - self._noted > _NOTED_EVERY:
            self.note()

    def delete(self, paths: Sequence[str]) -> None:
        """Remove the rows of recordings."""
        for chunk in chunks(paths, 500):
            self._writable().delete(f"path IN ({', '.join(map(quoted, chunk))})")

    def optimize(self) -> None:
        """Put small files together where there are many, and then drop what is older than a day."""
        if self._writable().stats()["fragment_stats"]["num_small_fragments"] >= _SMALL_KEPT:
            self._writable().optimize(cleanup_older_than=_VERSIONS_KEPT)

    def view(self) -> View | None:
        """The version that was refreshed last, to be read in pieces; None where nothing was written yet."""
        return None if self._table is None else View(self._folder, self._name, int(self._table.version))

    def note(self) -> None:
        """Write down what the files are."""
        self._noted = time.monotonic()
        if isinstance(self._folder, str):  # objects are whole or not there, and the storage keeps sums of them
            return
        path = self._folder / f"{self._name}{table.SUFFIX}"
        before, version = table.verified(self._folder, self._name), int(self._writable().version)
        new = before is None or any(name not in before.files for name in ledger.names(path))
        if before is None or new or before.version != version:
            ledger.write(table.ledger_of(self._folder, self._name), path, version, before)

    def _writable(self) -> Any:
        if self._table is None:
            raise ValueError("nothing was written yet")
        return self._table

    def _check(self) -> None:
        """That the files are what was noted, and the version not an older one than that."""
        if isinstance(self._folder, str):
            return
        noted = table.verified(self._folder, self._name)
        if noted and self._writable().version < noted.version:
            self._writable().checkout_latest()  # it may have been written meanwhile
            if self._writable().version < noted.version:
                raise damaged(self._folder, f"{self._name}{table.SUFFIX} has lost its latest manifest")


def chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """So many at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def quoted(text: str) -> str:
    """A text as LanceDB's filters write it."""
    return "'" + text.replace("'", "''") + "'"
