"""Utterance tables on disk: CSV or Parquet with `path` and any labels."""

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emorank.corpora.schema import COLUMNS, notice_scale, typed
from emorank.errors import EmorankError
from emorank.objects import is_remote
from emorank.storage import written_whole


def read_table(path: str | os.PathLike[str]) -> pl.DataFrame:
    """An utterance table. Relative paths of recordings count from the table's own folder.

    Rows without a path are dropped; that recordings exist is not checked, see `scan_corpus("table", path)` for both.

    Args:
        path: a .csv (UTF-8, commas) or .parquet file.

    Returns:
        The columns of the file, those of `schema.COLUMNS` with their types, `path` absolute.

    Raises:
        EmorankError: the file cannot be read, has no column `path`, or labels that are no numbers from 1 to 7.
    """
    return read_every_row(path).drop_nulls("path")


def read_tables(paths: Sequence[str | os.PathLike[str]]) -> pl.DataFrame:
    """Several utterance tables, one below the other; columns that one lacks are empty there."""
    return pl.concat([read_table(path) for path in paths], how="diagonal_relaxed")


def read_every_row(path: str | os.PathLike[str]) -> pl.DataFrame:
    """The same as `read_table`, with the rows that have no path."""
    source = Path(path)
    if not source.is_file():
        raise EmorankError(f"{source}: there is no such table; a .csv or .parquet file was expected.")
    table = _read(source)
    if "path" not in table.columns:
        one = len(table.columns) == 1 and any(mark in table.columns[0] for mark in ";\t|")
        hint = " (columns are separated by commas)" if one else ""
        raise EmorankError(f"{source}: the table has no column 'path'; it has {', '.join(table.columns)}{hint}.")
    try:
        table = pl.DataFrame([typed(column) for column in table])
    except ValueError as error:
        raise EmorankError(f"{source}: {error}.") from error
    notice_scale(table, source)
    table = table.filter(~pl.all_horizontal(pl.all().is_null()))  # lines of commas that spreadsheets leave behind
    folder = os.path.abspath(source.parent)
    paths = [_joined(folder, name) if name and name.strip() else None for name in table["path"]]
    return table.with_columns(pl.Series("path", paths, dtype=pl.String))


def write_table(table: pl.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write an utterance table, whole or not at all; the suffix .parquet or .csv chooses the format.

    Raises:
        EmorankError: another suffix, a column that CSV cannot hold, or the folder cannot be written.
    """
    target = Path(path)
    suffix = _suffix(target)
    try:
        with written_whole(target) as temporary:
            (table.write_parquet if suffix == ".parquet" else table.write_csv)(temporary)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = getattr(error, "strerror", None) or _first_line(error)
        raise EmorankError(f"{target}: the table cannot be written ({reason}).") from error


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".csv"):
        raise EmorankError(f"{path}: a table is a .parquet or .csv file.")
    return suffix


def _read(source: Path) -> pl.DataFrame:
    try:
        if _suffix(source) == ".parquet":
            return pl.read_parquet(source, glob=False).rename(str.strip)
        # As text, so that speaker "01" keeps its zero and a wrong label can be named with its row.
        header = pl.read_csv(source, n_rows=0, infer_schema=False, glob=False).columns
        texts = {name: pl.String for name in header if name.strip() in COLUMNS}
        return pl.read_csv(source, infer_schema_length=None, schema_overrides=texts, glob=False).rename(str.strip)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise EmorankError(f"{source}: the table cannot be read ({_first_line(error)}).") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _joined(folder: str, name: str) -> str:
    """A path as the table's folder sees it; ".." leaves a linked folder by where it really is, as the system does.

    An address on object storage stays what it is.
    """
    if is_remote(name):
        return name
    if ".." in Path(name).parts:
        folder = os.path.realpath(folder)
    return os.path.normpath(os.path.join(folder, name))
