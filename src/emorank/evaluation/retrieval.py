"""Retrieval of utterances by captions and of captions by utterances: recall at k, median rank, average precision."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

RECALL_AT = (1, 5, 10)
_ROWS = 512  # queries at once


@dataclass(frozen=True)
class Direction:
    """How well queries of one modality find what belongs to them in the other.

    Args:
        recall: k -> share of the queries whose own partner is among the first k.
        median_rank: of the own partner, 1 is the best.
        map: mean average precision, where everything of the query's category is right; None without categories.
    """

    recall: dict[int, float]
    median_rank: float
    map: float | None


@dataclass(frozen=True)
class Retrieval:
    """Both directions over `pairs` pairs."""

    text_to_audio: Direction
    audio_to_text: Direction
    pairs: int

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def retrieval(audio: np.ndarray, text: np.ndarray, categories: Sequence[str] | None = None) -> Retrieval:
    """Find every partner among all.

    Args:
        audio: (n, dim) L2-normalised embeddings of utterances.
        text: (n, dim) of their captions, in the same order.
        categories: of every pair, for the mean average precision.
    """
    kinds = None if categories is None else np.unique(np.asarray(categories), return_inverse=True)[1]
    return Retrieval(_direction(text, audio, kinds), _direction(audio, text, kinds), len(audio))


def _direction(queries: np.ndarray, items: np.ndarray, kinds: np.ndarray | None) -> Direction:
    ranks, precisions = [], []
    for start in range(0, len(queries), _ROWS):
        similarity = queries[start : start + _ROWS] @ items.T
        own = np.arange(start, start + len(similarity))
        ranks.append(ranks_of(similarity, own))
        if kinds is not None:
            precisions.append(average_precisions(similarity, kinds[own][:, None] == kinds))
    rank = np.concatenate(ranks)
    return Direction(
        {k: float((rank <= k).mean()) for k in RECALL_AT},
        float(np.median(rank)),
        float(np.concatenate(precisions).mean()) if precisions else None,
    )


def ranks_of(similarity: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Rank, from 1, of column own[i] in row i of (n, m); of equal similarities the first column comes first."""
    mine = similarity[np.arange(len(own)), own][:, None]
    before = (similarity == mine) & (np.arange(similarity.shape[1]) < own[:, None])
    ranks: np.ndarray = 1 + ((similarity > mine) | before).sum(1)
    return ranks


def average_precisions(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Average precision of every row of (n, m), given which columns are right; ties in the order of the columns."""
    order = np.argsort(-similarity, axis=1, kind="stable")
    hits = np.take_along_axis(right, order, axis=1)
    precision = hits.cumsum(1) / np.arange(1, hits.shape[1] + 1)
    result: np.ndarray = (precision * hits).sum(1) / np.maximum(hits.sum(1), 1)
    return result
