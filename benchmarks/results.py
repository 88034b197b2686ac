"""The numbers of docs/results.md: ordinality on unseen speakers over three seeds, and with a corpus held out.

DATA holds the folders ravdess, emodb and nemo. Labels are derived. Models go to OUT (one folder a run; runs that are
there are not trained again), so `emorank-base` is OUT/speakers-seed0.

    .venv/bin/python benchmarks/results.py DATA OUT
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl

from emorank import EmotionRankCLAP, read_corpus
from emorank.evaluation.embedded import embed
from emorank.evaluation.report import measure_ordinality
from emorank.training.config import TrainConfig
from emorank.training.loop import fit
from emorank.training.prepare import prepare

CORPORA = ("ravdess", "emodb", "nemo")
SEEDS = (0, 1, 2)


def trained(table: pl.DataFrame, out: Path, seed: int) -> EmotionRankCLAP:
    """The model of a run, trained if it is not there."""
    config = TrainConfig(seed=seed)
    prepared = prepare(table, config)
    return fit(prepared.train, prepared.development, config, out, about={"data": prepared.about()})


def row(name: str, models: list[EmotionRankCLAP], table: pl.DataFrame, split: str | None) -> None:
    """One line of the table: mean and standard deviation over the seeds."""
    embedded = [embed(model, table, split) for model in models]
    reports = [measure_ordinality(each) for each in embedded]
    voc, aoc = ([getattr(report, test).mean for report in reports] for test in ("voc", "aoc"))
    cells = [f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}" for values in (voc, aoc)]
    oracle = reports[0].oracle
    print(
        f"| {name} | {len(embedded[0].table)} | {cells[0]} | {cells[1]} | {oracle['voc']:.3f} / {oracle['aoc']:.3f} |",
        flush=True,
    )


def main() -> None:
    """Print both tables as Markdown."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    tables = {name: read_corpus(name, data / name) for name in CORPORA}
    everything = pl.concat(tables.values(), how="diagonal_relaxed")
    header = "| clips of | clips | VOC | AOC | oracle VOC / AOC |\n|---|---|---|---|---|"
    print(f"Test speakers, {len(SEEDS)} seeds (labels derived)\n\n{header}")
    development: list[str] = []
    models = [trained(everything, out / f"speakers-seed{seed}", seed) for seed in SEEDS]
    row("all three", models, everything, "test")
    for seed, model in enumerate(models):  # what chose the seed that is shipped
        report = measure_ordinality(embed(model, everything, "development"), "development")
        development.append(f"| {seed} | {report.voc.mean:.3f} | {report.aoc.mean:.3f} |")
    for name in CORPORA:
        row(name, models, tables[name], "test")
    print("\nDevelopment speakers and captions\n\n| seed | VOC | AOC |\n|---|---|---|", *development, sep="\n")
    print(f"\nA corpus held out, all of its speakers are test, {len(SEEDS)} seeds (labels derived)\n\n{header}")
    for name in CORPORA:
        rest = pl.concat([tables[other] for other in CORPORA if other != name], how="diagonal_relaxed")
        row(name, [trained(rest, out / f"without-{name}-seed{seed}", seed) for seed in SEEDS], tables[name], None)


if __name__ == "__main__":
    main()
