"""emorank reproduce: the paper's two tables for an utterance table."""

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from emorank.cli.console import progress, say
from emorank.errors import EmorankError


def reproduce(
    *,
    data: Annotated[list[Path], Parameter(consume_multiple=True)],
    out: Path,
    encoders: Literal["default", "paper"] = "default",
    audio_encoder: str | None = None,
    text_encoder: str | None = None,
    rows: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    seeds: int = 5,
    learning_rates: Annotated[tuple[float, ...], Parameter(consume_multiple=True)] = (1e-4, 5e-4, 2.5e-3),
    epochs: int = 15,
    batch_size: int = 64,
    dropout: float = 0.0,
    jobs: int | None = None,
) -> None:
    """Train and test all rows of the paper's tables; a run that was killed goes on where it was.

    Writes results.json, tables.md, tables.tex, retrieved.png, spaces.png, curves.png and the models to --out.

    Args:
        data: Utterance tables (.parquet or .csv) with path, valence, arousal, emotion, and split.
        out: Folder for models and results.
        encoders: The packaged ones, or the paper's: WavLM SER and emotion DistilRoBERTa.
        audio_encoder: Another audio encoder: a hub id or a local folder, as in emorank train.
        text_encoder: Another text encoder.
        rows: Only these, by the names of their files in configs/.
        seeds: How many trainings of every row are averaged.
        learning_rates: What every row may choose from on the development speakers.
        epochs: Passes over the utterances.
        batch_size: Utterances in a batch.
        dropout: Share of the encoders' outputs that is blanked while training, the same in all rows.
        jobs: Trainings side by side, one core each; as many as there are cores, up to 8.
    """
    try:
        import matplotlib  # noqa: F401
        import yaml  # noqa: F401

        from emorank.reproduce import ROWS, Protocol
        from emorank.reproduce import reproduce as run
        from emorank.reproduce.report import write_report
        from emorank.reproduce.rows import row_of
    except ModuleNotFoundError as error:
        raise EmorankError("Reproducing needs an extra; run: pip install 'emorank[reproduce]'") from error
    from emorank.corpora import read_tables
    from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT, PAPER_AUDIO, PAPER_TEXT

    if seeds < 1 or not learning_rates:
        raise EmorankError("At least one seed and one learning rate are needed.")
    audio, text = (PAPER_AUDIO, PAPER_TEXT) if encoders == "paper" else (DEFAULT_AUDIO, DEFAULT_TEXT)
    rates = tuple(learning_rates)
    protocol = Protocol(audio_encoder or audio, text_encoder or text, seeds, rates, epochs, batch_size, dropout)
    chosen = [row_of(key) for key in rows] if rows else list(ROWS)
    table = read_tables(data)
    cores = jobs or min(os.cpu_count() or 1, 8)
    with progress("listening") as bar:

        def trained(done: int, total: int, row: str) -> None:
            bar(done, total, f"training {row}")
            if not sys.stderr.isatty():  # a log shall show that it goes on
                say(f"{done} of {total} trainings: {row}")

        results = run(table, out, protocol, chosen, cores, bar, trained)
    write_report(results, table, out, protocol)
    say(f"Tables and plots are in {out}.")
    print((out / "tables.md").read_text("utf8"))
