"""What lies in a corpus folder: its recordings, and its metadata tables."""

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from emorank import audio
from emorank.corpora.scan import LeftOut
from emorank.errors import EmorankError


def files(folder: Path) -> list[Path]:
    """All files under a folder without hidden ones, nearest first. Linked folders are followed, each one once.

    Raises:
        EmorankError: a folder that may not be read.
    """
    found: list[str] = []
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        real = os.path.realpath(parent)
        if real in seen:  # a link back up would never end
            folders.clear()
            continue
        seen.add(real)
        found += [os.path.join(parent, name) for name in names if not name.startswith(".")]
    return [Path(name) for name in sorted(found, key=lambda name: (name.count(os.sep), name))]


def is_recording(path: Path) -> bool:
    """Whether the suffix is one of audio; which one does not matter anywhere."""
    return path.suffix.lower() in audio.SUFFIXES


def recordings(paths: Iterable[Path]) -> tuple[dict[str, Path], list[LeftOut]]:
    """Recordings by the name that a corpus knows them under, without suffix; a second copy of one is left out."""
    found: dict[str, Path] = {}
    left_out: list[LeftOut] = []
    for path in filter(is_recording, paths):
        if path.stem in found:
            left_out.append(LeftOut(str(path), "another copy of the same recording is already there"))
        else:
            found[path.stem] = path
    return found, left_out


def stem(name: str) -> str:
    """The name of a recording as metadata gives it, with or without folder and suffix -> its stem."""
    path = Path(name)
    return path.stem if is_recording(path) else path.name


def metadata(
    table: Path, needed: Iterable[str] = (), delimiter: str = ",", quoted: bool = True
) -> Iterator[dict[str, str]]:
    """The lines of a metadata table; names and values without white space around them, what is missing is "".

    Args:
        table: the file, UTF-8.
        needed: columns without which the corpus cannot be read.
        delimiter: between the columns.
        quoted: whether quotation marks enclose values; else they are part of them.

    Raises:
        EmorankError: it cannot be read, or lacks a needed column.
    """
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter, quoting=quoting, restval="")
            header = [name.strip() for name in reader.fieldnames or ()]
            missing = [name for name in needed if name not in header]
            if missing:
                has = ", ".join(header) or "none"
                raise EmorankError(f"{table}: the column {', '.join(missing)} is missing; it has {has}.")
            for line in reader:
                yield {name.strip(): value.strip() for name, value in line.items() if isinstance(name, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise EmorankError(f"{table}: it cannot be read as a UTF-8 table ({error}).") from error


def _refuse(error: OSError) -> None:
    if not isinstance(error, NotADirectoryError):
        raise EmorankError(f"{error.filename}: the folder cannot be read ({error.strerror}).") from error
