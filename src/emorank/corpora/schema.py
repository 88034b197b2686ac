"""The utterance table: its columns, their types, and what a label may be."""

import logging
from typing import Any

import polars as pl

from emorank.affect import DIMENSIONS, HIGHEST, LABELS, LOWEST

#: Columns of an utterance table and their types. Any others of a corpus or of a user's own table stay beside them.
#: `valence`, `arousal`, `dominance` are 1..7 or null, `duration` is in seconds, `path` is absolute.
COLUMNS: dict[str, type[pl.DataType]] = {
    "path": pl.String,
    "valence": pl.Float64,
    "arousal": pl.Float64,
    "dominance": pl.Float64,
    "emotion": pl.String,
    "intensity": pl.String,
    "caption": pl.String,
    "speaker": pl.String,
    "gender": pl.String,
    "split": pl.String,
    "corpus": pl.String,
    "language": pl.String,
    "label_source": pl.String,
    "transcript": pl.String,
    "duration": pl.Float64,
}

Row = dict[str, Any]

_OTHER_SCALE, _ENOUGH = 5.0, 20  # the highest rating of another usual scale; rows that would surely reach above it

logger = logging.getLogger(__name__)


def table_of(rows: list[Row]) -> pl.DataFrame:
    """Rows, each with any of `COLUMNS` and columns of its own, as a table with all of `COLUMNS` in their order."""
    names = dict.fromkeys(name for row in rows for name in row)
    types = {name: COLUMNS[name] for name in names if name in COLUMNS}
    return conformed(pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, schema_overrides=types))


def conformed(table: pl.DataFrame) -> pl.DataFrame:
    """The same table with all of `COLUMNS` in their order and with their types, its other columns after them.

    Raises:
        ValueError: a column holds what cannot be in it; the message is a part of a sentence without the table's name.
    """
    ours = [
        typed(table[name]) if name in table.columns else pl.Series(name, [None] * len(table), dtype=kind)
        for name, kind in COLUMNS.items()
    ]
    return pl.DataFrame([*ours, *(table[name] for name in table.columns if name not in COLUMNS)])


def typed(column: pl.Series) -> pl.Series:
    """A column with the type that its name has in `COLUMNS`; others as they are.

    Raises:
        ValueError: a value that is no number, or a label outside 1..7.
    """
    kind = pl.Float64 if column.name in LABELS else COLUMNS.get(column.name)
    if kind == pl.Float64:
        numbers = _numbers(column)
        return _within_scale(numbers) if column.name in LABELS else numbers
    if kind is None or column.dtype == kind:
        return column
    try:
        return column.cast(kind)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"column {column.name!r} holds {column.dtype} where text is expected") from error


def is_label(value: float) -> bool:
    """Whether a number lies on the 1..7 scale of all labels; NaN does not."""
    return LOWEST <= value <= HIGHEST


def notice_scale(table: pl.DataFrame, source: object) -> None:
    """Warn where labels look as if they were rated from 1 to 5, as in IEMOCAP: nothing else would show it."""
    rated = [name for name in DIMENSIONS if name in table.columns and table[name].count()]
    largest = table.select(pl.max_horizontal(pl.col(rated).cast(pl.Float64).max())).item() if rated else None
    if isinstance(largest, float) and (largest == _OTHER_SCALE or (largest < _OTHER_SCALE and len(table) >= _ENOUGH)):
        logger.warning(
            "%s: no %s is above %g. If they were rated from 1 to 5, bring them to 1 to 7: 1 + (rating - 1) * 1.5",
            source,
            " or ".join(rated),
            largest,
        )


def _numbers(column: pl.Series) -> pl.Series:
    """Text or numbers -> Float64; blank, "nan" and NaN are null, as other programs write a missing number so."""
    given = column
    if column.dtype == pl.String:
        given = column.str.strip_chars()
        given = given.set(given == "", None)
    try:
        numbers = given.cast(pl.Float64, strict=False)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"column {column.name!r} is not a number, it holds {column.dtype}") from error
    wrong = (given.is_not_null() & numbers.is_null()).arg_true()
    if len(wrong):
        raise ValueError(
            f"column {column.name!r} holds {given[wrong[0]]!r} in row {wrong[0] + 1}, which is not a number"
        )
    return numbers.fill_nan(None)


def _within_scale(numbers: pl.Series) -> pl.Series:
    wrong = (~numbers.is_between(LOWEST, HIGHEST)).fill_null(False).arg_true()
    if len(wrong):
        raise ValueError(
            f"column {numbers.name!r} holds {numbers[wrong[0]]:g} in row {wrong[0] + 1}, "
            f"outside {LOWEST:g} to {HIGHEST:g}, the scale of all labels; rescale the column"
        )
    return numbers
