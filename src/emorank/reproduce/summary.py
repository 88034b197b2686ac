"""What the results say: means, deviations and significance, as plain data for tables, plots and JSON."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from emorank.evaluation.significance import Comparison, compare
from emorank.reproduce.rows import row_of

Score = Literal["voc", "aoc", "mmd_squared", "mmd_squared_unbiased", "w2_squared", "w1", "sliced_w2_squared"]
ORDINALITY: tuple[Score, ...] = ("voc", "aoc")
HEADLINE: tuple[Score, ...] = ("mmd_squared", "w2_squared")
ALIGNMENT: tuple[Score, ...] = (*HEADLINE, "mmd_squared_unbiased", "w1", "sliced_w2_squared")


@dataclass(frozen=True)
class Cell:
    """One score of one row.

    Args:
        mean: over seeds and units.
        units: standard deviation over the lists or trials, each averaged over the seeds.
        seeds: standard deviation over the seeds' means; NaN for one seed.
        against: every row that it was compared with -> over the lists or trials.
        against_seeds: the same over the seeds.
        starred: it is better than every baseline, significantly over the lists or trials.
    """

    mean: float
    units: float
    seeds: float
    against: dict[str, Comparison]
    against_seeds: dict[str, Comparison]
    starred: bool


def summary(results: dict[str, Any], score: Score) -> dict[str, Cell]:
    """Row -> its cell, for the rows that have the score.

    Unit of the tests is the list or trial, averaged over the seeds, as in the paper; beside it the seed. A row is
    compared with all others; Holm's correction is over these.
    """
    values = {key: found for key, row in results["rows"].items() if (found := _values(row, score)) is not None}
    cells = {}
    for key, own in values.items():
        others = {other: each for other, each in values.items() if other != key}
        against = compare(own.mean(0).tolist(), {k: v.mean(0).tolist() for k, v in others.items()})
        seeds = compare(own.mean(1).tolist(), {k: v.mean(1).tolist() for k, v in others.items()})
        baselines = [each for other, each in against.items() if not row_of(other).ours]
        sign = 1 if score in ORDINALITY else -1
        cells[key] = Cell(
            float(own.mean()),
            float(own.mean(0).std(ddof=1)),
            float(own.mean(1).std(ddof=1)) if len(own) > 1 else math.nan,
            against,
            seeds,
            bool(baselines) and row_of(key).ours and all(c.significant and sign * c.difference > 0 for c in baselines),
        )
    return cells


def _values(row: dict[str, Any], score: Score) -> np.ndarray | None:
    """(seeds, lists or trials) of a score."""
    if score in ORDINALITY:
        return np.array([seed["ordinality"][score]["taus"] for seed in row["seeds"]])
    if "alignment" not in row["seeds"][0]:
        return None
    return np.array([[trial[score] for trial in seed["alignment"]["trials"]] for seed in row["seeds"]])
