"""Corpora: one reader per official folder layout, each giving a table of utterances.

table = read_corpus("ravdess", "RAVDESS/")          # a polars DataFrame, see `schema.COLUMNS`
scan = scan_corpus("ravdess", "RAVDESS/")           # the same with what was left out, and why
"""

import os
from pathlib import Path

import polars as pl

from emorank.corpora import crema_d, emodb, msp_podcast, nemo, ravdess, table
from emorank.corpora.scan import CorpusScan, LeftOut, Reader, finish
from emorank.corpora.storage import read_table, read_tables, write_table
from emorank.errors import EmorankError

__all__ = ["CORPORA", "CorpusScan", "LeftOut", "read_corpus", "read_table", "read_tables", "scan_corpus", "write_table"]

_READERS: dict[str, Reader] = {
    "ravdess": ravdess.READER,
    "emodb": emodb.READER,
    "nemo": nemo.READER,
    "msp-podcast": msp_podcast.READER,
    "crema-d": crema_d.READER,
    "table": table.READER,
}

CORPORA = tuple(_READERS)


def scan_corpus(name: str, root: str | os.PathLike[str], durations: bool = True) -> CorpusScan:
    """Read a corpus from its official folder.

    Args:
        name: one of `CORPORA`.
        root: the folder as its authors distribute it; for "table" a CSV or Parquet file.
        durations: find out how long every recording is, in seconds: from its header where that can be believed,
            else by decoding it. Without it, which is much faster for
            100,000 recordings on a network disk, recordings that cannot be opened are not noticed, and `duration` stays
            as a user's own table has it, otherwise empty.

    Returns:
        The table, and what was left out with the reasons.

    Raises:
        EmorankError: the name is unknown, or the folder is not laid out as expected.
    """
    if name not in _READERS:
        raise EmorankError(f"There is no reader for corpus {name!r}; there are: {', '.join(CORPORA)}.")
    reader = _READERS[name]
    folder = Path(os.path.abspath(root))
    if not folder.exists():
        raise EmorankError(f"{os.fspath(root)}: there is no such file or folder; {reader.layout} expected.")
    found, left_out = reader.utterances(folder)
    if found.is_empty() and name != "table":
        raise EmorankError(f"{os.fspath(root)}: no {reader.title} there; {reader.layout} expected.{_why(left_out)}")
    return finish(name, found, left_out, durations)


def read_corpus(name: str, root: str | os.PathLike[str]) -> pl.DataFrame:
    """The utterance table of a corpus; see `scan_corpus`."""
    return scan_corpus(name, root).table


def _why(left_out: list[LeftOut]) -> str:
    """What else was in the folder, so that the wrong part of a corpus is recognised at once."""
    if not left_out:
        return ""
    return f" All {len(left_out)} that were found were left out, such as {left_out[0].path}: {left_out[0].reason}."
