"""Finds what fits a query: scores for all segments, those that pass its filters, the best of them."""

import numpy as np

from emorank.affect import HIGHEST, LOWEST
from emorank.errors import EmorankError
from emorank.search.collection import Collection
from emorank.search.mapped import MappedCollection
from emorank.search.mapped import rank as mapped_rank
from emorank.search.query import Found, Hit, Query
from emorank.search.scan import Scan

Searched = Collection | MappedCollection
_RESCORED = 2_000  # of the best are scored exactly where the scan is not


def find(collection: Searched, query: Query) -> Found:
    """What a query finds; equal scores in the order of path and start.

    Raises:
        EmorankError: the query asks for nothing, or for a place that is not on the plane.
    """
    _check(query)
    if not len(collection):
        return Found(0, ())
    if isinstance(collection, MappedCollection):
        return _found_mapped(collection, query)
    cosines, scores, distances, passing = _judged(collection, query)
    rows, total, others = _best(collection, scores, passing, query)
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
    _check(query)
    if not len(collection):
        return np.zeros(0, np.float32), np.zeros(0, bool)
    _, scores, _, passing = _judged(collection, query)
    return scores, np.ones(len(scores), bool) if passing is None else passing


def _judged(
    collection: Collection, query: Query
) -> tuple[np.ndarray | None, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Of all segments: cosines to the directions, scores, distances, and which pass; None for what is not asked."""
    _check_plane(collection, query)
    distances = _distances(collection, query)
    passing = _passing(collection, query, distances)
    cosines = None
    if query.directions:
        cosines, scores = _scored(collection.scan, query, passing)
    else:
        scores = np.zeros(len(collection), np.float32) if distances is None else -distances
    return cosines, scores, distances, passing


def _found_mapped(collection: MappedCollection, query: Query) -> Found:
    _check_plane(collection, query)
    middle = _middle(query)
    best = mapped_rank.ranked(collection, query, middle)
    hits = []
    for place, row in enumerate(best.rows.tolist()):
        score = None if best.cosines is None else float(best.cosines[place])
        percentile = None if best.percentiles is None else float(best.percentiles[place])
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
        channel=int(segments.channels[row]) or None,
        damage=segments.damage.get(segments.paths[row]),
        labels=collection.labels_at(row),
        others=others,
    )


def _check(query: Query) -> None:
    if not (query.directions or query.near or query.region or query.where):
        raise EmorankError("The query asks for nothing; give a description, a clip, a place on the plane or a filter.")
    if query.top < 1 or query.offset < 0:
        raise EmorankError(f"{query.top} hits from {query.offset} on were asked for; ask for at least 1 from 0 on.")
    places = []
    if query.near:
        places = [query.near.valence, query.near.arousal]
        if not query.near.radius > 0:
            raise EmorankError(f"The radius is {query.near.radius:g}; it has to be above 0.")
    if query.region:
        places += [*query.region.valence, *query.region.arousal]
        for name, (low, high) in (("valence", query.region.valence), ("arousal", query.region.arousal)):
            if low > high:
                raise EmorankError(f"The region's {name} runs from {low:g} down to {high:g}; the lower comes first.")
    for place in places:
        if not LOWEST <= place <= HIGHEST:
            raise EmorankError(f"{place:g} is not on the plane; valence and arousal run from 1 to 7.")


def _check_plane(collection: Searched, query: Query) -> None:
    lacking = [name for name in ("valence", "arousal") if name not in collection.segments.dimensions]
    if lacking and (query.near or query.region):
        raise EmorankError(f"The model of this index has no {' and no '.join(lacking)}; places cannot be asked for.")


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


def _middle(query: Query) -> tuple[float, float] | None:
    """Of what is looked for on the plane."""
    if query.near:
        return (query.near.valence, query.near.arousal)
    return (sum(query.region.valence) / 2, sum(query.region.arousal) / 2) if query.region else None


def _distances(collection: Collection, query: Query) -> np.ndarray | None:
    """(n,) from the middle of what is looked for on the plane."""
    middle = _middle(query)
    if middle is None:
        return None
    distances: np.ndarray = np.hypot(*(collection.segments.places[:, :2] - np.array(middle, np.float32)).T)
    return distances


def _passing(collection: Collection, query: Query, distances: np.ndarray | None) -> np.ndarray | None:
    """(n,) which segments pass the filters; None where there are none."""
    masks = []
    if query.near and distances is not None:
        masks.append(distances <= query.near.radius)
    if query.region:
        for values, (low, high) in zip(
            collection.segments.places.T, (query.region.valence, query.region.arousal), strict=False
        ):
            masks.append((values >= low) & (values <= high))
    if query.where:
        masks.append(collection.passing(query.where))
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


def _best(
    collection: Collection, scores: np.ndarray, passing: np.ndarray | None, query: Query
) -> tuple[np.ndarray, int, list[int]]:
    """The rows of one page, how many pass in all, and how many others of each row's recording pass."""
    if not query.group:
        total = len(scores) if passing is None else int(passing.sum())
        rows = _highest(scores, query.offset + query.top, passing)[query.offset :]
        return rows, total, [0] * len(rows)
    kept = scores if passing is None else np.where(passing, scores, -np.inf)
    first = collection.recordings[:-1]
    counts = np.diff(collection.recordings) if passing is None else np.add.reduceat(passing.astype(np.int64), first)
    total = int((counts > 0).sum())
    files = _highest(np.maximum.reduceat(kept, first), min(query.offset + query.top, total))[query.offset :]
    spans = [range(int(first[file]), int(collection.recordings[file + 1])) for file in files]
    rows = np.array([span.start + int(np.argmax(kept[span.start : span.stop])) for span in spans], np.int64)
    return rows, total, [int(counts[file]) - 1 for file in files]


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
