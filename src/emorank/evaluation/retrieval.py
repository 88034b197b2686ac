"""Retrieval of utterances by captions and of captions by utterances: recall at k, median rank, average precision.

Identical captions are one query with several right answers: 1,446 clips may carry 145 captions, one of them 35 times,
and a model cannot know which of the 35 was meant. Where similarities are equal, what is wrong comes first, so that a
model that tells nothing apart finds nothing, and the order of the rows does not matter.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RECALL_AT = (1, 5, 10)
_SIMILARITIES = 2**22  # at once


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
    audio: np.ndarray, text: np.ndarray, caption_of: np.ndarray, categories: Sequence[str] | None = None
) -> Retrieval:
    """Rank all utterances for every caption, and all captions for every utterance.

    Args:
        audio: (n, dim) L2-normalised embeddings of utterances.
        text: (m, dim) of the different captions; each belongs to at least one utterance.
        caption_of: (n,) the row of `text` that belongs to every utterance.
        categories: of every utterance, for the mean average precision.
    """
    clips, captions = _Side(audio, caption_of), _Side(text, np.arange(len(text)))
    if categories is not None:
        kinds = np.asarray(categories)[:, None] == np.unique(categories)
        clips.kinds, captions.kinds = kinds, np.zeros((len(text), kinds.shape[1]), bool)
        np.logical_or.at(captions.kinds, caption_of, kinds)
    return Retrieval(_direction(captions, clips), _direction(clips, captions), len(audio))


def _direction(queries: _Side, items: _Side) -> Direction:
    first, hits, count, precisions = (np.concatenate(each) for each in zip(*_chunks(queries, items), strict=True))
    at = {k: hits[:, min(k, hits.shape[1]) - 1] for k in RECALL_AT}
    best = {k: np.minimum(count, k) for k in RECALL_AT}
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


def _chunks(queries: _Side, items: _Side) -> Iterator[tuple[np.ndarray, ...]]:
    """Of some queries at a time: rank of the first own item, own items among the first 1, 2, ..., how many there are,
    and average precisions by category."""
    step = max(1, _SIMILARITIES // len(items.caption))
    for start in range(0, len(queries.caption), step):
        rows = slice(start, start + step)
        similarity = queries.embeddings[rows] @ items.embeddings.T
        own = queries.caption[rows, None] == items.caption
        found = ranked(similarity, own)
        precisions = np.zeros(0)
        if queries.kinds is not None and items.kinds is not None:
            right = queries.kinds[rows].astype(np.float32) @ items.kinds.T.astype(np.float32) > 0
            precisions = average_precisions(similarity, right)
        yield found.argmax(1) + 1, found[:, : max(RECALL_AT)].cumsum(1), own.sum(1), precisions


def ranked(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Whether each item is right, (n, m), from the most similar to the least; of equal ones the wrong come first."""
    order = np.lexsort((right, -similarity), axis=1)
    return np.take_along_axis(right, order, axis=1)


def average_precisions(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Average precision of every row of (n, m), given which columns are right; of equal ones the wrong come first."""
    hits = ranked(similarity, right)
    precision = hits.cumsum(1) / np.arange(1, hits.shape[1] + 1)
    result: np.ndarray = (precision * hits).sum(1) / np.maximum(hits.sum(1), 1)
    return result
