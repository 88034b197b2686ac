"""A user's own table as a corpus: a CSV or Parquet file with `path` and any labels."""

import os
from pathlib import Path

import polars as pl

from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import conformed
from emorank.corpora.storage import read_every_row


def _utterances(source: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """All rows but those without a path, without a recording, or of a recording that an earlier row has."""
    table = read_every_row(source)
    left_out: list[LeftOut] = []
    kept: list[bool] = []
    seen: set[str] = set()
    for path in table["path"]:
        reason = _fault(path, seen)
        kept.append(reason is None)
        if reason is not None:
            left_out.append(LeftOut(path or str(source), reason))
    return conformed(table.filter(pl.Series(kept, dtype=pl.Boolean))), left_out


def _fault(path: str | None, seen: set[str]) -> str | None:
    """Why a row is left out; None if it is not. Links to one recording count as the same."""
    if path is None:
        return "its row has no path"
    if not os.path.isfile(path):
        return "there is no such file"
    real = os.path.realpath(path)
    if real in seen:
        return "it is in the table twice"
    seen.add(real)
    return None


READER = Reader("utterance table", "a .csv or .parquet file with a column path was", _utterances)
