"""Corpora: one reader per official folder layout, each giving a table of utterances.

table = read_corpus("ravdess", "RAVDESS/")          # a polars DataFrame, see `schema.COLUMNS`
scan = scan_corpus("ravdess", "RAVDESS/")           # the same with what was left out, and why
"""

import os
from pathlib import Path

import polars as pl

from emorank.corpora import crema_d, emodb, msp_podcast, nemo, ravdess, table
from emorank.corpora.scan import CorpusScan, LeftOut, Reader, finish
from emorank.corpora.table import read_table, read_tables, write_table
from emorank.errors import EmorankError

__all__ = ["CORPORA", "CorpusScan", "LeftOut", "read_corpus", "read_table", "read_tables", "scan_corpus", "write_table"]

_READERS: dict[str, Reader] = {
    "ravdess": ravdess.utterances,
    "emodb": emodb.utterances,
    "nemo": nemo.utterances,
    "msp-podcast": msp_podcast.utterances,
    "crema-d": crema_d.utterances,
    "table": table.utterances,
}

CORPORA = tuple(_READERS)


def scan_corpus(name: str, root: str | os.PathLike[str], durations: bool = True) -> CorpusScan:
    """Read a corpus from its official folder.

    Args:
        name: one of `CORPORA`.
        root: the folder as its authors distribute it; for "table" a CSV or Parquet file.
        durations: read every recording's header for its length; without it `duration` stays empty and recordings
            that cannot be opened are not noticed.

    Returns:
        The table, and what was left out with the reasons.

    Raises:
        EmorankError: the name is unknown, or the folder is not laid out as expected.
    """
    if name not in _READERS:
        raise EmorankError(f"There is no reader for corpus {name!r}; there are: {', '.join(CORPORA)}.")
    if not Path(root).exists():
        raise EmorankError(f"{os.fspath(root)}: there is no such file or folder.")
    rows, left_out = _READERS[name](Path(root).absolute())
    return finish(name, rows, left_out, durations)


def read_corpus(name: str, root: str | os.PathLike[str]) -> pl.DataFrame:
    """The utterance table of a corpus; see `scan_corpus`."""
    return scan_corpus(name, root).table
