"""A column as colours of the plane: one byte a segment."""

import numpy as np

from emorank.search.rank import Searched
from emorank.serve.seeing import Shown

MOST_COLOURS = 12
OTHERS, NOTHING = 254, 255


def coloured(collection: Searched, by: str) -> tuple[np.ndarray, list[Shown], float | None, float | None]:
    """(n,) uint8 codes, and what they stand for: the most frequent values, or the lowest and highest of numbers.

    Raises:
        EmorankError: there is no such column.
    """
    kind = collection.column_types.get(by)
    every = collection.kept(None)
    if kind is not None and kind.is_numeric() and by != "channel":
        values = collection.column(by, np.arange(len(collection.segments.start))).cast(float).to_numpy()
        known = np.isfinite(values) if every is None else np.isfinite(values) & every
        if not known.any():
            return np.full(len(values), NOTHING, np.uint8), [], None, None
        low, high = float(values[known].min()), float(values[known].max())
        scaled = np.round((np.where(known, values, low) - low) / max(high - low, 1e-12) * OTHERS)
        return np.where(known, scaled, NOTHING).astype(np.uint8), [], low, high
    codes = collection.codes(by)
    counts = codes.counts(every)[:-1]
    largest = [int(place) for place in np.argsort(-counts, kind="stable")[:MOST_COLOURS]]
    table = np.full(len(codes.values) + 1, OTHERS, np.uint8)
    table[-1] = NOTHING
    table[largest] = np.arange(len(largest))
    return table[codes.of], [codes.values[place] for place in largest], None, None
