"""The cross-modal alignment test (paper section 4.2.1): how far apart are the clouds of audio and text embeddings?

The paper names neither the kernel's bandwidth nor the cost of the transport, so each number here has its exact name.
The headline pair is the squared MMD (biased estimator) and the squared 2-Wasserstein distance.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from emorank.errors import EmorankError, MissingExtra

TRIALS, PAIRS = 30, 5000
FEWEST = 4  # pairs; half of them are drawn in a trial, and one pair has no distance to another
PROJECTIONS = 128  # random directions of the sliced Wasserstein distance
_ROWS = 1024  # of a distance matrix at once
_PIVOTS = 10**8  # of the network simplex: it ends at the optimum long before

_LARGE = 1000  # pairs from which on an assignment is worth another process

Array = np.ndarray[Any, Any]
Assign = Callable[[Array], float]


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


def alignment(
    audio: Array, text: Array, trials: int = TRIALS, pairs: int = PAIRS, seed: int = 0, jobs: int = 1
) -> Alignment:
    """Run the test.

    Args:
        audio: (n, dim) embeddings of utterances.
        text: (n, dim) embeddings of their captions, in the same order.
        trials: how many draws.
        pairs: drawn in a trial without replacement. Where there are fewer than twice as many, half of them are drawn,
            so that the trials differ.
        seed: of the draws; with the number of the trial it alone decides which pairs are drawn, so that every model
            of the same table is tested on the same ones.
        jobs: trials side by side; each takes up to 1 GB for 5,000 pairs. They change nothing but the time. With more
            than one, a script that is run needs `if __name__ == "__main__":`, as processes may be started.

    Raises:
        EmorankError: there are fewer than 4 pairs.
        ValueError: the two are not pairs.
    """
    if len(audio) != len(text):
        raise ValueError(f"{len(audio)} utterances and {len(text)} captions are not pairs")
    if len(audio) < FEWEST:
        raise EmorankError(f"The alignment test needs at least {FEWEST} utterances with a caption; got {len(audio)}.")
    size = min(pairs, len(audio) // 2)

    with _assigning(jobs) as assigned, ThreadPoolExecutor(jobs) as threads:

        def result(trial: int) -> Distances:
            pairing, directions = np.random.default_rng([seed, trial]).spawn(2)
            drawn = pairing.choice(len(audio), size, replace=False)
            return distances(audio[drawn], text[drawn], directions, assigned)

        return Alignment(tuple(threads.map(result, range(trials))), size, len(audio), seed)


@contextmanager
def _assigning(jobs: int) -> Iterator[Assign]:
    """`assignment`, for several threads at once: lap holds all others up, so each has a process for it."""
    if jobs == 1:
        yield assignment
        return
    alone = signal.signal, (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends them
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), *alone) as processes:
        yield lambda cost: processes.submit(assignment, cost).result() if len(cost) >= _LARGE else assignment(cost)


@dataclass(frozen=True)
class Cloud:
    """Points, of which those that are the same are kept once: captions serve several utterances.

    Args:
        points: (k, dim) different ones.
        which: (n,) the one that each of the given points is.
        counts: (k,) how often each of them was given.
    """

    points: Array
    which: Array
    counts: Array

    @classmethod
    def of(cls, points: Array) -> "Cloud":
        """From (n, dim) points."""
        rows = np.ascontiguousarray(points)
        whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))[:, 0]
        _, first, which, counts = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
        return cls(rows[first].astype(np.float64), which, counts)

    @property
    def repeated(self) -> bool:
        """Whether any point was given more than once."""
        return len(self.points) < len(self.which)


def assignment(cost: Array) -> float:
    """Mean cost of the best assignment, (n, n), exact.

    Raises:
        EmorankError: the extra `reproduce` is not installed.
    """
    try:
        from lap import lapjv
    except ModuleNotFoundError as error:
        raise MissingExtra("The alignment test", "reproduce") from error
    exact = cost.astype(np.float64)
    _, to, _ = lapjv(exact)
    return float(exact[np.arange(len(exact)), to].mean())


def distances(audio: Array, text: Array, rng: np.random.Generator, assigned: Assign = assignment) -> Distances:
    """All distances between two clouds of equal size, (n, dim) each. Memory O(n^2), for n = 5,000 under 1 GB."""
    a, b = Cloud.of(audio), Cloud.of(text)
    aa, bb, ab = (squared_distances(x.points, y.points) for x, y in ((a, a), (b, b), (a, b)))
    bandwidth = float(np.sqrt(np.median(_pooled(a, b, aa, bb, ab), overwrite_input=True)))
    biased, unbiased = mmd_squared(a, b, aa, bb, ab, bandwidth)
    return Distances(
        biased,
        unbiased,
        float(np.sqrt(biased)),
        transport(ab, a, b, assigned),
        transport(np.sqrt(ab), a, b, assigned),
        sliced_w2_squared(audio.astype(np.float64), text.astype(np.float64), rng),
        bandwidth,
    )


def squared_distances(a: Array, b: Array) -> Array:
    """Squared L2 distance of every pair, (n, m) in single precision, never below 0."""
    result = np.empty((len(a), len(b)), np.float32)
    norms = (b**2).sum(1)
    for rows in _chunks(len(a)):
        squared = (a[rows] ** 2).sum(1)[:, None] + norms - 2 * a[rows] @ b.T
        result[rows] = np.maximum(squared, 0)
    if a is b:
        np.fill_diagonal(result, 0)
    return result


def mmd_squared(a: Cloud, b: Cloud, aa: Array, bb: Array, ab: Array, bandwidth: float) -> tuple[float, float]:
    """Squared maximum mean discrepancy with an RBF kernel (Gretton et al., 2012), biased and unbiased.

    Args:
        a: a cloud of n points.
        b: a cloud of m points.
        aa: squared distances of the different points of `a`.
        bb: of `b`.
        ab: of both.
        bandwidth: of the kernel.
    """
    if bandwidth == 0:  # all points are one
        return 0.0, 0.0
    n, m = len(a.which), len(b.which)
    within, other, both = (_kernel_sum(x, y, d, bandwidth) for x, y, d in ((a, a, aa), (b, b, bb), (a, b, ab)))
    biased = within / n**2 + other / m**2 - 2 * both / (n * m)
    unbiased = (within - n) / (n * (n - 1)) + (other - m) / (m * (m - 1)) - 2 * both / (n * m)
    return max(float(biased), 0.0), float(unbiased)


def transport(cost: Array, a: Cloud, b: Cloud, assigned: Assign = assignment) -> float:
    """Mean cost of the best transport between two clouds of as many points, exact.

    Where many points are the same, the network simplex moves masses between different ones; where few are, the best
    transport is an assignment, which a shortest augmenting path finds sooner.

    Args:
        cost: of moving a different point of `a` to one of `b`.
        a: a cloud.
        b: a cloud of as many points.
        assigned: `assignment`, or what computes it elsewhere.

    Raises:
        EmorankError: the extra `reproduce` is not installed.
    """
    if 2 * min(len(a.points), len(b.points)) > len(a.which):
        return assigned(_given(cost, a, b))
    try:
        from ot.lp import emd2
    except ModuleNotFoundError as error:
        raise MissingExtra("The alignment test", "reproduce") from error
    masses = a.counts.astype(np.float64), b.counts.astype(np.float64)  # whole ones, which no rounding makes uneven
    return float(emd2(*masses, cost.astype(np.float64), numItermax=_PIVOTS)) / len(a.which)


def sliced_w2_squared(a: Array, b: Array, rng: np.random.Generator, projections: int = PROJECTIONS) -> float:
    """Squared 2-Wasserstein distance of the projections on random directions, averaged (Bonneel et al., 2015)."""
    directions = rng.standard_normal((a.shape[1], projections))
    directions /= np.linalg.norm(directions, axis=0)
    return float(((np.sort(a @ directions, axis=0) - np.sort(b @ directions, axis=0)) ** 2).mean())


def _pooled(a: Cloud, b: Cloud, aa: Array, bb: Array, ab: Array) -> Array:
    """Squared distances of all pairs of two points of both clouds."""
    own = [row[i + 1 :] for x, d in ((a, aa), (b, bb)) for i, row in enumerate(_given(d, x, x))]
    return np.concatenate([*own, _given(ab, a, b).ravel()])


def _given(values: Array, a: Cloud, b: Cloud) -> Array:
    """Values of pairs of different points -> of pairs of the given ones."""
    values = values[a.which] if a.repeated else values
    return values[:, b.which] if b.repeated else values


def _kernel_sum(a: Cloud, b: Cloud, squared: Array, bandwidth: float) -> float:
    scale = -2 * bandwidth**2
    rows = (
        a.counts[rows] @ np.exp(squared[rows] / scale, dtype=np.float64) @ b.counts for rows in _chunks(len(squared))
    )
    return float(sum(rows))


def _chunks(count: int) -> Iterator[slice]:
    """Some rows at a time."""
    return (slice(start, start + _ROWS) for start in range(0, count, _ROWS))
