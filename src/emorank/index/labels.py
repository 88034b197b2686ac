"""A user's table beside an index: which of its columns an index can keep."""

from typing import TYPE_CHECKING

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError

if TYPE_CHECKING:
    import polars as pl

RESERVED = ("file", "start", "end", "duration", *DIMENSIONS, "loudness")


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
            kept.append(column.alias(f"label_{column.name}") if column.name in RESERVED else column)
    labels = pl.DataFrame(kept).unique(maintain_order=True)
    twice = labels.filter(labels["path"].is_duplicated())["path"]
    if len(twice):
        raise EmorankError(f"{twice[0]}: the table has two rows for this recording, and they differ.")
    return labels
