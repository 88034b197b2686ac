"""emorank reproduce: the paper's two tables for an utterance table."""

import math
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from emorank.cli.console import name_broken, progress, renamed_as, say
from emorank.cli.options import require
from emorank.errors import EmorankError, MissingExtra

_RATES, _EPOCHS, _BATCH, _DROPOUT = (1e-4, 5e-4, 2.5e-3), 15, 64, 0.0


def reproduce(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    encoders: Literal["default", "paper"] = "default",
    audio_encoder: str | None = None,
    text_encoder: str | None = None,
    strict: bool = False,
    rows: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    seeds: int = 5,
    learning_rates: Annotated[tuple[float, ...], Parameter(consume_multiple=True)] = _RATES,
    epochs: int = _EPOCHS,
    batch_size: int = _BATCH,
    dropout: float = _DROPOUT,
    jobs: int | None = None,
) -> None:
    """Train and test all rows of the paper's tables; a run that was killed goes on where it was.

    Writes results.json, tables.md, tables.tex, retrieved.png, spaces.png, curves.png and the models to --out.

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal, emotion, and split or speaker. Emotions
            other and "no agreement" are left out.
        out: Folder for models and results.
        encoders: The packaged ones, or the paper's: WavLM SER and emotion DistilRoBERTa.
        audio_encoder: Another audio encoder: a hub id or a local folder, as in emorank train.
        text_encoder: Another text encoder.
        strict: Train to the letter of the paper: recordings cropped or zero-padded to 10 s, the encoders' outputs as
            they are, Adam at 1e-4 for all rows, 15 epochs, batch 64.
        rows: Only these, by the names of their files in configs/.
        seeds: How many trainings of every row are averaged.
        learning_rates: What every row may choose from on the development speakers.
        epochs: Passes over the utterances.
        batch_size: Utterances in a batch.
        dropout: Share of the encoders' outputs that is blanked while training, the same in all rows.
        jobs: Trainings side by side, one core each; as many as there are cores, up to 8.
    """
    rates = tuple(learning_rates)
    require(seeds >= 1, "--seeds", "at least 1", seeds)
    require(epochs >= 1, "--epochs", "at least 1", epochs)
    require(batch_size >= 2, "--batch-size", "at least 2", batch_size)
    require(0 <= dropout < 1, "--dropout", "a number from 0 to below 1", dropout)
    require(jobs is None or jobs >= 1, "--jobs", "at least 1", jobs)
    good = bool(rates) and all(0 < rate < math.inf for rate in rates) and len(set(rates)) == len(rates)
    require(good, "--learning-rates", "different numbers above 0", " ".join(map(str, rates)))
    require(not out.exists() or out.is_dir(), "--out", "a folder", out)
    if strict and (rates, epochs, batch_size, dropout) != (_RATES, _EPOCHS, _BATCH, _DROPOUT):
        raise EmorankError("--strict fixes learning rate, epochs, batch size and dropout; leave out their options.")
    from emorank.reproduce.rows import ROWS, row_of

    chosen = [row_of(key) for key in dict.fromkeys(rows)] if rows else list(ROWS)
    from emorank.corpora import read_tables

    table = read_tables(data)
    try:
        import matplotlib  # noqa: F401
        import yaml  # noqa: F401

        from emorank.reproduce.inputs import read_inputs
        from emorank.reproduce.protocol import Protocol
        from emorank.reproduce.report import write_report
        from emorank.reproduce.run import reproduce as run
    except ModuleNotFoundError as error:
        raise MissingExtra("emorank reproduce", "reproduce") from error
    from emorank.encoders import PAPER_AUDIO, PAPER_TEXT, SMALL_AUDIO, SMALL_TEXT

    audio, text = (PAPER_AUDIO, PAPER_TEXT) if encoders == "paper" else (SMALL_AUDIO, SMALL_TEXT)
    audio, text = audio_encoder or audio, text_encoder or text
    if strict:
        protocol = Protocol.strict(audio, text, seeds)
    else:
        protocol = Protocol(audio, text, seeds, rates, epochs, batch_size, dropout)
    out.mkdir(parents=True, exist_ok=True)  # where it cannot be, that is said before an hour of listening
    with progress("listening") as bar:
        inputs = read_inputs(table, protocol, chosen, bar)
    name_broken(inputs.broken)
    for why, count in inputs.left_out.items():
        say(f"{count} utterances {why} are left out.")
    if inputs.renamed:
        say(renamed_as(inputs.renamed))
    with progress("training") as bar:

        def trained(done: int, total: int, row: str) -> None:
            bar(done, total, what=f"training {row}")
            if not sys.stderr.isatty():  # a log shall show that it goes on
                say(f"{done} of {total} trainings: {row}")

        results = run(inputs, out, protocol, chosen, jobs or min(os.cpu_count() or 1, 8), trained)
    write_report(results, inputs.table, out, protocol)
    say(f"Tables and plots are in {out}.")
    print((out / "tables.md").read_text("utf8"))
