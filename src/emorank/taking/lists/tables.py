"""Tables: CSV, JSON Lines, Parquet, and the metadata of a folder that Hugging Face `datasets` loads."""

import io
from typing import TYPE_CHECKING

from emorank.search.export import write

if TYPE_CHECKING:
    import polars as pl


def table(format: str, rows: "pl.DataFrame") -> bytes:
    """A selection as csv, jsonl or parquet; as table, CSV as well; as datasets, the `metadata.csv` of its AudioFolder.

    The latter names clips in the column `file_name`, by which `load_dataset("audiofolder", data_dir=...)` finds them;
    moments without a clip are left out, and `path` is called `recording`.
    """
    if format == "datasets":
        renamed = {"clip": "file_name", "path": "recording"}
        users = [name for name in renamed.values() if name in rows.columns]
        rows = rows.drop_nulls("clip").rename({**{name: f"label_{name}" for name in users}, **renamed})
        rows = rows.select("file_name", *(name for name in rows.columns if name != "file_name"))
        format = "csv"
    file = io.BytesIO()
    write([rows], file, "csv" if format == "table" else format)
    return file.getvalue()
