"""In which order hits come: by fit, by a column, by recording; and spread over recordings where nothing ranks."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from emorank.errors import EmorankError
from emorank.search import dates

if TYPE_CHECKING:
    import polars as pl

FIT, RECORDING = "fit", "recording"
ASCENDING, DESCENDING = "ascending", "descending"
BEST = 200  # of those that fit best are put into another order, unless more are asked for
_GOLDEN = 0.6180339887498949


def require(sort: str, columns: Iterable[str]) -> None:
    """That there is something to sort by.

    Raises:
        EmorankError: there is not.
    """
    known = dict.fromkeys([FIT, RECORDING, *columns])
    if sort not in known:
        raise EmorankError(f"There is nothing called {sort!r} to sort by; there are {', '.join(known)}.")


def ascends(sort: str, order: str | None, kind: "pl.DataType | None") -> bool:
    """Whether the lowest comes first.

    Args:
        sort: what is sorted by.
        order: ascending or descending; by default numbers and dates descend, text and recordings ascend.
        kind: of the column; None where it is none.
    """
    import polars as pl

    if order is not None:
        return order == ASCENDING
    return sort == RECORDING or (kind == pl.String and sort != dates.COLUMN)


def heights(column: "pl.Series | np.ndarray", ascending: bool) -> np.ndarray:
    """(n,) what comes first highest, what has no value lowest.

    Args:
        column: (n,) values.
        ascending: whether the lowest comes first.
    """
    import polars as pl

    if isinstance(column, np.ndarray):
        values = column.astype(np.float64)
    else:
        ranked = column.rank("dense") if column.dtype == pl.String else column
        values = ranked.cast(pl.Float64).to_numpy()
    values = -values if ascending else values
    lowest = np.nanmin(values) if (~np.isnan(values)).any() else 0.0
    placed: np.ndarray = np.where(np.isnan(values), lowest - 1, values)
    return placed


def spread(recordings: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(rows,) heights by which every recording has its turn before one has its second, in an order that looks drawn.

    Args:
        recordings: (rows,) number of the recording of each row.
        rows: places of segments by path and start; the same ones come in the same order again.
    """
    drawn = (rows + 1) * _GOLDEN % 1  # neighbours are far apart, and any first few lie all over
    order = np.lexsort((drawn, recordings))
    sorted_ones = recordings[order]
    first = np.flatnonzero(np.r_[True, sorted_ones[1:] != sorted_ones[:-1]]) if len(rows) else np.zeros(0, np.int64)
    turns = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    height = np.empty(len(rows))
    height[order] = -(turns + drawn[order])
    return height
