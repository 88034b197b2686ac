"""Choices of emorank-base held against each other by cross-validation: four folds by speaker.

Six development speakers are few to choose by: what differs by .04 there may be nothing. Here all speakers but those of
the test, of which nothing is heard, are parted into four folds by chance, each corpus by itself. Every row of
benchmarks/ablation.py that is named is trained on three of the folds and measured on the fourth, with the development
captions, and the development queries on its RAVDESS actors; all of it with three seeds. Labels are derived. DATA holds
the folders ravdess, emodb and nemo. Models go to OUT, and are not trained again. Twenty minutes of a core for a row.

    .venv/bin/python benchmarks/folds.py DATA OUT ROW ...
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ablation import MEANING, ROWS, cell
from emorank import read_corpus
from emorank.evaluation.embedded import embed
from emorank.evaluation.report import measure_ordinality
from emorank.training.config import TrainConfig
from queries import right_ones
from results import CORPORA, trained

FOLDS, SEEDS = 4, 3


def folds_of(table: pl.DataFrame) -> dict[str, int]:
    """The fold of every speaker."""
    random, fold = np.random.default_rng(0), {}
    for corpus in CORPORA:
        speakers = sorted(set(table.filter(corpus=corpus)["speaker"]))
        random.shuffle(speakers)
        fold |= {speaker: place % FOLDS for place, speaker in enumerate(speakers)}
    return fold


def measured(
    table: pl.DataFrame, fold: dict[str, int], number: int, config: TrainConfig, folder: Path
) -> tuple[float, float, float]:
    """VOC, AOC and the precision of the queries on a fold, by a model that heard the others."""
    held_out = pl.col("speaker").replace_strict(fold, return_dtype=pl.Int64) == number
    parted = table.with_columns(split=pl.when(held_out).then(pl.lit("development")).otherwise(pl.lit("train")))
    model = trained(parted, folder, config)
    report = measure_ordinality(embed(model, parted, "development"), "development")
    found = embed(model, parted.filter(corpus="ravdess"), "development")
    return report.voc.mean, report.aoc.mean, float(np.mean(right_ones(found, "development")))


def main() -> None:
    """Print a line for every row: mean and standard deviation over the seeds, each the mean of its folds."""
    data, out, rows = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    tables = [read_corpus(name, data / name) for name in CORPORA]
    table = pl.concat(tables, how="diagonal_relaxed").filter(pl.col("split") != "test")
    fold = folds_of(table)
    print("| | VOC / AOC | queries |\n|---|---|---|", flush=True)
    for name in rows:
        runs = [
            measured(table, fold, number, replace(ROWS[name], seed=seed), out / f"{name}-fold-{number}-{seed}")
            for seed in range(SEEDS)
            for number in range(FOLDS)
        ]
        every = np.array(runs).reshape(SEEDS, FOLDS, 3).mean(axis=1)
        print(f"| {MEANING[name]} | {cell(every[:, :2])} | {cell(every[:, 2:])} |", flush=True)


if __name__ == "__main__":
    main()
