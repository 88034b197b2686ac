"""Trains and tests every row; whatever is done is on disk, so a killed run goes on where it was.

Of every row, one model is trained for each learning rate, and the one whose ordinality on the development speakers is
best gives its learning rate to all seeds: the same care for all rows.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT
from emorank.errors import EmorankError
from emorank.features import Progress
from emorank.files import written_whole
from emorank.measure import listen, measure, measure_ordinality
from emorank.model import EmotionRankCLAP
from emorank.reproduce.rows import ROWS, Row, config_of
from emorank.training.config import TrainConfig
from emorank.training.fit import fit
from emorank.training.prepare import Prepared, prepare, split_by_speaker

RESULTS = "results.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Protocol:
    """What is the same for all rows.

    Args:
        audio_encoder: Frozen audio encoder, see `emorank.encoders`.
        text_encoder: Frozen text encoder, see `emorank.encoders`.
        seeds: How many trainings of every row are averaged.
        learning_rates: The ones that every row may choose from on the development speakers.
        epochs: Passes over the utterances.
        batch_size: Utterances in a batch.
        dropout: Share of the encoders' outputs that is blanked while training.
    """

    audio_encoder: str = DEFAULT_AUDIO
    text_encoder: str = DEFAULT_TEXT
    seeds: int = 5
    learning_rates: tuple[float, ...] = (1e-4, 5e-4, 2.5e-3)
    epochs: int = 15
    batch_size: int = 64
    dropout: float = 0.0

    def config(self, row: Row, learning_rate: float, seed: int) -> TrainConfig:
        """The training of a row."""
        return config_of(
            row,
            audio_encoder=self.audio_encoder,
            text_encoder=self.text_encoder,
            learning_rate=learning_rate,
            epochs=self.epochs,
            patience=self.epochs,
            batch_size=self.batch_size,
            dropout=self.dropout,
            seed=seed,
        )


def reproduce(
    table: pl.DataFrame,
    out: Path,
    protocol: Protocol,
    rows: Sequence[Row] = ROWS,
    say: Say = lambda sentence: None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train and test the rows, and write `results.json`.

    Args:
        table: utterances with path, valence, arousal, emotion, and split or speaker.
        out: folder for models and results; what is there already is not done again.
        protocol: what is the same for all rows.
        rows: which rows.
        say: called with a sentence about what is going on.
        progress: called with recordings done and to do.

    Returns:
        The document in `results.json`: the protocol, what was measured, and of every row its learning rate, the
        development scores that chose it, and the results of every seed.

    Raises:
        EmorankError: the table lacks what a row needs, or `out` holds the results of something else.
    """
    table = table if "split" in table.columns else table.with_columns(split_by_speaker(table))
    if not (table["split"] == "test").any():
        raise EmorankError(
            "The table has no utterance with split 'test'; the tables are made with speakers never seen."
        )
    document: dict[str, Any] = {"protocol": dataclasses.asdict(protocol), "rows": {}}
    for number, row in enumerate(rows, start=1):
        say(f"{row.name} (row {number} of {len(rows)})")
        document["rows"][row.key] = _row(table, out / "runs" / row.key, protocol, row, say, progress)
    document["about"] = document["rows"][rows[0].key]["seeds"][0]["about"]
    with written_whole(out / RESULTS) as path:
        path.write_text(json.dumps(document) + "\n", "utf8")
    return document


def _row(
    table: pl.DataFrame, out: Path, protocol: Protocol, row: Row, say: Say, progress: Progress | None
) -> dict[str, Any]:
    """Choose the learning rate, then train and test all seeds."""

    @cache
    def prepared() -> Prepared:
        return prepare(table, protocol.config(row, 0.0, 0), progress)

    def trained(learning_rate: float, seed: int) -> tuple[Path, EmotionRankCLAP]:
        folder = out / f"lr{learning_rate:g}-seed{seed}"
        say(f"  learning rate {learning_rate:g}, seed {seed}")
        config = protocol.config(row, learning_rate, seed)
        data = prepared()
        return folder, fit(data.train, data.development, config, folder, about={"data": data.about()})

    development = {}
    for learning_rate in protocol.learning_rates:
        folder, model = trained(learning_rate, 0)
        found = _kept(folder / "development.json", model, lambda model: _development(model, table))
        development[learning_rate] = (found["voc"] + found["aoc"]) / 2
    chosen = max(development, key=lambda rate: development[rate])
    seeds = []
    for seed in range(protocol.seeds):
        folder, model = trained(chosen, seed)
        seeds.append(_kept(folder / "test.json", model, lambda model: _test(model, table, row)))
    return {
        "name": row.name,
        "learning_rate": chosen,
        "development": {f"{rate:g}": score for rate, score in development.items()},
        "seeds": seeds,
    }


def _kept(path: Path, model: EmotionRankCLAP, make: Callable[[EmotionRankCLAP], dict[str, Any]]) -> dict[str, Any]:
    """What is in a file, if it is of this model; else made and written."""
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text("utf8"))
        if found["model"] == model.config.training["run"]:
            return found
    made = {"model": model.config.training["run"], **make(model)}
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(made) + "\n", "utf8")
    return json.loads(path.read_text("utf8"))  # type: ignore[no-any-return]


def _development(model: EmotionRankCLAP, table: pl.DataFrame) -> dict[str, Any]:
    report = measure_ordinality(listen(model, table, "development"), "development")
    return {"voc": report.voc.mean, "aoc": report.aoc.mean}


def _test(model: EmotionRankCLAP, table: pl.DataFrame, row: Row) -> dict[str, Any]:
    measured = listen(model, table, "test")
    tests = ["ordinality", *(["alignment"] if row.attributes else []), "retrieval", "zero-shot"]
    losses = np.asarray(model.config.training["development_losses"]).tolist()
    return {**measure(measured, tests), "development_losses": losses}  # type: ignore[arg-type]
