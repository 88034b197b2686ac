"""Retrieval of utterances by captions and of captions by utterances: recall at k, median rank, average precision.

Identical captions are one query with several right answers: 1,446 clips may carry 145 captions, one of them 35 times,
and a model cannot know which of the 35 was meant. Where similarities are equal, what is wrong comes first, so that a
model that tells nothing apart finds nothing, and the order of the rows does not matter.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RECALL_AT = (1, 5, 10)
_SIMILARITIES = 2**22  # at once
_SORTED = 2**18  # at once, so that they stay near the processor


@dataclass(frozen=True)
class Direction:
    """How well queries of one modality find what belongs to them in the other.

    Args:
        recall: k -> share of the queries with at least one of their own items among the first k.
        ceiling: of `recall`, what a perfect ranking reaches.
        item_recall: k -> mean share of a query's own items that are among the first k.
        item_ceiling: of `item_recall`; below 1 where queries have more than k items of their own.
        median_rank: of the first item of the query's own, 1 is the best.
        map: mean average precision, where everything of a category is right that the query's own items have; None
            without categories.
        queries: how many.
        items: how many each of them searches.
    """

    recall: dict[int, float]
    ceiling: dict[int, float]
    item_recall: dict[int, float]
    item_ceiling: dict[int, float]
    median_rank: float
    map: float | None
    queries: int
    items: int


@dataclass(frozen=True)
class Retrieval:
    """Both directions over `pairs` utterances and their captions."""

    text_to_audio: Direction
    audio_to_text: Direction
    pairs: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


@dataclass
class _Side:
    """Embeddings (n, dim), the caption that each has or is (n,), and its categories (n, all categories)."""

    embeddings: np.ndarray
    caption: np.ndarray
    kinds: np.ndarray | None = None


def retrieval(
    audio: np.ndarray,
    text: np.ndarray,
    caption_of: np.ndarray,
    categories: Sequence[str] | None = None,
    jobs: int = 1,
) -> Retrieval:
    """Rank all utterances for every caption, and all captions for every utterance.

    Args:
        audio: (n, dim) L2-normalised embeddings of utterances.
        text: (m, dim) of the different captions; each belongs to at least one utterance.
        caption_of: (n,) the row of `text` that belongs to every utterance.
        categories: of every utterance, for the mean average precision.
        jobs: threads.
    """
    clips, captions = _Side(audio, caption_of), _Side(text, np.arange(len(text)))
    if categories is not None:
        kinds = np.asarray(categories)[:, None] == np.unique(categories)
        clips.kinds, captions.kinds = kinds, np.zeros((len(text), kinds.shape[1]), bool)
        np.logical_or.at(captions.kinds, caption_of, kinds)
    return Retrieval(_direction(captions, clips, jobs), _direction(clips, captions, jobs), len(audio))


def _direction(queries: _Side, items: _Side, jobs: int) -> Direction:
    step = max(1, _SIMILARITIES // len(items.caption))
    chunks = [slice(start, start + step) for start in range(0, len(queries.caption), step)]
    with ThreadPoolExecutor(jobs) as threads:
        found = list(threads.map(lambda rows: _chunk(queries, items, rows), chunks))
    first, hits, count, precisions = (np.concatenate(each) for each in zip(*found, strict=True))
    best = {k: np.minimum(count, k) for k in RECALL_AT}
    at = dict(zip(RECALL_AT, hits.T, strict=True))
    return Direction(
        {k: float((found > 0).mean()) for k, found in at.items()},
        {k: float((most > 0).mean()) for k, most in best.items()},
        {k: float((found / count).mean()) for k, found in at.items()},
        {k: float((most / count).mean()) for k, most in best.items()},
        float(np.median(first)),
        float(precisions.mean()) if len(precisions) else None,
        len(queries.caption),
        len(items.caption),
    )


def _chunk(queries: _Side, items: _Side, rows: slice) -> tuple[np.ndarray, ...]:
    """Of some queries: rank of the first own item, own items among the first k, how many there are, precisions."""
    similarity = queries.embeddings[rows] @ items.embeddings.T
    own = queries.caption[rows, None] == items.caption
    first, hits = leading(similarity, own)
    precisions = np.zeros(0)
    if queries.kinds is not None and items.kinds is not None:
        right = queries.kinds[rows].astype(np.float32) @ items.kinds.T.astype(np.float32) > 0
        precisions = average_precisions(similarity, right)
    return first, hits, own.sum(1), precisions


def leading(similarity: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the first own items of every row stand; nothing is sorted but a query's own items.

    Args:
        similarity: (n, m).
        own: (n, m) whether an item is the query's own; one in every row at least.

    Returns:
        (n,) ranks of the best own item, from 1, and (n, 3) own items among the first 1, 5 and 10. Of equal similarities
        those that are not the query's own come first.
    """
    ranks = np.full((len(own), max(RECALL_AT)), np.iinfo(np.int64).max)
    for row, values in enumerate(similarity):
        mine = np.sort(values[own[row]])[::-1][: max(RECALL_AT)]
        for place, value in enumerate(mine):
            at_least = np.count_nonzero(values >= value)
            others = at_least - np.count_nonzero(values[own[row]] >= value)
            ranks[row, place] = place + 1 + others
            if ranks[row, place] >= max(RECALL_AT):  # the next ones stand behind it
                break
    return ranks[:, 0], np.stack([(ranks <= k).sum(1) for k in RECALL_AT], 1)


def ranked(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether each item is right, (n, m), from the most similar to the least; of equal ones the wrong come first.

    Whether it is right rides in the last bit of a whole number that orders as the similarity does, so one sort of
    numbers gives order and ties, and no index is kept. Below 2, a number has a bit to spare.
    """
    similarity = similarity if similarity.dtype == np.float32 else similarity.astype(np.float64)
    largest = float(np.abs(similarity).max(initial=0))
    if largest >= 2:
        similarity = np.ldexp(similarity, -int(np.frexp(largest)[1]))  # exact
    whole = np.int32 if similarity.dtype == np.float32 else np.int64
    hits = np.empty(right.shape, bool)
    step = max(1, _SORTED // right.shape[1])
    for rows in (slice(start, start + step) for start in range(0, len(right), step)):
        bits: np.ndarray[Any, Any] = (similarity[rows] + 0).view(whole)  # -0 becomes 0
        keys = bits >> (8 * bits.itemsize - 1)  # a float's bits order as a whole number's, those of negatives backwards
        keys &= np.iinfo(whole).max
        keys ^= bits
        np.invert(keys, out=keys)  # the most similar first
        keys <<= 1
        keys |= right[rows]
        keys.sort(axis=1)
        keys &= 1
        hits[rows] = keys
    return hits


def average_precisions(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Average precision of every row of (n, m), given which columns are right; of equal ones the wrong come first."""
    hits = ranked(similarity, right)
    count = hits.sum(1)
    begun = np.cumsum(count) - count
    places = np.flatnonzero(hits) - np.repeat(np.arange(len(hits)) * hits.shape[1], count)
    within = np.arange(len(places)) - np.repeat(begun, count)
    total = np.bincount(np.repeat(np.arange(len(hits)), count), (within + 1) / (places + 1), len(hits))
    result: np.ndarray = total / np.maximum(count, 1)
    return result
