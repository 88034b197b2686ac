"""Columns as numbers: for groups, facets and colours."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.errors import EmorankError
from emorank.search.order import RECORDING

if TYPE_CHECKING:
    import polars as pl

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


def coded(column: "pl.Series") -> Codes:
    """A column by its values."""
    import polars as pl

    values = column.drop_nulls().unique().sort()
    if column.dtype == pl.String:
        codes = column.cast(pl.Enum(values)).to_physical()
    else:
        codes = values.search_sorted(column.fill_null(values[0])).set(column.is_null(), None) if len(values) else column
    return Codes(codes.cast(pl.Int64).fill_null(len(values)).to_numpy(), values.to_list())


def require(name: str, columns: Iterable[str]) -> None:
    """That there is something to group by.

    Raises:
        EmorankError: there is not.
    """
    known = dict.fromkeys([RECORDING, DAY, *columns])
    if name not in known:
        raise EmorankError(f"There is nothing called {name!r} to group by; there are {', '.join(known)}.")


class Numbered(Sequence[Any]):
    """Texts by their number, made when they are asked for.

    Args:
        many: how many.
        made: gives the text of a number.
    """

    def __init__(self, many: int, made: Callable[[int], str]) -> None:
        self._many, self._made = many, made

    def __len__(self) -> int:
        return self._many

    def __getitem__(self, place: Any) -> Any:
        if not 0 <= place < self._many:
            raise IndexError(place)
        return self._made(int(place))
