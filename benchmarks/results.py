"""The numbers of docs/results.md: ordinality on unseen speakers over three seeds, and with a corpus held out.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Labels are derived. Models go to OUT
(one folder a run; runs that are there are not trained again); `emorank-base` is the one of the speakers' three that has
the highest sum of VOC and AOC on the development speakers. BASELINE, a model, is measured beside them, and a star marks
what differs from it by a two-tailed paired t-test over the 100 lists (mean of the seeds), p < 0.05.

    .venv/bin/python benchmarks/results.py DATA OUT [BASELINE] [speakers] [left-out] [free]
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ased import ased
from emorank import EmotionRankCLAP, read_corpus
from emorank.affect import LABELS
from emorank.evaluation.embedded import embed
from emorank.evaluation.report import measure_ordinality
from emorank.evaluation.significance import paired_t
from emorank.training.config import TrainConfig
from emorank.training.loop import fit
from emorank.training.prepare import prepare
from queries import precisions

CORPORA = ("ravdess", "emodb", "nemo")
FREE = "emodb"  # CC0, as no other one is
PARTS = ("speakers", "left-out", "free")
SEEDS = (0, 1, 2)
SHIPPED = TrainConfig(dimensions=LABELS)  # emorank-base
HEADER = "| clips of | clips | VOC | AOC | oracle VOC / AOC |\n|---|---|---|---|---|"


def trained(table: pl.DataFrame, out: Path, config: TrainConfig) -> EmotionRankCLAP:
    """The model of a run, trained if it is not there."""
    prepared = prepare(table, config)
    return fit(prepared.train, prepared.development, config, out, about={"data": prepared.about()})


def row(
    name: str,
    models: list[EmotionRankCLAP],
    table: pl.DataFrame,
    split: str | None,
    baseline: EmotionRankCLAP | None = None,
) -> None:
    """One line of the table: mean and standard deviation over the seeds; and one of what they are held against."""
    embedded = [embed(model, table, split) for model in models]
    reports = [measure_ordinality(each) for each in embedded]
    other = measure_ordinality(embed(baseline, table, split)) if baseline else None
    cells = []
    for test in ("voc", "aoc"):
        means = [getattr(report, test).mean for report in reports]
        taus = np.mean([getattr(report, test).taus for report in reports], axis=0).tolist()
        star = "*" if other and paired_t(taus, getattr(other, test).taus) < 0.05 else ""
        cells.append(f"{np.mean(means):.3f} ± {np.std(means, ddof=1):.3f}{star}")
    oracle = reports[0].oracle
    if other:
        print(f"| {name}, before | {len(embedded[0].table)} | {other.voc.mean:.3f} | {other.aoc.mean:.3f} | |")
    print(
        f"| {name} | {len(embedded[0].table)} | {cells[0]} | {cells[1]} | {oracle['voc']:.3f} / {oracle['aoc']:.3f} |",
        flush=True,
    )


def speakers(data: Path, out: Path, tables: dict[str, pl.DataFrame], baseline: EmotionRankCLAP | None) -> None:
    """Speakers that were not heard, ASED, and what chose the seed that is shipped."""
    everything = pl.concat(tables.values(), how="diagonal_relaxed")
    print(f"Test speakers, {len(SEEDS)} seeds (labels derived)\n\n{HEADER}")
    development: list[str] = []
    models = [trained(everything, out / f"speakers-seed{seed}", replace(SHIPPED, seed=seed)) for seed in SEEDS]
    row("all three", models, everything, "test", baseline)
    for seed, model in enumerate(models):
        report = measure_ordinality(embed(model, everything, "development"), "development")
        cells = [f"{report.voc.mean:.3f}", f"{report.aoc.mean:.3f}"]
        for part in ("development", "test"):
            found = precisions(model, data / "ravdess", part)
            cells.append(f"{np.mean(found):.3f} ({sum(p == 0 for p in found)} at 0)")
        development.append(f"| {seed} | {' | '.join(cells)} |")
    for name in CORPORA:
        row(name, models, tables[name], "test", baseline)
    if (data / "ased").is_dir():
        row("ASED", models, ased(data / "ased"), None, baseline)
    print(
        "\nDevelopment speakers and captions; everyday queries on RAVDESS's development and test actors, P@10\n\n"
        "| seed | VOC | AOC | queries, development | queries, test |\n|---|---|---|---|---|",
        *development,
        sep="\n",
    )


def left_out(out: Path, tables: dict[str, pl.DataFrame]) -> None:
    """A corpus that was not heard."""
    print(f"\nA corpus held out, all of its speakers are test, {len(SEEDS)} seeds (labels derived)\n\n{HEADER}")
    for name in CORPORA:
        rest = pl.concat([tables[other] for other in CORPORA if other != name], how="diagonal_relaxed")
        row(
            name,
            [trained(rest, out / f"without-{name}-seed{seed}", replace(SHIPPED, seed=seed)) for seed in SEEDS],
            tables[name],
            None,
        )


def free(data: Path, out: Path, tables: dict[str, pl.DataFrame]) -> None:
    """What may be used for anything: recordings of one corpus."""
    print(f"\nEmoDB alone was heard, {len(SEEDS)} seeds (labels derived)\n\n{HEADER}")
    models = [trained(tables[FREE], out / f"{FREE}-seed{seed}", replace(SHIPPED, seed=seed)) for seed in SEEDS]
    row("emodb, test speakers", models, tables[FREE], "test")
    for name in CORPORA:
        if name != FREE:
            row(name, models, tables[name], None)
    if (data / "ased").is_dir():
        row("ASED", models, ased(data / "ased"), None)


def main() -> None:
    """Print the tables as Markdown."""
    data, out, rest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    parts = [each for each in rest if each in PARTS] or PARTS
    baseline = next((EmotionRankCLAP.from_pretrained(each) for each in rest if each not in PARTS), None)
    tables = {name: read_corpus(name, data / name) for name in CORPORA}
    if "speakers" in parts:
        speakers(data, out, tables, baseline)
    if "left-out" in parts:
        left_out(out, tables)
    if "free" in parts:
        free(data, out, tables)


if __name__ == "__main__":
    main()
