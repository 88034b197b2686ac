"""Puts an index right: small files from their copies, tables by their sums."""

from dataclasses import replace
from pathlib import Path

from emorank.index import documents, guarded
from emorank.index.about import ABOUT_FILE, is_sound
from emorank.index.failures import reported
from emorank.index.named import NamedIndex, folder_of
from emorank.index.picking import COLLECTIONS
from emorank.index.places import require_name
from emorank.index.repair import Repair, repaired
from emorank.index.searches import SEARCHES
from emorank.index.tables import LABELS_FILE, lock_of


def mended(name: str) -> tuple[NamedIndex, Repair]:
    """Find what is damaged in an index, and put right what can be without listening; an update does the rest.

    Raises:
        EmorankError: there is none of this name, or nothing can be read of what it says of itself.
    """
    require_name(name)
    folder = folder_of(name)
    if not folder.is_dir():
        return NamedIndex.open(name), Repair()  # says that there is none
    with reported(folder, "written"), lock_of(folder), documents.lock_of(folder):
        beside = guarded.repair(folder / ABOUT_FILE, is_sound) + guarded.repair(folder / LABELS_FILE, _is_table)
        for kept in (COLLECTIONS, SEARCHES):
            beside += guarded.repair(folder / kept.file, kept.is_sound)
    named = NamedIndex.open(name)
    found = repaired(folder, named.model, named.channels, lock_of(folder))
    return named, replace(found, damaged=(*beside, *found.damaged))


def _is_table(file: Path) -> bool:
    import polars as pl

    try:
        pl.read_parquet(file, glob=False)
    except (pl.exceptions.PolarsError, OSError):
        return False
    return True
