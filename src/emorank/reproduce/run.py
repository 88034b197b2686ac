"""Trains and tests every row; whatever is done is on disk, so a killed run goes on where it was.

Of every row, one model is trained for each learning rate, and the one whose ordinality on the development speakers is
best gives its learning rate to all seeds: the same care for all rows.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emorank.affect import CATEGORIES
from emorank.captions import bundled
from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT, audio_encoder, text_encoder
from emorank.errors import EmorankError
from emorank.listening.store import Progress, recordings, texts
from emorank.reproduce.jobs import Job, develop, examine
from emorank.reproduce.rows import ROWS, Row, config_of
from emorank.reproduce.workers import side_by_side
from emorank.storage import written_whole
from emorank.training.config import TrainConfig
from emorank.training.prepare import prepare, split_by_speaker

RESULTS, TABLE = "results.json", "table.parquet"


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
    jobs: int = 2,
    listening: Progress | None = None,
    training: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Train and test the rows, and write `results.json`.

    Args:
        table: utterances with path, valence, arousal, emotion, and split or speaker.
        out: folder for models and results; what is there already is not done again.
        protocol: what is the same for all rows.
        rows: which rows.
        jobs: trainings side by side, each in a process with one core.
        listening: called with recordings done and to do.
        training: called with trainings done and to do, and the name of the row.

    Returns:
        The document in `results.json`: the protocol, what was measured, and of every row its learning rate, the
        development scores that chose it, and the results of every seed.

    Raises:
        EmorankError: the table lacks what a row needs, or `out` holds the results of something else.
    """
    table = with_category(table)
    table = table if "split" in table.columns else table.with_columns(split_by_speaker(table))
    if not (table["split"] == "test").any():
        raise EmorankError(
            "The table has no utterance with split 'test': there is nobody to test on who was not heard."
        )
    _encode(table, protocol, rows, listening)
    with written_whole(out / TABLE) as path:
        table.write_parquet(path)

    def job(row: Row, learning_rate: float, seed: int) -> Job:
        return Job(out / TABLE, out / "runs" / row.key, protocol.config(row, learning_rate, seed), row.attributes)

    done, rates = 0, protocol.learning_rates
    total = len(rows) * (len(rates) + protocol.seeds)

    def finished(each: Job) -> None:
        nonlocal done
        done += 1
        if training:
            training(done, total, each.folder.parent.name)

    with side_by_side(jobs) as run:
        tuning = [job(row, rate, 0) for row in rows for rate in rates]
        scores = dict(zip(tuning, run(develop, tuning, finished), strict=True))
        chosen = {row.key: max(rates, key=lambda rate: scores[job(row, rate, 0)]) for row in rows}
        tests = [job(row, chosen[row.key], seed) for row in rows for seed in range(protocol.seeds)]
        found = dict(zip(tests, run(examine, tests, finished), strict=True))
    document: dict[str, Any] = {"protocol": dataclasses.asdict(protocol), "rows": {}}
    for row in rows:
        document["rows"][row.key] = {
            "name": row.name,
            "learning_rate": chosen[row.key],
            "development": {f"{rate:g}": scores[job(row, rate, 0)] for rate in rates},
            "seeds": [found[job(row, chosen[row.key], seed)] for seed in range(protocol.seeds)],
        }
    document["about"] = document["rows"][rows[0].key]["seeds"][0]["about"]
    with written_whole(out / RESULTS) as path:
        path.write_text(json.dumps(document) + "\n", "utf8")
    return document


def with_category(table: pl.DataFrame) -> pl.DataFrame:
    """The utterances of a known category: the paper leaves out MSP-Podcast's classes O (other) and X (no agreement).

    Raises:
        EmorankError: there is none.
    """
    known = table.filter(pl.col("emotion").is_in(CATEGORIES)) if "emotion" in table.columns else table.clear()
    if not len(known):
        raise EmorankError(f"The table has no utterance with an emotion among {', '.join(CATEGORIES)}.")
    return known


def _encode(table: pl.DataFrame, protocol: Protocol, rows: Sequence[Row], progress: Progress | None) -> None:
    """Encode all recordings and captions once, so that every training finds them in the feature store."""
    recordings(table["path"].to_list(), audio_encoder(protocol.audio_encoder), progress=progress)
    for row in rows:
        prepare(table, protocol.config(row, 1.0, 0), progress)
    for part in ("development", "test"):
        texts(bundled(part).texts, text_encoder(protocol.text_encoder))
