"""Looks through all rows, some at a time: which have the highest scores, and in which recordings."""

import itertools
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np

from emorank.search.mapped.store import DIMS, PARTS, Store

ROWS_AT_ONCE = 32_768  # so many fit into a core's cache
_SHARED = 1_000_000  # rows from which on cores share them
_WAITED, _READERS = 2_000, 16  # rows here and there from which on so many threads wait for the disk side by side
Scores = Callable[[int, int, np.ndarray | None], np.ndarray]


def nearly(store: Store, direction: np.ndarray) -> Scores:
    """Gives rows from one to another, or those picked of them, their product with a direction but for a constant."""
    weights = _weights(store, direction)[:DIMS]
    small = store["small"]

    def scores(start: int, stop: int, picked: np.ndarray | None) -> np.ndarray:
        block = small[start:stop] if picked is None else small[start:stop][picked]
        found: np.ndarray = block.astype(np.float32) @ weights
        return found

    return scores


def finer(store: Store, direction: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The same of some rows, in more directions and in parts of a step."""
    weights = _weights(store, direction)
    rest = np.concatenate([weights[DIMS:], weights[:DIMS] / PARTS])

    def some(rows: np.ndarray) -> np.ndarray:
        lead = np.take(store["small"], rows, axis=0).astype(np.float32) @ weights[:DIMS]
        found: np.ndarray = lead + np.take(store["finer"], rows, axis=0).astype(np.float32) @ rest
        return found

    if len(rows) < _WAITED:
        return some(rows)
    order = np.argsort(rows)  # neighbours lie in one page
    found = np.empty(len(rows), np.float32)
    found[order] = np.concatenate(list(_readers().map(some, np.array_split(rows[order], _READERS))))
    return found


def _weights(store: Store, direction: np.ndarray) -> np.ndarray:
    weights: np.ndarray = ((store.basis.T @ direction) * store.steps).astype(np.float32)
    return weights


def highest(scores: Scores, count: int, rows: int, passing: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of about the highest scores, and these; `count` at least where so many pass, in no order."""
    workers = os.cpu_count() or 1
    if rows < _SHARED or workers == 1:
        return _highest(scores, count, 0, rows, passing)
    edges = np.linspace(0, rows, workers + 1).astype(int).tolist()
    spans = itertools.pairwise(edges)
    parts = list(_pool().map(lambda span: _highest(scores, count, span[0], span[1], passing), spans))
    return cut(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]), count)


def by_recording(store: Store, scores: Scores, passing: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """(recordings,) the highest score of each, -inf where nothing passes, and how many of its rows pass."""
    best = np.full(store.manifest.lengths["recordings"], -np.inf, np.float32)
    counts = np.zeros(len(best), np.int64)
    for start, stop, picked in _blocks(0, len(store), passing):
        recordings = store["recording"][start:stop] if picked is None else store["recording"][start:stop][picked]
        found = scores(start, stop, picked)
        edges = np.concatenate([[0], np.flatnonzero(np.diff(recordings)) + 1])
        here = recordings[edges]
        best[here] = np.maximum(best[here], np.maximum.reduceat(found, edges))
        counts[here] += np.diff([*edges.tolist(), len(found)])
    return best, counts


def _highest(
    scores: Scores, count: int, first: int, last: int, passing: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    rows, values = [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    least, held = -np.inf, 0
    for start, stop, picked in _blocks(first, last, passing):
        found = scores(start, stop, picked)
        at = np.flatnonzero(found > least)
        rows.append(start + (at if picked is None else picked[at]))
        values.append(found[at])
        held += len(at)
        if held > 2 * count + ROWS_AT_ONCE // 4:
            kept = cut(np.concatenate(rows), np.concatenate(values), count)
            rows, values, held = [kept[0]], [kept[1]], len(kept[0])
            least = float(kept[1].min())
    return cut(np.concatenate(rows), np.concatenate(values), count)


def _blocks(first: int, last: int, passing: np.ndarray | None) -> Iterator[tuple[int, int, np.ndarray | None]]:
    """From where to where, and which of these pass; None for all."""
    for start in range(first, last, ROWS_AT_ONCE):
        stop = min(last, start + ROWS_AT_ONCE)
        if passing is None:
            yield start, stop, None
            continue
        picked = np.flatnonzero(passing[start:stop])
        if len(picked):
            yield start, stop, picked if len(picked) < stop - start else None


def cut(rows: np.ndarray, values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the highest values, and these."""
    if len(rows) <= count:
        return rows, values
    at = np.argpartition(values, len(values) - count)[len(values) - count :]
    return rows[at], values[at]


@cache
def _readers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_READERS, "rows")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "scan")
