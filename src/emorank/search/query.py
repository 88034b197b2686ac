"""Ranks the segments of an index by a description or by a clip."""

from dataclasses import dataclass

import numpy as np

from emorank.search.index import Segments


@dataclass(frozen=True)
class Hit:
    """A segment that was found.

    Args:
        path: the recording.
        start: in seconds.
        end: in seconds.
        score: cosine similarity to the query, -1..1.
        valence: 1..7.
        arousal: 1..7.
        dominance: 1..7.
    """

    path: str
    start: float
    end: float
    score: float
    valence: float
    arousal: float
    dominance: float


def rank(segments: Segments, query: np.ndarray, top: int, without: str | None = None) -> list[Hit]:
    """The segments nearest to a query, best first; equal scores in the order of path and start.

    Args:
        segments: what is searched.
        query: (embedding_dim,), L2-normalised.
        top: how many.
        without: path of a recording that is left out, such as the clip that the query was made of.
    """
    scores = segments.embeddings @ query
    if without is not None:
        scores[[path == without for path in segments.paths]] = -np.inf
    best = np.argsort(-scores, kind="stable")[:top]
    return [_hit(segments, int(i), float(scores[i])) for i in best if np.isfinite(scores[i])]


def _hit(segments: Segments, index: int, score: float) -> Hit:
    valence, arousal, dominance = (round(float(x), 2) for x in segments.points[index])
    return Hit(
        path=segments.paths[index],
        start=round(float(segments.start[index]), 2),
        end=round(float(segments.end[index]), 2),
        score=round(score, 4),
        valence=valence,
        arousal=arousal,
        dominance=dominance,
    )
