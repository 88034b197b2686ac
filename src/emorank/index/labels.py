"""A user's table beside an index: which recordings its rows mean, and which of its columns an index can keep."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

RESERVED = ("file", "start", "end", "duration", *DIMENSIONS, "channel", "damage", "loudness", "speech")


@dataclass(frozen=True)
class Fit:
    """A table whose rows were found among recordings.

    Args:
        labels: the rows that fit, `path` the recording's.
        rows: how many the table has.
        by_name: how many fit by nothing but a file name that no other recording has.
    """

    labels: "pl.DataFrame"
    rows: int
    by_name: int


def fitted(table: "pl.DataFrame", folder: str, roots: Sequence[str], recordings: Iterable[str]) -> Fit:
    """Find the recordings that the rows of a table mean.

    Paths count from the table's folder, from an indexed folder, or from the folder around that; / and \\, the forms of
    Unicode, and, where nothing else fits, upper and lower case are the same. A row that fits nowhere means the one
    recording of its file name, where there is just one, and no other row has that name.

    Args:
        table: with `path`, as `emorank.corpora.read_table` gives it: absolute from the table's folder.
        folder: of the table, absolute.
        roots: the indexed folders, absolute.
        recordings: absolute paths.

    Raises:
        EmorankError: no row fits.
    """
    import polars as pl

    known = list(recordings)
    exact = {_spelled(path): path for path in known}
    loose = _unique((_spelled(path).casefold(), path) for path in known)
    named = _unique((os.path.basename(_spelled(path)).casefold(), path) for path in known)
    written = [os.path.relpath(path, folder) if _within(path, folder) else path for path in table["path"]]
    names = Counter(os.path.basename(_spelled(path)).casefold() for path in written)
    places = [folder, *(place for root in roots for place in (root, os.path.dirname(root)))]
    paths: list[str | None] = []
    by_name = 0
    for path in written:
        spellings = [_spelled(os.path.join(place, path.replace("\\", "/"))) for place in places]
        found = next((exact[spelling] for spelling in spellings if spelling in exact), None)
        found = found or next((loose[s.casefold()] for s in spellings if s.casefold() in loose), None)
        name = os.path.basename(spellings[0]).casefold()
        if found is None and names[name] == 1 and name in named:
            found = named[name]
            by_name += 1
        paths.append(found)
    fit = table.with_columns(pl.Series("path", paths, dtype=pl.String)).drop_nulls("path")
    if fit.is_empty():
        example = f", such as {written[0]}" if written else ""
        raise EmorankError(
            f"The table fits none of the {len(known)} recordings: there is no recording at its paths{example}."
        )
    return Fit(fit, len(table), by_name)


def merged(old: "pl.DataFrame | None", new: "pl.DataFrame") -> "pl.DataFrame":
    """Labels of before with those of a new table: it wins where it says something, and blanks nothing."""
    import polars as pl

    if old is None:
        return new
    both = old.join(new, on="path", how="full", coalesce=True, suffix="|new", maintain_order="left_right")
    columns = [pl.col("path")]
    for name in dict.fromkeys([*old.columns, *new.columns]):
        if name in new.columns and name in old.columns and name != "path":
            new_column = pl.col(f"{name}|new")
            alike = old.schema[name] == new.schema[name]
            former = pl.col(name) if alike else pl.col(name).cast(new.schema[name], strict=False)
            columns.append(pl.coalesce(new_column, former).alias(name))
        elif name != "path":
            columns.append(pl.col(name))
    return both.select(columns)


def labels_of(table: "pl.DataFrame") -> "pl.DataFrame":
    """The columns of a user's table that an index can keep: one row a path; numbers, text, truth, dates as text.

    A column that has the name of one of the index's own (valence, say) is kept as `label_valence`.

    Raises:
        EmorankError: two rows of one path differ.
    """
    import polars as pl

    kept = []
    for column in table:
        if column.dtype.is_temporal() or isinstance(column.dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        elif column.dtype.is_decimal() or column.dtype.is_float():
            column = column.cast(pl.Float64)
            column = column.set(~column.is_finite(), None)
        if column.dtype == pl.String or column.dtype.is_numeric() or column.dtype == pl.Boolean:
            kept.append(column)
    labels = beside_own(pl.DataFrame(kept)).unique(maintain_order=True)
    twice = labels.filter(labels["path"].is_duplicated())["path"]
    if len(twice):
        raise EmorankError(f"{twice[0]}: the table has two rows for this recording, and they differ.")
    return labels


def beside_own(labels: "pl.DataFrame") -> "pl.DataFrame":
    """Labels without a column of the name of one of the index's own, also where that came later than the labels."""
    names: dict[str, str] = {}
    for name in labels.columns:
        if name in RESERVED:
            new = f"label_{name}"
            while new in labels.columns:
                new = f"label_{new}"
            names[name] = new
    return labels.rename(names)


def _spelled(path: str) -> str:
    """One spelling of a path that systems write in several ways."""
    return unicodedata.normalize("NFC", os.path.normpath(path.strip().replace("\\", "/")))


def _within(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _unique(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key -> path, of the keys that one path alone has."""
    every: dict[str, set[str]] = {}
    for key, path in pairs:
        every.setdefault(key, set()).add(path)
    return {key: next(iter(paths)) for key, paths in every.items() if len(paths) == 1}
