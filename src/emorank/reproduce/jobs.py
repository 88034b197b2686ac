"""One training and its measurements: what a worker does, and keeps on disk."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from emorank.evaluation.report import TestName, listen, measure, measure_ordinality
from emorank.model import EmotionRankCLAP
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.loop import fit
from emorank.training.prepare import Prepared, prepare


@dataclass(frozen=True)
class Job:
    """One training.

    Args:
        table: Parquet file of the utterances.
        row: folder of the row.
        config: every choice.
        attributes: whether the alignment test is made.
    """

    table: Path
    row: Path
    config: TrainConfig
    attributes: bool

    @property
    def folder(self) -> Path:
        """Where the model and its results lie."""
        return self.row / f"lr{self.config.learning_rate:g}-seed{self.config.seed}"


def develop(job: Job) -> float:
    """Train, and score on the development speakers: the mean of VOC and AOC with the development captions."""

    def make(model: EmotionRankCLAP) -> dict[str, Any]:
        report = measure_ordinality(listen(model, _table(job.table), "development"), "development")
        return {"voc": report.voc.mean, "aoc": report.aoc.mean}

    found = _kept(job.folder / "development.json", _trained(job), make)
    return float(found["voc"] + found["aoc"]) / 2


def examine(job: Job) -> dict[str, Any]:
    """Train, and test on the test speakers."""
    tests: list[TestName] = ["ordinality", "retrieval", "zero-shot"]
    if job.attributes:
        tests.append("alignment")

    def make(model: EmotionRankCLAP) -> dict[str, Any]:
        found = measure(listen(model, _table(job.table), "test"), tests)
        return {**found, "development_losses": model.config.training["development_losses"]}

    return _kept(job.folder / "test.json", _trained(job), make)


def _trained(job: Job) -> EmotionRankCLAP:
    # Seed, learning rate and epochs do not change the data, so trainings of one row share it.
    data = _prepared(job.table, dataclasses.replace(job.config, seed=0, learning_rate=1.0, epochs=1, patience=1))
    return fit(data.train, data.development, job.config, job.folder, about={"data": data.about()})


@lru_cache(maxsize=1)
def _prepared(table: Path, config: TrainConfig) -> Prepared:
    return prepare(_table(table), config)


@lru_cache(maxsize=1)
def _table(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path)


def _kept(path: Path, model: EmotionRankCLAP, make: Callable[[EmotionRankCLAP], dict[str, Any]]) -> dict[str, Any]:
    """What is in a file, if it is of this training; else made and written."""
    run = model.config.training["run"]
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf8"))
        if found["run"] == run:
            return found
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps({"run": run, **make(model)}) + "\n", "utf8")
    result: dict[str, Any] = json.loads(path.read_text("utf8"))
    return result
