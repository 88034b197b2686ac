"""Finds what fits a query: scores for all segments, those that pass its filters, the best of them."""

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError
from emorank.search.checks import check
from emorank.search.collection import Collection
from emorank.search.lasso import within
from emorank.search.mapped import MappedCollection
from emorank.search.mapped.passing import passing as mapped_passing
from emorank.search.mapped.rank import ranked as mapped_ranked
from emorank.search.order import ASCENDING, FIT, RECORDING, ascends, heights, require, spread
from emorank.search.query import Found, Hit, Lasso, Query
from emorank.search.scan import Scan

PLANE = DIMENSIONS[:2]
Searched = Collection | MappedCollection
_RESCORED = 2_000  # of the best are scored exactly where the scan is not


def find(collection: Searched, query: Query) -> Found:
    """What a query finds; equal scores in the order of path and start.

    Raises:
        EmorankError: the query asks for nothing, or for a place that is not on the plane.
    """
    check(query)
    if not len(collection):
        return Found(0, ())
    if isinstance(collection, MappedCollection):
        return _found_mapped(collection, query)
    cosines, scores, distances, passes = _judged(collection, query)
    ranks, passes = _ordered(collection, query, scores, passes)
    rows, total, others = _best(collection, ranks, passes, query)
    percentiles = _percentiles(scores, rows) if cosines is not None else None
    hits = []
    for place, row in enumerate(rows.tolist()):
        score = None if cosines is None else float(cosines[row, 0])
        percentile = None if percentiles is None else float(percentiles[place])
        distance = None if distances is None else float(distances[row])
        hits.append(hit(collection, row, score, percentile, distance, others[place]))
    return Found(total, tuple(hits))


def scores_of(collection: Searched, query: Query) -> tuple[np.ndarray, np.ndarray]:
    """(n,) how well every segment fits a query, what is best highest, and (n,) which pass its filters.

    Raises:
        EmorankError: as `find`, or the index is not held in memory.
    """
    if isinstance(collection, MappedCollection):
        raise EmorankError("it is larger than the memory it may take and cannot be compared; allow more with --memory.")
    check(query)
    if not len(collection):
        return np.zeros(0, np.float32), np.zeros(0, bool)
    _, scores, _, passes = _judged(collection, query)
    return scores, np.ones(len(scores), bool) if passes is None else passes


def _judged(
    collection: Collection, query: Query
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Of all segments: cosines to the directions, scores, distances, and which pass; None for what is not asked."""
    distances = _distances(collection, query)
    passes = passing(collection, query)
    cosines = None
    if query.directions:
        cosines, scores = _scored(collection.scan, query, passes)
    elif query.region and not query.near:
        scores = np.zeros(len(collection))
        rows = np.arange(len(scores)) if passes is None else np.flatnonzero(passes)
        scores[rows] = spread(collection.codes(RECORDING).of[rows], rows)
    else:
        scores = np.zeros(len(collection), np.float32) if distances is None else -distances
    return cosines, scores, distances, passes


def _found_mapped(collection: MappedCollection, query: Query) -> Found:
    _require_plane(collection, query)
    near = query.near
    best = mapped_ranked(collection, query)
    hits = []
    for place, row in enumerate(best.rows.tolist()):
        score = None if best.cosines is None else float(best.cosines[place])
        percentile = None if best.percentiles is None else float(best.percentiles[place])
        middle = None if near is None else (near.valence, near.arousal)
        away = None if middle is None else float(np.hypot(*(collection.segments.places[row, :2] - middle)))
        hits.append(hit(collection, row, score, percentile, away, best.others[place]))
    return Found(best.total, tuple(hits), best.error)


def hit(
    collection: Searched,
    row: int,
    score: float | None = None,
    percentile: float | None = None,
    distance: float | None = None,
    others: int = 0,
) -> Hit:
    """A row of a collection as a hit."""
    segments = collection.segments
    places = (None if np.isnan(x) else round(float(x), 2) for x in segments.places[row])
    valence, arousal, dominance = places
    loudness = float(segments.loudness[row])
    speech = float("nan") if segments.speech is None else float(segments.speech[row])
    return Hit(
        row=row,
        id=collection.id_of(row),
        path=segments.paths[row],
        start=round(float(segments.start[row]), 2),
        end=round(float(segments.end[row]), 2),
        score=None if score is None else round(score, 4),
        percentile=percentile,
        distance=None if distance is None else round(distance, 2),
        valence=valence,
        arousal=arousal,
        dominance=dominance,
        loudness=None if np.isnan(loudness) else round(loudness, 1),
        speech=None if np.isnan(speech) else round(speech, 2),
        channel=int(segments.channels[row]) or None,
        damage=segments.damage.get(segments.paths[row]),
        labels=collection.labels_at(row),
        others=others,
        date=collection.date_at(row),
    )


def _scored(scan: Scan, query: Query, passing: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(n, directions) cosines and (n,) scores, what is best highest; exact for the best that pass."""
    directions = np.stack([direction.embedding for direction in query.directions], 1)
    weights = np.array([direction.weight for direction in query.directions], np.float32)
    cosines = scan.scores(directions)
    if len(weights) == 1:
        middle, factors = np.zeros(1, np.float32), np.sign(weights)
    else:
        middle, factors = cosines.mean(axis=0), weights / np.maximum(cosines.std(axis=0), 1e-9)
    scores: np.ndarray = (cosines - middle) @ factors
    if scan.reduced is not None:
        best = _highest(scores, _RESCORED + query.offset, passing)
        scan.sharpen(cosines, best, directions)
        scores[best] = (cosines[best] - middle) @ factors
    return cosines, scores


def _distances(collection: Collection, query: Query) -> np.ndarray | None:
    """(n,) from the middle of the circle that is asked for."""
    if not query.near:
        return None
    middle = np.array((query.near.valence, query.near.arousal), np.float32)
    distances: np.ndarray = np.hypot(*(collection.segments.places[:, :2] - middle).T)
    return np.where(np.isnan(distances), np.float32(np.inf), distances)


def passing(collection: Searched, query: Query) -> np.ndarray | None:
    """(n,) which segments pass the filters of a query; None where it has none.

    Raises:
        EmorankError: the model lacks a dimension that is asked about, or there is no such column.
        FilterError: the filter cannot be understood.
    """
    _require_plane(collection, query)
    if isinstance(collection, MappedCollection):
        return mapped_passing(collection, query)
    places = collection.segments.places[:, :2]
    masks = []
    distances = _distances(collection, query)
    if query.near and distances is not None:
        masks.append(distances <= query.near.radius)
    if isinstance(query.region, Lasso):
        masks.append(within(places, collection.upwards, query.region.corners))
    elif query.region:
        for values, (low, high) in zip(places.T, (query.region.valence, query.region.arousal), strict=True):
            masks.append((values >= low) & (values <= high))
    if query.where:
        masks.append(collection.passing(query.where))
    masks += [collection.codes(choice.column).any_of(choice.values) for choice in query.choices]
    if query.recording is not None:
        own = collection.rows_of(query.recording)
        inside = np.zeros(len(collection), bool)
        inside[own.start : own.stop] = True
        masks.append(inside)
    if query.without:
        left = np.ones(len(collection), bool)
        left[list(query.without)] = False
        masks.append(left)
    return np.logical_and.reduce(masks) if masks else None


def _require_plane(collection: Searched, query: Query) -> None:
    lacking = [name for name in PLANE if name not in collection.segments.dimensions]
    if lacking and (query.near or query.region):
        raise EmorankError(f"The model of this index has no {' and no '.join(lacking)}; places cannot be asked for.")


def _ordered(
    collection: Collection, query: Query, scores: np.ndarray, passes: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """(n,) by what hits are ordered, highest first, and which are: of another order than fit those that fit best."""
    if query.sort == FIT:
        return (-scores if query.order == ASCENDING else scores), passes
    if query.directions:
        best = np.zeros(len(scores), bool)
        best[_highest(scores, query.best, passes)] = True
        passes = best
    kinds = collection.column_types
    require(query.sort, kinds)
    rows = np.arange(len(scores))
    column = rows if query.sort == RECORDING else collection.column(query.sort, rows)
    return heights(column, ascends(query.sort, query.order, kinds.get(query.sort))), passes


def _best(
    collection: Collection, ranks: np.ndarray, passes: np.ndarray | None, query: Query
) -> tuple[np.ndarray, int, list[int]]:
    """The rows of one page, how many pass in all, and how many others of each row's group pass."""
    if not query.group:
        total = len(ranks) if passes is None else int(passes.sum())
        rows = _highest(ranks, query.offset + query.top, passes)[query.offset :]
        return rows, total, [0] * len(rows)
    groups = collection.codes(query.group)
    every = np.arange(len(ranks)) if passes is None else np.flatnonzero(passes)
    of, kept = groups.of[every], ranks[every]
    highest = np.full(len(groups.values) + 1, -np.inf, kept.dtype)
    np.maximum.at(highest, of, kept)
    leading = every[kept == highest[of]][::-1]
    best = np.full(len(highest), -1)
    best[groups.of[leading]] = leading  # of equal ones the first stays
    leaders = np.sort(best[best >= 0])
    rows = leaders[_highest(ranks[leaders], query.offset + query.top)][query.offset :]
    counts = groups.counts(passes)
    return rows, len(leaders), [int(counts[groups.of[row]]) - 1 for row in rows]


def _highest(scores: np.ndarray, count: int, passing: np.ndarray | None = None) -> np.ndarray:
    """The places of the highest scores, ties by place; only of those that pass."""
    if passing is not None:
        places: np.ndarray = np.flatnonzero(passing)
        chosen: np.ndarray = places[_highest(scores[places], count)]
        return chosen
    if count < len(scores):
        least = np.partition(scores, len(scores) - count)[len(scores) - count] if count else np.inf
        candidates = np.flatnonzero(scores >= least)
    else:
        candidates = np.arange(len(scores))
    order: np.ndarray = np.argsort(-scores[candidates], kind="stable")[:count]
    best: np.ndarray = candidates[order]
    return best


def _percentiles(scores: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Percent of all segments whose score is lower, for some rows."""
    if not len(rows):
        return np.zeros(0)
    reached = np.sort(scores[scores >= scores[rows].min()])
    lower = len(scores) - len(reached) + np.searchsorted(reached, scores[rows], "left")
    percentiles: np.ndarray = np.floor(lower / len(scores) * 10_000) / 100
    return percentiles
