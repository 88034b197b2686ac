"""What a filter may ask about a segment: names, kinds, and how the index's own numbers become columns."""

from typing import TYPE_CHECKING

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.search import dates, disagreement

if TYPE_CHECKING:
    import polars as pl

#: Columns of numbers that every segment has of its own.
NUMBERS = ("start", "end", "duration", *DIMENSIONS, "loudness", "speech", "channel")


def column_types(labels: "pl.DataFrame | None" = None) -> "dict[str, pl.DataType]":
    """What a filter may ask about, with a user's table of labels."""
    import polars as pl

    own: dict[str, pl.DataType] = {"path": pl.String(), "file": pl.String()}
    own |= {name: pl.Int64() if name == "channel" else pl.Float64() for name in NUMBERS} | {"damage": pl.String()}
    own[dates.COLUMN] = pl.String()
    if disagreement.compared(labels):
        own[disagreement.COLUMN] = pl.Float64()
    return own if labels is None else own | {name: labels.schema[name] for name in beside(labels)}


def beside(labels: "pl.DataFrame") -> list[str]:
    """The columns of a user's table that stand beside the index's own; its dates are read into the index's `date`."""
    return [name for name in labels.columns if name not in ("path", dates.COLUMN)]


def number(
    name: str,
    start: np.ndarray,
    end: np.ndarray,
    places: np.ndarray,
    loudness: np.ndarray,
    channels: np.ndarray,
    speech: np.ndarray | None,
) -> "pl.Series":
    """One of `NUMBERS` of some segments, as it is shown and compared; null where it is not known.

    Args:
        name: of the column.
        start: (n,) in seconds, as `end`.
        end: (n,).
        places: (n, 3), NaN where the model lacks a dimension.
        loudness: (n,), NaN where it is not known.
        channels: (n,), 0 where a recording is heard as one.
        speech: (n,) in seconds, NaN where it is not known; None where it is of none.
    """
    import polars as pl

    if name == "channel":
        return pl.Series(name, channels, dtype=pl.Int64).replace(0, None)
    if name in DIMENSIONS:
        values = places[:, DIMENSIONS.index(name)].astype(np.float64).round(3)
    elif name == "loudness":
        values = loudness.astype(np.float64).round(1)
    elif name == "speech":
        values = np.full(len(start), np.nan) if speech is None else speech.astype(np.float64).round(2)
    else:
        values = (start if name == "start" else end if name == "end" else end - start).round(2)
    return pl.Series(name, values, nan_to_null=True)
