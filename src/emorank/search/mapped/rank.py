"""Finds what fits a query in a large index: all rows nearly, the best of them exactly, percentiles from a sample.

However many directions a query has, its score is a product with one vector, since the means and deviations that bring
them to one scale are numbers (from the sample, which in an index of less than its size is everything). So one pass over
the rows is enough, in the leading directions and as small integers; it need not be exact, only put what belongs to the
best under the first thousand.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emorank.search.mapped import scan
from emorank.search.mapped.collection import MappedCollection
from emorank.search.mapped.exact import exact
from emorank.search.query import Query

RESCORED = 1_000  # rows that are scored exactly beside those that are asked for
_WIDE = 8  # times as many are scored in more directions
_AMONG = 250  # and at least one in so many
_OF_EACH = 3  # rows of a recording that are scored exactly where hits are grouped


@dataclass(frozen=True)
class Ranked:
    """The best rows of a page, best first.

    Args:
        rows: (n,).
        total: how many pass, of rows or of recordings.
        others: further rows of each one's recording that pass, where hits are grouped.
        cosines: (n,) to the first direction; None without directions, as the next two.
        percentiles: (n,) percent of all segments that score lower.
        error: percentile points that these may be off by, in 95 of 100 cases; None where they are exact.
    """

    rows: np.ndarray
    total: int
    others: list[int]
    cosines: np.ndarray | None = None
    percentiles: np.ndarray | None = None
    error: float | None = None


def ranked(collection: MappedCollection, query: Query, middle: tuple[float, float] | None) -> Ranked:
    """What a query finds.

    Args:
        collection: what is searched.
        query: what is looked for.
        middle: of what is looked for on the plane; None where nothing is.
    """
    passing = _passing(collection, query, middle)
    if not query.directions and middle is None and not query.group:
        rows, total = collection.ordered(passing, query.offset, query.top)
        return Ranked(rows, total, [0] * len(rows))
    asked = query.offset + query.top
    if not query.directions:
        scores = _nearness(collection, middle)
        candidates, total, others = _candidates(
            collection, query, passing, scores, lambda rows: _away(collection, middle, rows), asked + RESCORED
        )
        values = _away(collection, middle, candidates)
        order = _sequence(collection, candidates, values, query.group)[query.offset : asked]
        rows = candidates[order]
        return Ranked(rows, total, _others(collection, others, rows))
    directions = np.stack([direction.embedding for direction in query.directions], 1).astype(np.float32)
    sample, everything = _sampled(collection)
    near = sample @ directions
    factors = _factors(near, query)
    direction = directions @ factors
    scores = scan.nearly(collection.store, direction)
    candidates, total, others = _candidates(
        collection, query, passing, scores, lambda rows: scan.finer(collection.store, direction, rows), asked + RESCORED
    )
    cosines = exact(collection.followed, candidates, lambda embeddings: embeddings @ directions)
    values = cosines @ factors
    order = _sequence(collection, candidates, values, query.group)[query.offset : asked]
    percentiles, error = _percentiles(near @ factors, values[order], everything)
    rows = candidates[order]
    return Ranked(rows, total, _others(collection, others, rows), cosines[order, 0], percentiles, error)


def _passing(collection: MappedCollection, query: Query, middle: tuple[float, float] | None) -> np.ndarray | None:
    """(n,) which rows are segments and pass; None where all do."""
    passing = collection.passing(query.where) if query.where else None
    if middle is not None:
        inside = np.ones(len(collection.store), bool) if passing is None else passing
        places = collection.store["places"]
        for start in range(0, len(inside), scan.ROWS_AT_ONCE):
            span = slice(start, start + scan.ROWS_AT_ONCE)
            if query.near:
                inside[span] &= np.hypot(*(places[span, :2] - np.array(middle, np.float32)).T) <= query.near.radius
            if query.region:
                for values, (low, high) in zip(
                    places[span].T, (query.region.valence, query.region.arousal), strict=False
                ):
                    inside[span] &= (values >= low) & (values <= high)
        passing = inside
    if query.recording is not None:
        own = collection.rows_of(query.recording)
        inside = np.zeros(len(collection.store), bool)
        inside[own.start : own.stop] = True if passing is None else passing[own.start : own.stop]
        passing = inside
    kept = collection.kept(passing)
    if query.without:
        kept = np.ones(len(collection.store), bool) if kept is None else kept.copy()
        kept[list(query.without)] = False
    return kept


def _nearness(collection: MappedCollection, middle: tuple[float, float] | None) -> scan.Scores:
    def scores(start: int, stop: int, picked: np.ndarray | None) -> np.ndarray:
        return _away(collection, middle, slice(start, stop) if picked is None else start + picked)

    return scores


def _away(collection: MappedCollection, middle: tuple[float, float] | None, rows: np.ndarray | slice) -> np.ndarray:
    """Of some rows, the nearer to the middle of what is looked for on the plane, the higher; 0 where nothing is."""
    places = collection.store["places"][rows, :2]
    if middle is None:
        return np.zeros(len(places), np.float32)
    found: np.ndarray = -np.hypot(*(places - np.array(middle, np.float32)).T)
    return found


def _candidates(
    collection: MappedCollection,
    query: Query,
    passing: np.ndarray | None,
    scores: scan.Scores,
    finer: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> tuple[np.ndarray, int, np.ndarray | None]:
    """Rows among which the best are, how many rows or recordings pass, and how many rows of each recording do."""
    store = collection.store
    if not query.group:
        wide = max(_WIDE * count, len(store) // _AMONG)
        rows, _ = scan.highest(scores, wide, len(store), passing)
        rows, _ = scan.cut(rows, finer(rows), count) if len(rows) > count else (rows, None)
        return rows, len(store) if passing is None else int(np.count_nonzero(passing)), None
    best, counts = scan.by_recording(store, scores, passing)
    numbers = np.flatnonzero(counts)
    total = len(numbers)
    numbers, _ = scan.cut(numbers, best[numbers], max(_WIDE * count, total // _AMONG))
    sizes = store["count"][numbers].astype(np.int64)
    rows = np.repeat(store["first"][numbers] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    rows = rows if passing is None else rows[passing[rows]]
    values = finer(rows)
    order = np.lexsort((-values, store["recording"][rows]))
    rows, values = rows[order], values[order]
    recordings, firsts, many = np.unique(store["recording"][rows], return_index=True, return_counts=True)
    chosen, _ = scan.cut(np.arange(len(recordings)), values[firsts], count)
    spans = [np.arange(firsts[n], firsts[n] + min(_OF_EACH, many[n])) for n in chosen.tolist()]
    return rows[np.concatenate(spans)] if spans else rows, total, counts


def _others(collection: MappedCollection, counts: np.ndarray | None, rows: np.ndarray) -> list[int]:
    if counts is None:
        return [0] * len(rows)
    others: list[int] = (counts[collection.store["recording"][rows]] - 1).tolist()
    return others


def _sequence(collection: MappedCollection, rows: np.ndarray, values: np.ndarray, group: bool) -> np.ndarray:
    """Places of rows, best first, ties by path and start; of each recording only the first where hits are grouped."""
    store = collection.store
    recordings = store["recording"][rows]
    paths = {number: store.path(number) for number in np.unique(recordings).tolist()}
    rank = {number: place for place, number in enumerate(sorted(paths, key=lambda number: paths[number]))}
    ranks = np.array([rank[number] for number in recordings.tolist()], np.int64)
    order = np.lexsort((rows, ranks, -values))
    if group:
        _, firsts = np.unique(recordings[order], return_index=True)
        order = order[np.sort(firsts)]
    return order


def _sampled(collection: MappedCollection) -> tuple[np.ndarray, bool]:
    """(m, embedding_dim) of rows that are searched, and whether they are all of them."""
    rows, sample = collection.store["sample_row"], collection.store["sample"]
    if collection.alive is not None:
        kept = collection.alive[rows]
        rows, sample = rows[kept], sample[kept]
    return sample, len(rows) == len(collection)


def _factors(cosines: np.ndarray, query: Query) -> np.ndarray:
    """(directions,) that cosines are multiplied by before they are added."""
    weights = np.array([direction.weight for direction in query.directions], np.float32)
    if len(weights) == 1 or not len(cosines):
        return np.sign(weights)
    factors: np.ndarray = weights / np.maximum(cosines.std(axis=0), 1e-9)
    return factors


def _percentiles(sample: np.ndarray, values: np.ndarray, everything: bool) -> tuple[np.ndarray | None, float | None]:
    """Percent of segments with lower scores, rounded down, and how far that may be off (Wilson's interval, 95 %)."""
    if not len(sample):
        return None, None
    size = len(sample)
    close = 1e-6 * max(1.0, float(np.abs(sample).max()))  # sums in another order differ so much
    shares = np.searchsorted(np.sort(sample), values - close, "left") / size
    percentiles = np.floor(shares * 10_000) / 100
    if everything or not len(values):
        return percentiles, None
    z = 1.96
    widths = z / (1 + z**2 / size) * np.sqrt(shares * (1 - shares) / size + z**2 / (4 * size**2))
    return percentiles, float(np.ceil(widths.max() * 10_000) / 100)
