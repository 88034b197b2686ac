"""How good a set of captions is, without a sound: diversity, order and coverage, as numbers."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from emorank.captions.rules import normalised, violation, words

CELL = 0.5  # width of a cell of the plane
_PROBED = 1500  # captions in the probe of order: a million pairs
_NEAR, _FARTHER = 1.0, 2.5  # of the triplets, in units of the plane

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Quality:
    """Numbers about captions and their points.

    Args:
        captions: how many there are.
        distinct_captions: share of them that are no repetition, case and punctuation aside.
        distinct_1: different words per word of the different captions.
        distinct_2: the same of pairs of neighbouring words.
        near_duplicates: share of the different captions that another one equals but for one word.
        words: mean number of words of the different captions.
        faulty: share that breaks a rule for captions, such as a number in it.
        spearman: rank correlation of distance on the plane and cosine distance of the embeddings, over pairs.
        local_order: share of triplets where the nearer of two neighbours (up to 1 away against up to 2.5) is also the
            nearer in the embeddings; 0.5 is chance.
        covered: share of the 13 x 13 cells of the plane, 1 to 7, that have a caption.
    """

    captions: int
    distinct_captions: float
    distinct_1: float
    distinct_2: float
    near_duplicates: float
    words: float
    faulty: float
    spearman: float
    local_order: float
    covered: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def quality(texts: Sequence[str], points: Array, embeddings: Array, english: bool = True, seed: int = 0) -> Quality:
    """Measure captions.

    Args:
        texts: (m,) captions, as often as they are used.
        points: (m, 2) valence and arousal of each.
        embeddings: (m, dim) of each, by a text encoder; L2-normalised.
        english: whether English rules count.
        seed: of the draws of the probe.
    """
    once = sorted({tuple(words(text)) for text in texts})
    tokens = [token for each in once for token in each]
    pairs = [pair for each in once for pair in pairwise(each)]
    plane, cosine = distances(texts, points, embeddings, seed)
    upper = np.triu_indices(len(plane), 1)
    return Quality(
        captions=len(texts),
        distinct_captions=len(once) / max(len(texts), 1),
        distinct_1=len(set(tokens)) / max(len(tokens), 1),
        distinct_2=len(set(pairs)) / max(len(pairs), 1),
        near_duplicates=_near_duplicates(once) / max(len(once), 1),
        words=len(tokens) / max(len(once), 1),
        faulty=sum(violation(text, english=english) is not None for text in texts) / max(len(texts), 1),
        spearman=_spearman(plane[upper], cosine[upper]),
        local_order=_local_order(plane, cosine, seed),
        covered=float((coverage(points) > 0).mean()),
    )


def distances(texts: Sequence[str], points: Array, embeddings: Array, seed: int = 0) -> tuple[Array, Array]:
    """Between up to 1500 different captions, drawn at random: on the plane, and cosine distance; both (k, k)."""
    first = {normalised(text): index for index, text in reversed(list(enumerate(texts)))}
    chosen = np.array(sorted(first.values()), np.int64)
    if len(chosen) > _PROBED:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, _PROBED, replace=False))
    places, vectors = np.asarray(points, np.float64)[chosen], np.asarray(embeddings, np.float64)[chosen]
    plane = np.linalg.norm(places[:, None] - places[None], axis=2)
    return plane, 1.0 - vectors @ vectors.T


def coverage(points: Array) -> Array:
    """(13, 13) captions in each cell of the plane, arousal by valence; cells are centred on 1, 1.5 ... 7."""
    edges = np.arange(1 - CELL / 2, 7 + CELL, CELL)
    inside = np.clip(np.asarray(points, np.float64), 1.0, 7.0) if len(points) else np.zeros((0, 2))
    counts: Array = np.histogram2d(inside[:, 1], inside[:, 0], bins=[edges, edges])[0].astype(np.int64)
    return counts


def _near_duplicates(captions: Sequence[tuple[str, ...]]) -> int:
    """How many of some different captions equal another one but for one word in the same place."""
    patterns: Counter[tuple[str, ...]] = Counter()
    for each in captions:
        patterns.update((*each[:i], "*", *each[i + 1 :]) for i in range(len(each)) if len(each) >= 4)
    return sum(
        len(each) >= 4 and any(patterns[(*each[:i], "*", *each[i + 1 :])] > 1 for i in range(len(each)))
        for each in captions
    )


def _spearman(one: Array, other: Array) -> float:
    from scipy.stats import spearmanr

    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(spearmanr(one, other).statistic)


def _local_order(plane: Array, cosine: Array, seed: int, draws: int = 200_000) -> float:
    """Over random triplets of an anchor, a neighbour and one that is at least half a unit farther."""
    if len(plane) < 3:
        return 0.5
    generator = np.random.default_rng(seed)
    anchor, near, far = generator.integers(0, len(plane), (3, draws))
    to_near, to_far = plane[anchor, near], plane[anchor, far]
    valid = (anchor != near) & (to_near <= _NEAR) & (to_far >= to_near + 0.5) & (to_far <= _FARTHER)
    if not valid.any():
        return 0.5
    return float((cosine[anchor, near][valid] < cosine[anchor, far][valid]).mean())
