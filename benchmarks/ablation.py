"""What each choice of emorank-base brings: a model for every choice taken back, one at a time.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Labels are derived. Every row is
trained on all three corpora and three times without one of them, as benchmarks/results.py does, for each seed; models
go to OUT (one folder a run; runs that are there are not trained again, a run that was killed goes on). What a row
brings is chosen by the columns of the development speakers; the others report. Mean and, from three seeds on, standard
deviation. Seconds are those of one training, the encoders' outputs being kept. Some seven minutes of a core for a row
and seed, two without the corpora left out.

    .venv/bin/python benchmarks/ablation.py DATA OUT [--seeds 3] [--left-out-seeds 1] [--rows ROW ...]
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ased import ased
from emorank import EmotionRankCLAP, read_corpus
from emorank.affect import DIMENSIONS
from emorank.encoders import SMALL_TEXT
from emorank.evaluation.embedded import embed
from emorank.evaluation.report import measure_ordinality
from emorank.training.config import TrainConfig
from queries import precisions
from results import CORPORA, SHIPPED, trained

ROWS = {
    "emorank-base": SHIPPED,
    "linear-audio": replace(SHIPPED, audio_hidden=()),
    "audio-anchors": replace(SHIPPED, anchors="audio"),
    "alike": replace(SHIPPED, weights=(1.0, 1.0, 1.0, 1.0)),
    "not-centred": replace(SHIPPED, centring=0.0),
    "three-dimensions": replace(SHIPPED, dimensions=DIMENSIONS),
    "two-dimensions": replace(SHIPPED, dimensions=("valence", "arousal")),
    "pairs": replace(SHIPPED, captions="bank"),
    "cross-entropy": replace(SHIPPED, captions="bank", loss="symmetric_cross_entropy"),
    "untuned-text": replace(SHIPPED, text_encoder=SMALL_TEXT),
    "lowest-loss": replace(SHIPPED, keep="lowest"),
    "no-dropout": replace(SHIPPED, dropout=0.0),
    "unbalanced": replace(SHIPPED, balance=False),
    "twelve-epochs": replace(SHIPPED, epochs=12),
}
MEANING = {
    "emorank-base": "as it ships",
    "linear-audio": "a linear head for the audios",
    "audio-anchors": "audios as the only anchors, as in the paper",
    "alike": "dimensions that weigh alike",
    "not-centred": "what all captions share left in descriptions",
    "three-dimensions": "without unpredictability",
    "two-dimensions": "valence and arousal alone, as in the paper",
    "pairs": "a caption for every utterance, as in the paper",
    "cross-entropy": "the same with symmetric cross-entropy",
    "untuned-text": "the text encoder as it was before it was tuned",
    "lowest-loss": "the epoch of the lowest development loss, as in the paper",
    "no-dropout": "no dropout",
    "unbalanced": "small corpora not repeated",
    "twelve-epochs": "12 epochs",
}


def order(models: list[EmotionRankCLAP], table: pl.DataFrame, split: str | None) -> np.ndarray:
    """(models, 2) VOC and AOC."""
    captions = "development" if split == "development" else "test"
    reports = [measure_ordinality(embed(model, table, split), captions) for model in models]
    return np.array([[report.voc.mean, report.aoc.mean] for report in reports])


def cell(values: np.ndarray) -> str:
    """Of (models, k) numbers the means, with the deviations where there are three models."""
    means = [f"{mean:.3f}" for mean in values.mean(0)]
    if len(values) > 2:
        means = [f"{mean} ± {deviation:.3f}" for mean, deviation in zip(means, values.std(0, ddof=1), strict=True)]
    return " / ".join(means)


def timed(table: pl.DataFrame, out: Path, config: TrainConfig) -> tuple[EmotionRankCLAP, float]:
    """The model of a run, trained if it is not there, and the seconds that this took."""
    begun = time.perf_counter()
    return trained(table, out, config), time.perf_counter() - begun


def row(name: str, data: Path, out: Path, tables: dict[str, pl.DataFrame], seeds: int, left_out_seeds: int) -> str:
    """A line of the table."""
    every = [(seed, replace(ROWS[name], seed=seed)) for seed in range(max(seeds, left_out_seeds))]
    together = pl.concat(tables.values(), how="diagonal_relaxed")
    runs = [timed(together, out / f"{name}-{seed}", config) for seed, config in every[:seeds]]
    models = [model for model, _ in runs]
    cells = [
        cell(order(models, together, "development")),
        *(
            cell(np.array([[np.mean(precisions(model, data / "ravdess", part))] for model in models]))
            for part in ("development", "test")
        ),
        cell(order(models, together, "test")),
    ]
    left_out = []
    for corpus in CORPORA if left_out_seeds else ():
        rest = pl.concat([tables[other] for other in CORPORA if other != corpus], how="diagonal_relaxed")
        left = [
            trained(rest, out / f"{name}-without-{corpus}-{seed}", config) for seed, config in every[:left_out_seeds]
        ]
        left_out.append(order(left, tables[corpus], None))
    cells.append(cell(np.mean(left_out, axis=0)) if left_out else "")
    if (data / "ased").is_dir():
        cells.append(cell(order(models, ased(data / "ased"), None)))
    return f"| {MEANING[name]} | {' | '.join(cells)} | {np.mean([seconds for _, seconds in runs]):.0f} |"


def main() -> None:
    """Print the table as Markdown, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--left-out-seeds", type=int, default=1)
    parser.add_argument("--rows", nargs="*", default=list(ROWS), choices=list(ROWS))
    options = parser.parse_args()
    tables = {name: read_corpus(name, options.data / name) for name in CORPORA}
    columns = ["VOC / AOC, development", "queries, development", "queries, test"]
    columns += ["VOC / AOC, test speakers", "left out, mean of three"]
    columns += ["ASED"] if (options.data / "ased").is_dir() else []
    print(f"| seeds: {options.seeds} | {' | '.join(columns)} | seconds |\n{'|---' * (len(columns) + 2)}|", flush=True)
    for name in options.rows:
        print(row(name, options.data, options.out, tables, options.seeds, options.left_out_seeds), flush=True)


if __name__ == "__main__":
    main()
