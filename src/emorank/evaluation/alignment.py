"""The cross-modal alignment test (paper section 4.2.1): how far apart are the clouds of audio and text embeddings?

The paper names neither the kernel's bandwidth nor the cost of the transport, so each number here has its exact name.
The headline pair is the squared MMD (biased estimator) and the squared 2-Wasserstein distance.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from emorank.errors import EmorankError, MissingExtra

TRIALS, PAIRS = 30, 5000
FEWEST = 4  # pairs; half of them are drawn in a trial, and one pair has no distance to another
PROJECTIONS = 128  # random directions of the sliced Wasserstein distance
_ROWS = 1024  # of a distance matrix at once
_PIVOTS = 10**8  # of the network simplex: it ends at the optimum long before

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Distances:
    """Distances between two clouds of n points.

    Args:
        mmd_squared: squared maximum mean discrepancy, RBF kernel, biased (V-statistic), never negative.
        mmd_squared_unbiased: the same, unbiased (U-statistic), may be below 0.
        mmd: square root of the biased one.
        w2_squared: squared 2-Wasserstein distance: mean squared L2 distance under the best one-to-one transport.
        w1: 1-Wasserstein distance: mean L2 distance under its best transport.
        sliced_w2_squared: squared 2-Wasserstein distance along random directions, averaged.
        bandwidth: of the kernel exp(-d^2 / (2 bandwidth^2)), the median distance of two points of both clouds.
    """

    mmd_squared: float
    mmd_squared_unbiased: float
    mmd: float
    w2_squared: float
    w1: float
    sliced_w2_squared: float
    bandwidth: float


@dataclass(frozen=True)
class Alignment:
    """Result of the test.

    Args:
        trials: the distances of every trial.
        pairs: pairs in a trial.
        available: pairs that there were to draw from.
        seed: of the draws.
    """

    trials: tuple[Distances, ...]
    pairs: int
    available: int
    seed: int

    def values(self, name: str) -> tuple[float, ...]:
        """One distance of every trial."""
        return tuple(getattr(trial, name) for trial in self.trials)

    def as_dict(self) -> dict[str, Any]:
        """Mean and standard deviation (n - 1) of every distance, and the trials themselves, as plain data."""
        names = [field.name for field in fields(Distances)]
        spread = {
            name: {"mean": float(np.mean(v)), "std": float(np.std(v, ddof=1))}
            for name in names
            if (v := self.values(name))
        }
        return {
            **spread,
            **{key: value for key, value in asdict(self).items() if key != "trials"},
            "trials": [asdict(t) for t in self.trials],
        }


def alignment(audio: Array, text: Array, trials: int = TRIALS, pairs: int = PAIRS, seed: int = 0) -> Alignment:
    """Run the test.

    Args:
        audio: (n, dim) embeddings of utterances.
        text: (n, dim) embeddings of their captions, in the same order.
        trials: how many draws.
        pairs: drawn in a trial without replacement. Where there are fewer than twice as many, half of them are drawn,
            so that the trials differ.
        seed: of the draws; with the number of the trial it alone decides which pairs are drawn, so that every model
            of the same table is tested on the same ones.

    Raises:
        EmorankError: there are fewer than 4 pairs.
        ValueError: the two are not pairs.
    """
    if len(audio) != len(text):
        raise ValueError(f"{len(audio)} utterances and {len(text)} captions are not pairs")
    if len(audio) < FEWEST:
        raise EmorankError(f"The alignment test needs at least {FEWEST} utterances with a caption; got {len(audio)}.")
    size = min(pairs, len(audio) // 2)
    results = []
    for trial in range(trials):
        pairing, directions = np.random.default_rng([seed, trial]).spawn(2)
        drawn = pairing.choice(len(audio), size, replace=False)
        results.append(distances(audio[drawn], text[drawn], directions))
    return Alignment(tuple(results), size, len(audio), seed)


def distances(audio: Array, text: Array, rng: np.random.Generator) -> Distances:
    """All distances between two clouds of equal size, (n, dim) each. Memory O(n^2), for n = 5,000 under 1 GB."""
    audio, text = audio.astype(np.float64), text.astype(np.float64)
    cost = squared_distances(audio, text)
    bandwidth = median_distance(np.concatenate([audio, text]))
    biased, unbiased = mmd_squared(audio, text, bandwidth)
    return Distances(
        biased,
        unbiased,
        float(np.sqrt(biased)),
        transport(cost),
        transport(np.sqrt(cost)),
        sliced_w2_squared(audio, text, rng),
        bandwidth,
    )


def squared_distances(a: Array, b: Array) -> Array:
    """Squared L2 distance of every pair, (n, m) in single precision, never below 0."""
    result = np.empty((len(a), len(b)), np.float32)
    for start, rows in _chunked(a, b):
        result[start : start + len(rows)] = rows
    return result


def median_distance(points: Array) -> float:
    """The median L2 distance of two different points: the bandwidth of the median heuristic."""
    upper = [
        rows[np.arange(rows.shape[1]) > start + np.arange(len(rows))[:, None]]
        for start, rows in _chunked(points, points)
    ]
    return float(np.sqrt(np.median(np.concatenate(upper).astype(np.float32))))


def mmd_squared(a: Array, b: Array, bandwidth: float) -> tuple[float, float]:
    """Squared maximum mean discrepancy with an RBF kernel (Gretton et al., 2012), biased and unbiased."""
    if bandwidth == 0:  # all points are one
        return 0.0, 0.0
    n, m = len(a), len(b)
    aa, bb, ab = (_kernel_sum(x, y, bandwidth) for x, y in ((a, a), (b, b), (a, b)))
    biased = aa / n**2 + bb / m**2 - 2 * ab / (n * m)
    unbiased = (aa - n) / (n * (n - 1)) + (bb - m) / (m * (m - 1)) - 2 * ab / (n * m)
    return max(float(biased), 0.0), float(unbiased)


def transport(cost: Array) -> float:
    """Mean cost of the best transport between two clouds: exact, (n, m) costs -> mean.

    Raises:
        EmorankError: the extra `reproduce` is not installed.
    """
    try:
        from ot.lp import emd2
    except ModuleNotFoundError as error:
        raise MissingExtra("The alignment test", "reproduce") from error
    return float(emd2([], [], cost.astype(np.float64), numItermax=_PIVOTS))


def sliced_w2_squared(a: Array, b: Array, rng: np.random.Generator, projections: int = PROJECTIONS) -> float:
    """Squared 2-Wasserstein distance of the projections on random directions, averaged (Bonneel et al., 2015)."""
    directions = rng.standard_normal((a.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    return float(((np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0)) ** 2).mean())


def _kernel_sum(a: Array, b: Array, bandwidth: float) -> float:
    return sum(float(np.exp(rows / (-2 * bandwidth**2)).sum()) for _, rows in _chunked(a, b))


def _chunked(a: Array, b: Array) -> Iterator[tuple[int, Array]]:
    """Squared distances, some rows at a time."""
    norms = (b**2).sum(1)
    for start in range(0, len(a), _ROWS):
        rows = a[start : start + _ROWS]
        squared = (rows**2).sum(1)[:, None] + norms - 2 * rows @ b.T
        if a is b:
            squared[np.arange(len(rows)), start + np.arange(len(rows))] = 0
        yield start, np.maximum(squared, 0)
