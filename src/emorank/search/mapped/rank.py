"""Finds what fits a query in a large index: all rows nearly, the best of them exactly, percentiles from a sample.

However many directions a query has, its score is a product with one vector, since the means and deviations that bring
them to one scale are numbers (from the sample, which in an index of less than its size is everything). So one pass over
the rows is enough, in the leading directions and as small integers; it need not be exact, only put what belongs to the
best under the first thousand.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emorank.errors import EmorankError
from emorank.search.lasso import within
from emorank.search.mapped import scan
from emorank.search.mapped.collection import MappedCollection
from emorank.search.mapped.exact import exact
from emorank.search.order import ASCENDING, FIT, RECORDING, ascends, heights, require, spread
from emorank.search.query import Lasso, Query

RESCORED = 1_000  # rows that are scored exactly beside those that are asked for
_WIDE = 8  # times as many are scored in more directions
_AMONG = 250  # and at least one in so many
_OF_EACH = 3  # rows of a recording that are scored exactly where hits are grouped


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
    kept = passing(collection, query)
    middle = (query.near.valence, query.near.arousal) if query.near else None
    if not query.directions and query.region and middle is None:
        rows = _rows_of(collection, kept)
        ranks = spread(collection.store["recording"][rows], _by_path(collection, rows))
        return _page(collection, query, rows, ranks)
    if not query.directions and middle is None and not query.group:
        rows, total = collection.ordered(kept, query.offset, query.top)
        return Ranked(rows, total, [0] * len(rows))
    if not query.directions and (middle is None or query.group not in (None, RECORDING)):
        rows = _rows_of(collection, kept)
        return _page(collection, query, rows, _away(collection, middle, rows))
    asked = query.offset + query.top
    if not query.directions:
        scores = _nearness(collection, middle)
        candidates, total, others = _candidates(
            collection, query, kept, scores, lambda rows: _away(collection, middle, rows), asked + RESCORED
        )
        values = _away(collection, middle, candidates)
        order = _sequence(collection, candidates, values, query.group)[query.offset : asked]
        rows = candidates[order]
        return Ranked(rows, total, _others(collection, query.group, others, rows))
    directions = np.stack([direction.embedding for direction in query.directions], 1).astype(np.float32)
    sample, everything = _sampled(collection)
    near = sample @ directions
    factors = _factors(near, query)
    direction = directions @ factors
    scores = scan.nearly(collection.store, direction)
    candidates, total, others = _candidates(
        collection, query, kept, scores, lambda rows: scan.finer(collection.store, direction, rows), asked + RESCORED
    )
    cosines = exact(collection.followed, candidates, lambda embeddings: embeddings @ directions)
    values = cosines @ factors
    order = _sequence(collection, candidates, values, query.group)[query.offset : asked]
    percentiles, error = _percentiles(near @ factors, values[order], everything)
    rows = candidates[order]
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
        rows = _rows_of(collection, passing(collection, query))
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


def _rows_of(collection: MappedCollection, kept: np.ndarray | None) -> np.ndarray:
    return np.arange(len(collection.store)) if kept is None else np.flatnonzero(kept)


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
    if query.group != RECORDING:
        return _grouped_candidates(collection, query.group, passing, scores, finer, count)
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


def _grouped_candidates(
    collection: MappedCollection,
    group: str,
    passing: np.ndarray | None,
    scores: scan.Scores,
    finer: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> tuple[np.ndarray, int, np.ndarray]:
    """The same where hits are grouped by a column: the nearly best few of each of the nearly best groups."""
    rows, codes = _rows_of(collection, passing), collection.codes(group)
    of, nearly = codes.of[rows], np.empty(len(rows), np.float32)
    for start in range(0, len(rows), scan.ROWS_AT_ONCE):
        some = rows[start : start + scan.ROWS_AT_ONCE]
        first, last = int(some[0]), int(some[-1]) + 1
        nearly[start : start + len(some)] = scores(first, last, some - first)
    counts = np.bincount(of, minlength=len(codes.values) + 1)
    left = np.arange(len(rows))
    found: list[np.ndarray] = []
    for _ in range(_OF_EACH):
        highest = np.full(len(counts), -np.inf, np.float32)
        np.maximum.at(highest, of[left], nearly[left])
        leading = left[nearly[left] == highest[of[left]]]
        _, firsts = np.unique(of[leading], return_index=True)
        chosen = leading[firsts]
        if not found and len(chosen) > _WIDE * count:
            chosen, _ = scan.cut(chosen, nearly[chosen], _WIDE * count)
            kept = np.zeros(len(counts), bool)
            kept[of[chosen]] = True
            left = left[kept[of[left]]]
        found.append(chosen)
        left = np.setdiff1d(left, chosen, assume_unique=True)
        if not len(left):
            break
    best = rows[np.concatenate(found)] if found else rows
    return best, int((counts > 0).sum()), counts


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
