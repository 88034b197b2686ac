"""Rows of a large index among which the best are: found by scores that need not be exact."""

from collections.abc import Callable

import numpy as np

from emorank.search.mapped import scan
from emorank.search.mapped.collection import MappedCollection
from emorank.search.mapped.passing import rows_of
from emorank.search.order import RECORDING

_WIDE = 8  # times as many are scored in more directions
_AMONG = 500  # and at least one in so many
_OF_EACH = 3  # rows of a recording that are scored exactly where hits are grouped


def candidates(
    collection: MappedCollection,
    group: str | None,
    passing: np.ndarray | None,
    scores: scan.Scores,
    finer: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> tuple[np.ndarray, int, np.ndarray | None]:
    """Rows among which the best are, how many rows or groups pass, and how many rows of each group do.

    Args:
        collection: what is searched.
        group: a column of which each value is found once; None for none.
        passing: (n,) which rows may be found; None for all.
        scores: of rows, nearly.
        finer: of some rows, less nearly.
        count: rows or groups that are needed.
    """
    store = collection.store
    if not group:
        wide = max(_WIDE * count, len(store) // _AMONG)
        rows, _ = scan.highest(scores, wide, len(store), passing)
        rows, _ = scan.cut(rows, finer(rows), count) if len(rows) > count else (rows, None)
        return rows, len(store) if passing is None else int(np.count_nonzero(passing)), None
    if group != RECORDING:
        return _grouped_candidates(collection, group, passing, scores, finer, count)
    best, counts = scan.by_recording(store, scores, passing)
    numbers = np.flatnonzero(counts)
    total = len(numbers)
    numbers, _ = scan.cut(numbers, best[numbers], max(_WIDE * count, total // _AMONG))
    sizes = store["count"][numbers].astype(np.int64)
    rows = np.repeat(store["first"][numbers] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
    rows = rows if passing is None else rows[passing[rows]]
    values = finer(rows)
    order = np.lexsort((-values, store["recording"][rows]))
    rows, values = rows[order], values[order]
    recordings, firsts, many = np.unique(store["recording"][rows], return_index=True, return_counts=True)
    chosen, _ = scan.cut(np.arange(len(recordings)), values[firsts], count)
    spans = [np.arange(firsts[n], firsts[n] + min(_OF_EACH, many[n])) for n in chosen.tolist()]
    return rows[np.concatenate(spans)] if spans else rows, total, counts


def _grouped_candidates(
    collection: MappedCollection,
    group: str,
    passing: np.ndarray | None,
    scores: scan.Scores,
    finer: Callable[[np.ndarray], np.ndarray],
    count: int,
) -> tuple[np.ndarray, int, np.ndarray]:
    """The same where hits are grouped by a column: the nearly best few of each of the nearly best groups."""
    rows, codes = rows_of(collection, passing), collection.codes(group)
    of, nearly = codes.of[rows], np.empty(len(rows), np.float32)
    for start in range(0, len(rows), scan.ROWS_AT_ONCE):
        some = rows[start : start + scan.ROWS_AT_ONCE]
        first, last = int(some[0]), int(some[-1]) + 1
        nearly[start : start + len(some)] = scores(first, last, some - first)
    counts = np.bincount(of, minlength=len(codes.values) + 1)
    left = np.arange(len(rows))
    found: list[np.ndarray] = []
    for _ in range(_OF_EACH):
        highest = np.full(len(counts), -np.inf, np.float32)
        np.maximum.at(highest, of[left], nearly[left])
        leading = left[nearly[left] == highest[of[left]]]
        _, firsts = np.unique(of[leading], return_index=True)
        chosen = leading[firsts]
        if not found and len(chosen) > _WIDE * count:
            chosen, _ = scan.cut(chosen, nearly[chosen], _WIDE * count)
            kept = np.zeros(len(counts), bool)
            kept[of[chosen]] = True
            left = left[kept[of[left]]]
        found.append(chosen)
        left = np.setdiff1d(left, chosen, assume_unique=True)
        if not len(left):
            break
    best = rows[np.concatenate(found)] if found else rows
    return best, int((counts > 0).sum()), counts
