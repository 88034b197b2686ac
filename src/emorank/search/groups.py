"""Columns as numbers: for groups, facets and colours."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.errors import EmorankError
from emorank.search import dates
from emorank.search.order import RECORDING

if TYPE_CHECKING:
    from emorank.search.collection import Collection

DAY = "day"
Value = str | float | bool | None


@dataclass(frozen=True)
class Codes:
    """A column by its different values.

    Args:
        of: (n,) the number of each segment's value; `len(values)` where it has none.
        values: in their order.
    """

    of: np.ndarray
    values: Sequence[Any]

    @cached_property
    def place(self) -> dict[Any, int]:
        """The number of every value."""
        return {value: place for place, value in enumerate(self.values)}

    def counts(self, passing: np.ndarray | None = None) -> np.ndarray:
        """(values + 1,) how many segments that pass have each value, and none."""
        counted = self.of if passing is None else self.of[passing]
        found: np.ndarray = np.bincount(counted, minlength=len(self.values) + 1)
        return found

    def any_of(self, values: Sequence[Value]) -> np.ndarray:
        """(n,) which segments have one of some values; None stands for none."""
        wanted = np.zeros(len(self.values) + 1, bool)
        for value in values:
            at = len(self.values) if value is None else self.place.get(value)
            if at is not None:
                wanted[at] = True
        chosen: np.ndarray = wanted[self.of]
        return chosen


def coded(collection: "Collection", name: str) -> Codes:
    """A column, `recording` or `day` by its values.

    Raises:
        EmorankError: there is no such column.
    """
    import polars as pl

    if name in (RECORDING, "path"):  # told apart by their order, without comparing a million texts
        spans = np.diff(collection.recordings)
        return Codes(np.repeat(np.arange(len(spans)), spans), _Shown(collection))
    columns = collection.columns
    if name == DAY and DAY not in columns.columns:
        column = columns[dates.COLUMN].str.head(dates.DAY)
    elif name in columns.columns:
        column = columns[name]
    else:
        known = ", ".join(dict.fromkeys([RECORDING, DAY, *columns.columns]))
        raise EmorankError(f"There is nothing called {name!r} to group by; there are {known}.")
    values = column.drop_nulls().unique().sort()
    if column.dtype == pl.String:
        codes = column.cast(pl.Enum(values)).to_physical()
    else:
        codes = values.search_sorted(column.fill_null(values[0])).set(column.is_null(), None) if len(values) else column
    filled = codes.cast(pl.Int64).fill_null(len(values)).to_numpy()
    return Codes(filled, values.to_list())


class _Shown(Sequence[Any]):
    """The recordings as a person sees them, in their order."""

    def __init__(self, collection: "Collection") -> None:
        self._paths = collection.segments.paths if collection.shown is None else collection.shown
        self._first = collection.recordings[:-1]

    def __len__(self) -> int:
        return len(self._first)

    def __getitem__(self, place: Any) -> Any:
        return self._paths[int(self._first[place])]
