"""A collection as a table for other tools."""

import re
from typing import IO, TYPE_CHECKING

from emorank.search.collection import Collection

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("parquet", "csv", "jsonl")


def table_of(collection: Collection, where: str | None = None, embeddings: bool = False) -> "pl.DataFrame":
    """A row a segment with absolute paths, the columns of the collection, and its embeddings if asked for.

    Raises:
        FilterError: the filter cannot be understood.
    """
    import polars as pl

    table = collection.columns.with_columns(pl.Series("path", collection.segments.paths, dtype=pl.String))
    if embeddings:
        vectors = collection.segments.embeddings
        table = table.with_columns(pl.Series("embedding", vectors, dtype=pl.Array(pl.Float32, vectors.shape[1])))
    return table if where is None else table.filter(pl.Series(collection.passing(where)))


def for_spreadsheets(table: "pl.DataFrame") -> "pl.DataFrame":
    """The same with an apostrophe before each text, also a column's name, that a spreadsheet would run as a formula."""
    import polars as pl

    formula = r"^\s*[=+\-@\t\r]"
    texts = pl.col(pl.String)
    escaped = table.with_columns(pl.when(texts.str.contains(formula)).then("'" + texts).otherwise(texts).name.keep())
    return escaped.rename({name: f"'{name}" for name in table.columns if re.match(formula, name)})


def write(table: "pl.DataFrame", file: IO[bytes], format: str) -> None:
    """Write a table to an open file, as one of `FORMATS`."""
    if format == "parquet":
        table.write_parquet(file)
    elif format == "csv":
        table.write_csv(file)
    else:
        table.write_ndjson(file)
