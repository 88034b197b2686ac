"""emorank corpus: an official corpus folder -> an utterance table."""

from pathlib import Path

from emorank.cli.console import say


def corpus(name: str, root: Path, /, *, out: Path) -> None:
    """Turn an official corpus folder into an utterance table.

    Args:
        name: ravdess, emodb, nemo, msp-podcast, crema-d, or table for a CSV or Parquet file of your own.
        root: The folder as its authors distribute it, or the table.
        out: Where the table goes, .parquet or .csv.
    """
    from emorank.corpora import scan_corpus, write_table

    scan = scan_corpus(name, root)
    write_table(scan.table, out)
    say(scan.summary())
    say(f"{len(scan.table)} utterances written to {out}.")
