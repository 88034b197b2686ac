"""Finds what fits a query in a large index: all rows nearly, the best of them exactly, percentiles from a sample.

However many directions a query has, its score is a product with one vector, since the means and deviations that bring
them to one scale are numbers (from the sample, which in an index of less than its size is everything). So one pass over
the rows is enough, in the leading directions and as small integers; it need not be exact, only put what belongs to the
best under the first thousand.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emorank.errors import EmorankError
from emorank.search.mapped import scan
from emorank.search.mapped.candidates import candidates
from emorank.search.mapped.collection import MappedCollection
from emorank.search.mapped.exact import exact
from emorank.search.mapped.passing import away, nearness, passing, rows_of
from emorank.search.order import ASCENDING, FIT, RECORDING, ascends, heights, require, spread
from emorank.search.query import Query

RESCORED = 1_000  # rows that are scored exactly beside those that are asked for


@dataclass(frozen=True)
class Ranked:
    """The best rows of a page, best first.

    Args:
        rows: (n,).
        total: how many pass, of rows or of groups.
        others: further rows of each one's group that pass, where hits are grouped.
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


def ranked(collection: MappedCollection, query: Query) -> Ranked:
    """What a query finds.

    Raises:
        EmorankError: there is no such column, or what fits least is asked for.
    """
    if query.sort != FIT:
        return _sorted(collection, query)
    if query.order == ASCENDING and query.directions:
        raise EmorankError(
            "The index is larger than the memory it may take; what fits least is not looked for in it. Allow more with "
            "--memory, or ask for the opposite."
        )
    return _described(collection, query) if query.directions else _placed(collection, query)


def _placed(collection: MappedCollection, query: Query) -> Ranked:
    """Without a description: the nearest to a middle first, of a region some of everywhere, else by path and start."""
    kept = passing(collection, query)
    middle = (query.near.valence, query.near.arousal) if query.near else None
    if middle is None and query.region:
        rows = rows_of(collection, kept)
        return _page(collection, query, rows, spread(collection.store["recording"][rows], _by_path(collection, rows)))
    if middle is None and not query.group:
        rows, total = collection.ordered(kept, query.offset, query.top)
        return Ranked(rows, total, [0] * len(rows))
    if middle is None or query.group not in (None, RECORDING):
        rows = rows_of(collection, kept)
        return _page(collection, query, rows, away(collection, middle, rows))
    asked = query.offset + query.top
    among, total, others = candidates(
        collection,
        query.group,
        kept,
        nearness(collection, middle),
        lambda rows: away(collection, middle, rows),
        asked + RESCORED,
    )
    order = _sequence(collection, among, away(collection, middle, among), query.group)[query.offset : asked]
    return Ranked(among[order], total, _others(collection, query.group, others, among[order]))


def _described(collection: MappedCollection, query: Query) -> Ranked:
    """With directions: the best by scores in few of them, scored exactly."""
    directions = np.stack([direction.embedding for direction in query.directions], 1).astype(np.float32)
    sample, everything = _sampled(collection)
    near = sample @ directions
    factors = _factors(near, query)
    direction = directions @ factors
    asked = query.offset + query.top
    among, total, others = candidates(
        collection,
        query.group,
        passing(collection, query),
        scan.nearly(collection.store, direction),
        lambda rows: scan.finer(collection.store, direction, rows),
        asked + RESCORED,
    )
    cosines = exact(collection.followed, among, lambda embeddings: embeddings @ directions)
    values = cosines @ factors
    order = _sequence(collection, among, values, query.group)[query.offset : asked]
    percentiles, error = _percentiles(near @ factors, values[order], everything)
    rows = among[order]
    return Ranked(rows, total, _others(collection, query.group, others, rows), cosines[order, 0], percentiles, error)


def _sorted(collection: MappedCollection, query: Query) -> Ranked:
    """In the order of a column: of those that fit best where something is described, else of all that pass."""
    kinds = collection.column_types
    require(query.sort, kinds)
    best = None
    if query.directions:
        best = ranked(collection, replace(query, sort=FIT, order=None, group=None, top=query.best, offset=0))
        rows = best.rows
    else:
        rows = rows_of(collection, passing(collection, query))
    if query.sort == RECORDING:
        column: Any = _by_path(collection, rows)
    else:
        column = collection.column(query.sort, rows)
    page = _page(collection, query, rows, heights(column, ascends(query.sort, query.order, kinds.get(query.sort))))
    if best is None or best.cosines is None or best.percentiles is None:
        return page
    place = {row: at for at, row in enumerate(best.rows.tolist())}
    at = [place[row] for row in page.rows.tolist()]
    return replace(page, cosines=best.cosines[at], percentiles=best.percentiles[at], error=best.error)


def _page(collection: MappedCollection, query: Query, rows: np.ndarray, ranks: np.ndarray) -> Ranked:
    """One page of rows, highest first, ties by path and start; where hits are grouped the first of each group."""
    others = None
    total, leaders = len(rows), np.arange(len(rows))
    if query.group:
        of = collection.codes(query.group).of[rows]
        others = np.bincount(of)
        order = np.lexsort((_by_path(collection, rows), -ranks))
        _, firsts = np.unique(of[order], return_index=True)
        leaders = order[firsts]
        total = len(leaders)
    asked = query.offset + query.top
    if asked < len(leaders):
        least = np.partition(ranks[leaders], len(leaders) - asked)[len(leaders) - asked]
        leaders = leaders[ranks[leaders] >= least]
    chosen = rows[leaders]
    order = np.lexsort((_by_path(collection, chosen), -ranks[leaders]))[query.offset : asked]
    chosen = chosen[order]
    return Ranked(chosen, total, _others(collection, query.group, others, chosen))


def _by_path(collection: MappedCollection, rows: np.ndarray) -> np.ndarray:
    """(n,) the places that rows have among all segments by path and start."""
    store, order = collection.store, collection.store["order"]
    counts = store["count"].astype(np.int64)
    before = np.zeros(len(counts), np.int64)
    before[order] = np.cumsum(counts[order]) - counts[order]
    recordings = store["recording"][rows]
    places: np.ndarray = before[recordings] + rows - store["first"][recordings]
    return places


def _others(collection: MappedCollection, group: str | None, counts: np.ndarray | None, rows: np.ndarray) -> list[int]:
    if counts is None or group is None:
        return [0] * len(rows)
    others: list[int] = (counts[collection.codes(group).of[rows]] - 1).tolist()
    return others


def _sequence(collection: MappedCollection, rows: np.ndarray, values: np.ndarray, group: str | None) -> np.ndarray:
    """Places of rows, best first, ties by path and start; of each group only the first where hits are grouped."""
    store = collection.store
    recordings = store["recording"][rows]
    paths = {number: store.path(number) for number in np.unique(recordings).tolist()}
    rank = {number: place for place, number in enumerate(sorted(paths, key=lambda number: paths[number]))}
    ranks = np.array([rank[number] for number in recordings.tolist()], np.int64)
    order = np.lexsort((rows, ranks, -values))
    if group:
        _, firsts = np.unique(collection.codes(group).of[rows[order]], return_index=True)
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
