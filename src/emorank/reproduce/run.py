"""Trains and tests every row; whatever is done is on disk, so a killed run goes on where it was.

Of every row, one model is trained for each learning rate, and the one whose ordinality on the development speakers is
best gives its learning rate to all seeds: the same care for all rows. Where there is one rate, nothing is chosen.
"""

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emorank.evaluation.embedded import counts
from emorank.evaluation.prompts import PROMPTS
from emorank.evaluation.report import TestName
from emorank.reproduce.inputs import Inputs
from emorank.reproduce.jobs import Job, develop, examine
from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import ROWS, Row
from emorank.reproduce.sources import Recorded, Source
from emorank.reproduce.workers import side_by_side
from emorank.storage import written_whole

RESULTS, TABLE = "results.json", "table.parquet"


def reproduce(
    inputs: Inputs,
    out: Path,
    protocol: Protocol,
    rows: Sequence[Row] = ROWS,
    jobs: int = 2,
    training: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Train and test the rows, and write `results.json`.

    Args:
        inputs: what `read_inputs` gave for the same protocol and rows.
        out: folder for models and results; what is there already is not done again.
        protocol: what is the same for all rows.
        rows: which rows.
        jobs: trainings side by side, each in a process with one core.
        training: called with trainings done and to do, and the name of the row.

    Returns:
        What was written: protocol, and for every row its learning rate and the results of every seed.

    Raises:
        EmorankError: the folder holds another run, or what it holds of this one is damaged.
    """
    with written_whole(out / TABLE) as path:
        inputs.table.write_parquet(path)
    categories = counts(inputs.table.filter(split="test"), "emotion").keys() & PROMPTS.keys()
    common: tuple[TestName, ...] = ("ordinality", "retrieval")
    common = (*common, "zero-shot") if len(categories) > 1 else common
    tests = {row: (*common, "alignment") if row.attributes else common for row in rows}
    source = Recorded(out / TABLE, protocol.window)
    return train_and_test(source, out, protocol, tests, jobs, training, inputs.left_out)


def train_and_test(
    source: Source,
    out: Path,
    protocol: Protocol,
    tests: Mapping[Row, tuple[TestName, ...]],
    jobs: int = 2,
    training: Callable[[int, int, str], None] | None = None,
    left_out: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The same for utterances of any source.

    Args:
        source: the utterances.
        out: folder for models and results; what is there already is not done again.
        protocol: what is the same for all rows.
        tests: row -> what is measured of it.
        jobs: trainings side by side, each in a process with one core.
        training: called with trainings done and to do, and the name of the row.
        left_out: to be written down: reason -> how many utterances are not among the source's.
    """
    rows = list(tests)

    def job(row: Row, learning_rate: float, seed: int) -> Job:
        return Job(source, out / "runs" / row.key, protocol.config(row, learning_rate, seed), tests[row])

    rates = protocol.learning_rates
    tuning = [job(row, rate, 0) for row in rows for rate in rates] if len(rates) > 1 else []
    done, total = 0, len(tuning) + len(rows) * protocol.seeds

    def finished(each: Job) -> None:
        nonlocal done
        done += 1
        if training:
            training(done, total, each.folder.parent.name)

    with side_by_side(jobs) as run:
        scores = dict(zip(tuning, run(develop, tuning, finished), strict=True))
        chosen = {row.key: max(rates, key=lambda rate: scores.get(job(row, rate, 0), 0.0)) for row in rows}
        every = [job(row, chosen[row.key], seed) for row in rows for seed in range(protocol.seeds)]
        found = dict(zip(every, run(examine, every, finished), strict=True))
    document: dict[str, Any] = {"protocol": dataclasses.asdict(protocol), "left_out": dict(left_out or {}), "rows": {}}
    for row in rows:
        document["rows"][row.key] = {
            "name": row.name,
            "learning_rate": chosen[row.key],
            "development": {f"{rate:g}": scores[job(row, rate, 0)] for rate in rates if tuning},
            "seeds": [found[job(row, chosen[row.key], seed)] for seed in range(protocol.seeds)],
        }
    document["about"] = document["rows"][rows[0].key]["seeds"][0]["about"]
    with written_whole(out / RESULTS) as path:
        path.write_text(json.dumps(document) + "\n", "utf8")
    return document
