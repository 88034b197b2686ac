"""The numbers of docs/model.md: ordinality on unseen speakers, left-out corpora and ASED, encoder tuned or not.

DATA holds the folders ravdess, emodb and nemo, and ased if that is to be reported. Labels are derived. Three seeds of
the heads; the encoders that have not heard a corpus come from `benchmarks/finetune.py DATA OUT`. Models go to OUT (one
folder a run; runs that are there are not trained again).

    .venv/bin/python benchmarks/tuned.py DATA OUT [speakers] [left-out]
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from ased import ased
from emorank import EmotionRankCLAP, read_corpus
from emorank.encoders import SMALL_AUDIO, SMALL_TEXT, TUNED_AUDIO
from emorank.evaluation.embedded import embed
from emorank.evaluation.report import OrdinalityReport, measure_ordinality
from emorank.evaluation.significance import paired_t
from emorank.training.config import TrainConfig
from finetune import folder_of
from results import CORPORA, SEEDS, trained

UNTUNED = TrainConfig(
    audio_encoder=SMALL_AUDIO,
    text_encoder=SMALL_TEXT,
    text_hidden=(512,),
    keep="lowest",
    weights=(1.2, 1.0, 1.5),
    epochs=12,
)
SETTINGS = {
    "untuned": UNTUNED,
    "tuned": replace(UNTUNED, audio_encoder=TUNED_AUDIO, audio_hidden=(), weights=(1.4, 1.3, 1.2)),
}
TAKEN = "3+4:attentive"  # of a tuned encoder
#: Clips of a corpus at most where it is left out, trains or develops, so that one core does it in an hour.
LEFT_OUT = {"ravdess": 300, "emodb": 535, "nemo": 400}
TRAIN = {"ravdess": 320, "emodb": 339, "nemo": 640}
DEVELOPMENT = {"ravdess": 80, "emodb": 69, "nemo": 100}


def models(
    setting: str, table: pl.DataFrame, out: Path, what: str, encoder: str | None = None
) -> list[EmotionRankCLAP]:
    """The three seeds of a setting."""
    config = SETTINGS[setting]
    if encoder and config.audio_encoder == TUNED_AUDIO:
        config = replace(config, audio_encoder=encoder)
    return [trained(table, out / f"{setting}-{what}-seed{seed}", replace(config, seed=seed)) for seed in SEEDS]


def rows(name: str, found: dict[str, list[EmotionRankCLAP]], table: pl.DataFrame, split: str | None) -> None:
    """A line of the table for every setting: mean and deviation of the seeds, and p against the untuned."""
    reports = {
        setting: [measure_ordinality(embed(model, table, split)) for model in each] for setting, each in found.items()
    }
    untuned = lists(reports["untuned"])
    for setting, each in reports.items():
        cells = []
        for test, taus in lists(each).items():
            means = [getattr(report, test).mean for report in each]
            p = 1.0 if setting == "untuned" else paired_t(taus, untuned[test])
            cells.append(f"{np.mean(means):.3f} ± {np.std(means, ddof=1):.3f}{'*' if p < 0.05 else ''}")
        oracle = each[0].oracle
        print(
            f"| {name} | {each[0].clips} | {setting} | {cells[0]} | {cells[1]} | "
            f"{oracle['voc']:.3f} / {oracle['aoc']:.3f} |",
            flush=True,
        )


def lists(reports: Sequence[OrdinalityReport]) -> dict[str, list[float]]:
    """Tau of every list, the mean over the seeds."""
    return {
        test: np.mean([getattr(report, test).taus for report in reports], axis=0).tolist() for test in ("voc", "aoc")
    }


def header(title: str) -> None:
    """Begin a table."""
    print(f"\n{title}, {len(SEEDS)} seeds (labels derived)\n")
    print("| clips of | clips | heads | VOC | AOC | oracle VOC / AOC |\n|---|---|---|---|---|---|")


def speakers(tables: dict[str, pl.DataFrame], out: Path, other: pl.DataFrame | None) -> None:
    """Speakers that were not heard, and ASED."""
    everything = pl.concat(tables.values(), how="diagonal_relaxed")
    found = {setting: models(setting, everything, out, "speakers") for setting in SETTINGS}
    header("Test speakers")
    rows("all three", found, everything, "test")
    for name in CORPORA:
        rows(name, found, tables[name], "test")
    if other is not None:
        rows("ASED", found, other, None)
    print("\nDevelopment speakers and captions\n\n| heads | seed | VOC | AOC |\n|---|---|---|---|")
    for setting, each in found.items():
        for seed, model in zip(SEEDS, each, strict=True):  # what chose the seed that is shipped
            report = measure_ordinality(embed(model, everything, "development"), "development")
            print(f"| {setting} | {seed} | {report.voc.mean:.3f} | {report.aoc.mean:.3f} |", flush=True)


def sampled(table: pl.DataFrame, count: int) -> pl.DataFrame:
    """Some of the clips, always the same."""
    return table if len(table) <= count else table.sample(count, seed=0)


def left_out(tables: dict[str, pl.DataFrame], out: Path) -> None:
    """A corpus that neither the encoder nor the heads have heard; a sample of every corpus."""
    header("A corpus left out, all of its speakers are test")
    for name in CORPORA:
        parts = [
            sampled(tables[other].filter(split=split), counts[other])
            for other in CORPORA
            if other != name
            for split, counts in (("train", TRAIN), ("development", DEVELOPMENT))
        ]
        rest = pl.concat(parts, how="diagonal_relaxed")
        encoder = f"{out / 'tuned' / folder_of(name)}/{TAKEN}"
        found = {setting: models(setting, rest, out, folder_of(name), encoder) for setting in SETTINGS}
        rows(name, found, sampled(tables[name], LEFT_OUT[name]), None)


def main() -> None:
    """Print the tables as Markdown."""
    data, out, asked = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:] or ["speakers", "left-out"]
    tables = {name: read_corpus(name, data / name) for name in CORPORA}
    if "speakers" in asked:
        speakers(tables, out, ased(data / "ased") if (data / "ased").is_dir() else None)
    if "left-out" in asked:
        left_out(tables, out)


if __name__ == "__main__":
    main()
