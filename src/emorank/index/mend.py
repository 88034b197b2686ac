"""Puts an index right: small files from their copies, tables by their sums."""

from dataclasses import replace

from emorank.index import guarded
from emorank.index.about import ABOUT_FILE
from emorank.index.failures import reported
from emorank.index.named import NamedIndex, folder_of
from emorank.index.repair import Repair, repaired
from emorank.index.update import LABELS_FILE, lock_of


def mended(name: str) -> tuple[NamedIndex, Repair]:
    """Find what is damaged in an index, and put right what can be without listening; an update does the rest.

    Raises:
        EmorankError: there is none of this name, or nothing can be read of what it says of itself.
    """
    folder = folder_of(name)
    if not folder.is_dir():
        return NamedIndex.open(name), Repair()  # says that there is none
    with reported(folder, "written"), lock_of(folder):
        beside = [bad for file in (ABOUT_FILE, LABELS_FILE) for bad in guarded.repair(folder / file)]
    named = NamedIndex.open(name)
    found = repaired(folder, named.model, named.channels, lock_of(folder))
    return named, replace(found, damaged=(*beside, *found.damaged))
