"""One training and its measurements: what a worker does, and keeps on disk."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from emorank.errors import EmorankError
from emorank.evaluation.report import TestName, measure, measure_ordinality
from emorank.model import EmotionRankCLAP
from emorank.reproduce.sources import Source
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.loop import fit

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Job:
    """One training.

    Args:
        source: the utterances.
        row: folder of the row.
        config: every choice.
        tests: what is measured.
    """

    source: Source
    row: Path
    config: TrainConfig
    tests: tuple[TestName, ...]

    @property
    def folder(self) -> Path:
        """Where the model and its results lie."""
        return self.row / f"lr{self.config.learning_rate:g}-seed{self.config.seed}"


def develop(job: Job) -> float:
    """Train, and score on the development speakers: the mean of VOC and AOC with the development captions."""

    def make(model: EmotionRankCLAP) -> dict[str, Any]:
        report = measure_ordinality(job.source.embedded(model, "development"), "development")
        return {"voc": report.voc.mean, "aoc": report.aoc.mean}

    path = job.folder / "development.json"
    found = _typed(path, _kept(path, _trained(job), make), _Development)
    return (found.voc + found.aoc) / 2


def examine(job: Job) -> dict[str, Any]:
    """Train, and test on the test speakers."""

    def make(model: EmotionRankCLAP) -> dict[str, Any]:
        found = measure(job.source.embedded(model, "test"), job.tests)
        found.get("zero-shot", {}).pop("probabilities", None)  # of every clip, for every seed: too much to keep
        return {**found, "development_losses": model.config.training["development_losses"]}

    return _kept(job.folder / "test.json", _trained(job), make)


def _trained(job: Job) -> EmotionRankCLAP:
    data = job.source.prepared(job.config)
    return fit(data.train, data.development, job.config, job.folder, about={"data": data.about()})


def _kept(path: Path, model: EmotionRankCLAP, make: Callable[[EmotionRankCLAP], dict[str, Any]]) -> dict[str, Any]:
    """What is in a file, if it is of this training; else made and written.

    Raises:
        EmorankError: the file is not what was written.
    """
    run = model.config.training["run"]
    kept = _read(path)
    if kept is not None:
        if kept.digest != _digest(kept.found):
            raise EmorankError(f"{path}: the file is damaged, its digest does not fit; remove it to have it made anew.")
        if kept.run == run:
            return kept.found
    made = json.loads(json.dumps(make(model)))  # keys as text, as they are when read
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps({"run": run, "digest": _digest(made), "found": made}) + "\n", "utf8")
    return dict(made)


def _read(path: Path) -> "_Kept | None":
    """What a file holds; None if there is no file.

    Raises:
        EmorankError: it holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Kept)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _damaged(path, error) from error


def _typed(path: Path, found: dict[str, Any], kind: type[Kind]) -> Kind:
    try:
        return msgspec.convert(found, kind)
    except msgspec.MsgspecError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> EmorankError:
    return EmorankError(f"{path}: the file is damaged ({error}); remove it to have it made anew.")


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of a training's measurements: of which training, a digest of what was found, and that."""

    run: str
    digest: str
    found: dict[str, Any]


class _Development(msgspec.Struct, frozen=True):
    """The ordinality on the development speakers."""

    voc: float
    aoc: float


def _digest(found: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]
