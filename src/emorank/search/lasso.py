"""Which points lie within a polygon, by the even-odd rule, fast where there are very many."""

from collections.abc import Sequence

import numpy as np

MOST_POINTS = 200


def within(points: np.ndarray, upwards: np.ndarray, corners: Sequence[tuple[float, float]]) -> np.ndarray:
    """(n,) which points an odd number of edges lies to the right of; points with NaN lie nowhere.

    An edge is only compared with the points between its ends, which are found in the sorted second coordinates: all
    edges together look at each point about as often as the outline passes its height.

    Args:
        points: (n, 2).
        upwards: (n,) the order of the points by their second coordinate, NaN last.
        corners: of the polygon, at least 3.
    """
    x, y = (points[upwards, i].astype(np.float64) for i in (0, 1))
    odd = np.zeros(len(points), bool)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        low, high = (x0, y0), (x1, y1)
        if y0 > y1:
            low, high = high, low
        part = slice(*np.searchsorted(y, [low[1], high[1]]))  # from the lower end on, without the upper one
        rise, run = high[1] - low[1], high[0] - low[0]
        odd[part] ^= (x[part] - low[0]) * rise < (y[part] - low[1]) * run
    inside = np.empty(len(points), bool)
    inside[upwards] = odd
    return inside
