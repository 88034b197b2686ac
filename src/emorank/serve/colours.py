"""A column as colours of the plane: one byte a segment."""

import numpy as np

from emorank.search.collection import Collection
from emorank.search.groups import DAY
from emorank.search.order import RECORDING
from emorank.serve.seeing import Shown

MOST_COLOURS = 12
OTHERS, NOTHING = 254, 255


def coloured(collection: Collection, by: str) -> tuple[np.ndarray, list[Shown], float | None, float | None]:
    """(n,) uint8 codes, and what they stand for: the most frequent values, or the lowest and highest of numbers.

    Raises:
        EmorankError: there is no such column.
    """
    numeric = (
        by not in (RECORDING, DAY) and by in collection.columns.columns and collection.columns[by].dtype.is_numeric()
    )
    if numeric and by != "channel":
        values = collection.columns[by].cast(float).to_numpy()
        known = np.isfinite(values)
        if not known.any():
            return np.full(len(values), NOTHING, np.uint8), [], None, None
        low, high = float(values[known].min()), float(values[known].max())
        scaled = np.round((np.where(known, values, low) - low) / max(high - low, 1e-12) * OTHERS)
        return np.where(known, scaled, NOTHING).astype(np.uint8), [], low, high
    codes = collection.codes(by)
    counts = codes.counts()[:-1]
    largest = [int(place) for place in np.argsort(-counts, kind="stable")[:MOST_COLOURS]]
    table = np.full(len(codes.values) + 1, OTHERS, np.uint8)
    table[-1] = NOTHING
    table[largest] = np.arange(len(largest))
    return table[codes.of], [codes.values[place] for place in largest], None, None
