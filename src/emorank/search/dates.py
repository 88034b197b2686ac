"""When recordings were made: by the user's table, else by the time of their last change. As text that sorts by time."""

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

COLUMN = "date"
DAY = 10  # characters of a date that are its day
_ISO = r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?).*)?$"


def dates(changed: np.ndarray | None, count: int, stated: "pl.Series | None" = None) -> "pl.Series":
    """(count,) dates such as 2026-03-09 or 2026-03-09 14:05:00, null where there is none.

    Where the user's table states dates, they alone count: a time of change beside them would be another thing.

    Args:
        changed: (count,) times of change in nanoseconds since 1970, shown in this computer's time; None where unknown.
        count: of segments.
        stated: what the table says: ISO 8601, or any numbers such as years; what is neither is null.
    """
    import polars as pl

    if stated is not None:
        said = _read(stated.rename(COLUMN))
        if said.null_count() < len(said):
            return said
    if changed is None:
        return pl.Series(COLUMN, [None] * count, dtype=pl.String)
    times, places = np.unique(changed, return_inverse=True)
    texts = pl.Series(COLUMN, [shown(int(time)) for time in times], dtype=pl.String)
    return texts.gather(places.astype(np.uint32)) if len(texts) else texts


def _read(stated: "pl.Series") -> "pl.Series":
    import polars as pl

    if stated.dtype != pl.String:
        return stated.cast(pl.String)
    text = stated.str.strip_chars()
    day, time = text.str.extract(_ISO, 1), text.str.extract(_ISO, 2)
    real = day.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    joined = pl.select(pl.when(real).then(pl.concat_str([day, time], separator=" ", ignore_nulls=True))).to_series()
    return joined.rename(COLUMN)


def shown(nanoseconds: int) -> str | None:
    """A time of change as text; None where the system could not read it, or no calendar has it."""
    if nanoseconds < 0:
        return None
    try:
        return datetime.fromtimestamp(nanoseconds // 1_000_000_000).isoformat(" ")
    except (OverflowError, ValueError, OSError):
        return None
