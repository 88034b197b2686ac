"""In which order hits come: by fit, by a column, by recording; and spread over recordings where nothing ranks."""

from typing import TYPE_CHECKING

import numpy as np

from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.search.collection import Collection

FIT, RECORDING = "fit", "recording"
ASCENDING, DESCENDING = "ascending", "descending"
BEST = 200  # of those that fit best are put into another order, unless more are asked for
_GOLDEN = 0.6180339887498949


def heights(collection: "Collection", sort: str, order: str | None) -> np.ndarray:
    """(n,) what comes first highest, what has no value lowest.

    Args:
        collection: what is ordered.
        sort: `recording`, which is path and start, or a column.
        order: ascending or descending; by default numbers and dates come highest first, text and recordings lowest.

    Raises:
        EmorankError: there is no such column.
    """
    if sort == RECORDING:
        values = np.arange(len(collection), dtype=np.float64)
    else:
        if sort not in collection.columns.columns:
            known = ", ".join(dict.fromkeys([FIT, RECORDING, *collection.columns.columns]))
            raise EmorankError(f"There is nothing called {sort!r} to sort by; there are {known}.")
        values = _values(collection, sort)
    if (order or default_order(collection, sort)) == ASCENDING:
        values = -values
    lowest = np.nanmin(values) if (~np.isnan(values)).any() else 0.0
    placed: np.ndarray = np.where(np.isnan(values), lowest - 1, values)
    return placed


def default_order(collection: "Collection", sort: str) -> str:
    """How a sort runs where nobody says."""
    import polars as pl

    if sort == RECORDING:
        return ASCENDING
    text = sort not in (FIT, "date") and collection.columns.schema[sort] == pl.String
    return ASCENDING if text else DESCENDING


def spread(recordings: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(rows,) heights by which every recording has its turn before one has its second, in an order that looks drawn.

    Args:
        recordings: (rows,) number of the recording of each row.
        rows: numbers of segments; the same ones come in the same order again.
    """
    drawn = (rows + 1) * _GOLDEN % 1  # neighbours are far apart, and any first few lie all over
    order = np.lexsort((drawn, recordings))
    sorted_ones = recordings[order]
    first = np.flatnonzero(np.r_[True, sorted_ones[1:] != sorted_ones[:-1]]) if len(rows) else np.zeros(0, np.int64)
    turns = np.arange(len(rows)) - np.repeat(first, np.diff(np.r_[first, len(rows)]))
    height = np.empty(len(rows))
    height[order] = -(turns + drawn[order])
    return height


def _values(collection: "Collection", name: str) -> np.ndarray:
    import polars as pl

    column = collection.columns[name]
    if column.dtype == pl.String:
        column = column.rank("dense")
    values: np.ndarray = column.cast(pl.Float64).to_numpy()
    return values
