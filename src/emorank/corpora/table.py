"""Utterance tables on disk: CSV or Parquet with `path` and any labels."""

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.corpora.scan import LeftOut, Row
from emorank.errors import EmorankError
from emorank.files import written_whole


def read_table(path: str | os.PathLike[str]) -> pl.DataFrame:
    """An utterance table. Relative paths of recordings count from the table's own folder.

    Raises:
        EmorankError: the file cannot be read, has no column `path`, or labels that are no numbers from 1 to 7.
    """
    source = Path(path)
    if not source.is_file():
        raise EmorankError(f"{source}: there is no such table.")
    try:
        if source.suffix == ".parquet":
            table = pl.read_parquet(source)
        elif source.suffix == ".csv":
            table = pl.read_csv(source, infer_schema_length=None)
        else:
            raise EmorankError(f"{source}: a table is a .parquet or .csv file.")
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise EmorankError(f"{source}: the table cannot be read ({str(error).splitlines()[0]}).") from error
    if "path" not in table.columns:
        raise EmorankError(f"{source}: the table has no column 'path'; it has {', '.join(table.columns) or 'none'}.")
    folder = source.absolute().parent
    paths = [str(folder / name) if name else None for name in table["path"].cast(pl.String)]
    table = table.with_columns(pl.Series("path", paths, dtype=pl.String)).drop_nulls("path")
    for name in DIMENSIONS:
        if name in table.columns:
            table = table.with_columns(_label(table[name], source))
    return table


def read_tables(paths: Sequence[str | os.PathLike[str]]) -> pl.DataFrame:
    """Several utterance tables, one below the other; columns that one lacks are empty there."""
    return pl.concat([read_table(path) for path in paths], how="diagonal_relaxed")


def _label(column: pl.Series, source: Path) -> pl.Series:
    try:
        numbers = column.cast(pl.Float64)
    except pl.exceptions.PolarsError as error:
        raise EmorankError(f"{source}: column {column.name!r} holds something that is not a number.") from error
    known = numbers.drop_nulls()
    if len(known) and not known.is_between(LOWEST, HIGHEST).all():
        raise EmorankError(
            f"{source}: column {column.name!r} has values outside 1 to 7, the scale of all labels; rescale them."
        )
    return numbers


def write_table(table: pl.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write an utterance table, whole or not at all; the suffix .parquet or .csv chooses the format.

    Raises:
        EmorankError: another suffix, or the folder cannot be written.
    """
    target = Path(path)
    if target.suffix not in (".parquet", ".csv"):
        raise EmorankError(f"{target}: a table is a .parquet or .csv file.")
    try:
        with written_whole(target) as temporary:
            if target.suffix == ".parquet":
                table.write_parquet(temporary)
            else:
                table.write_csv(temporary)
    except OSError as error:
        raise EmorankError(f"{target}: the table cannot be written ({error.strerror}).") from error


def utterances(source: Path) -> tuple[list[Row], list[LeftOut]]:
    """A user's own table as a corpus: rows whose recording is missing or named twice are left out."""
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    for row in read_table(source).iter_rows(named=True):
        if row["path"] in seen:
            left_out.append(LeftOut(row["path"], "it is in the table twice"))
        elif not Path(row["path"]).is_file():
            left_out.append(LeftOut(row["path"], "there is no such file"))
        else:
            rows.append(row)
        seen.add(row["path"])
    return rows, left_out
