"""Which rows of a large index a query lets pass, and how near they lie to a place."""

import numpy as np

from emorank.search.lasso import within
from emorank.search.mapped import scan
from emorank.search.mapped.collection import MappedCollection
from emorank.search.query import Lasso, Query


def passing(collection: MappedCollection, query: Query) -> np.ndarray | None:
    """(n,) which rows are segments and pass; None where all do.

    Raises:
        EmorankError: there is no such column.
        FilterError: the filter cannot be understood.
    """
    passes = collection.passing(query.where) if query.where else None
    if query.near or query.region:
        inside = np.ones(len(collection.store), bool) if passes is None else passes
        places = collection.store["places"]
        for start in range(0, len(inside), scan.ROWS_AT_ONCE):
            span = slice(start, start + scan.ROWS_AT_ONCE)
            inside[span] &= _lies(places[span, :2], query)
        passes = inside
    for choice in query.choices:
        chosen = collection.codes(choice.column).any_of(choice.values)
        passes = chosen if passes is None else passes & chosen
    if query.recording is not None:
        own = collection.rows_of(query.recording)
        inside = np.zeros(len(collection.store), bool)
        inside[own.start : own.stop] = True if passes is None else passes[own.start : own.stop]
        passes = inside
    kept = collection.kept(passes)
    if query.without:
        kept = np.ones(len(collection.store), bool) if kept is None else kept.copy()
        kept[list(query.without)] = False
    return kept


def _lies(places: np.ndarray, query: Query) -> np.ndarray:
    """(n,) which of some places lie in the circle and the region that are asked for."""
    inside = np.ones(len(places), bool)
    if query.near:
        middle = np.array((query.near.valence, query.near.arousal), np.float32)
        inside &= np.hypot(*(places - middle).T) <= query.near.radius
    if isinstance(query.region, Lasso):
        inside &= within(places, np.argsort(places[:, 1], kind="stable"), query.region.corners)
    elif query.region:
        for values, (low, high) in zip(places.T, (query.region.valence, query.region.arousal), strict=True):
            inside &= (values >= low) & (values <= high)
    return inside


def rows_of(collection: MappedCollection, kept: np.ndarray | None) -> np.ndarray:
    """The numbers of rows that are kept; None is all."""
    return np.arange(len(collection.store)) if kept is None else np.flatnonzero(kept)


def away(collection: MappedCollection, middle: tuple[float, float] | None, rows: np.ndarray | slice) -> np.ndarray:
    """Of some rows, the nearer to the middle of what is looked for on the plane, the higher; 0 where nothing is."""
    places = collection.store["places"][rows, :2]
    if middle is None:
        return np.zeros(len(places), np.float32)
    found: np.ndarray = -np.hypot(*(places - np.array(middle, np.float32)).T)
    return found


def nearness(collection: MappedCollection, middle: tuple[float, float] | None) -> scan.Scores:
    """`away` of the rows that a scan looks at together."""

    def scores(start: int, stop: int, picked: np.ndarray | None) -> np.ndarray:
        return away(collection, middle, slice(start, stop) if picked is None else start + picked)

    return scores
