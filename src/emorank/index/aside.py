"""The side table of an embedded dataset: recordings that could not be heard, each with its reason.

So every row of the dataset is a moment, which is what other programs and indexes of vectors expect.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emorank.index.rows import chunks, quoted
from emorank.listening import encode

PREFIX = "broken"  # before the fingerprint, where the table of moments has `segments`
COLUMNS = ("path", "size", "changed", "digest", "reason")


class Aside:
    """The side table of a table of moments.

    Args:
        place: folder or address of the dataset.
        moments: the name of its table of moments.
    """

    def __init__(self, place: Path | str, moments: str) -> None:
        from emorank.index.remote import connected

        name = f"{PREFIX}-{moments.partition('-')[2]}"
        layout = encode.schema(1)
        import pyarrow as pa

        self._layout = pa.schema([layout.field(column) for column in COLUMNS])
        self._table = connected(os.fspath(place)).create_table(name, schema=self._layout, exist_ok=True)

    def read(self) -> Any:
        """All rows, `COLUMNS`."""
        self._table.checkout_latest()
        return self._table.to_arrow()

    def replace(self, paths: Sequence[str], rows: Any | None) -> None:
        """New rows, if any, in place of those of some recordings."""
        for chunk in chunks(paths, 500):
            self._table.delete(f"path IN ({', '.join(map(quoted, chunk))})")
        if rows is not None and len(rows):
            self._table.add(rows.select(COLUMNS).cast(self._layout))
