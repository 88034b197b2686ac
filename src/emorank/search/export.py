"""A collection as a table for other tools."""

import re
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

from emorank.search.rank import Searched

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

FORMATS = ("parquet", "csv", "jsonl")
_ROWS_AT_ONCE = 100_000


def tables_of(
    collection: Searched, where: str | None = None, embeddings: bool = False
) -> "tuple[int, Iterator[pl.DataFrame]]":
    """A row a segment with absolute paths, the columns of the collection, and its embeddings if asked for.

    Returns:
        How many rows there are, and these some at a time: at least one table, be it without a row.

    Raises:
        FilterError: the filter cannot be understood.
    """
    rows, total = collection.listed(where)
    spans = [rows[start : start + _ROWS_AT_ONCE] for start in range(0, max(1, total), _ROWS_AT_ONCE)]
    return total, (rows_of(collection, span, embeddings) for span in spans)


def rows_of(collection: Searched, rows: "np.ndarray", embeddings: bool = False) -> "pl.DataFrame":
    """The same of some rows."""
    import polars as pl

    paths = [collection.segments.paths[row] for row in rows.tolist()]
    table = collection.at(rows).with_columns(pl.Series("path", paths, dtype=pl.String))
    return table.with_columns(embeddings_of(collection, rows)) if embeddings else table


def embeddings_of(collection: Searched, rows: "np.ndarray") -> "pl.Series":
    """The embeddings of some rows as a column."""
    import polars as pl

    vectors = collection.segments.embeddings[rows]
    return pl.Series("embedding", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1]))


def for_spreadsheets(table: "pl.DataFrame") -> "pl.DataFrame":
    """The same with an apostrophe before each text, also a column's name, that a spreadsheet would run as a formula."""
    import polars as pl

    formula = r"^\s*[=+\-@\t\r]"
    texts = pl.col(pl.String)
    escaped = table.with_columns(pl.when(texts.str.contains(formula)).then("'" + texts).otherwise(texts).name.keep())
    return escaped.rename({name: f"'{name}" for name in table.columns if re.match(formula, name)})


def write(tables: "Iterable[pl.DataFrame]", file: IO[bytes], format: str) -> None:
    """Write tables with the same columns, one after the other, to an open file, as one of `FORMATS`."""
    writer = None
    for place, table in enumerate(tables):
        if format == "parquet":
            import polars
            import pyarrow.parquet as pq

            rows = table.to_arrow(compat_level=polars.CompatLevel.oldest())
            writer = writer or pq.ParquetWriter(file, rows.schema)
            writer.write_table(rows)
        elif format == "csv":
            table.write_csv(file, include_header=not place)
        else:
            table.write_ndjson(file)
    if writer:
        writer.close()
