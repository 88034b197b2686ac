"""Which recordings a folder holds."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emorank.audio import SUFFIXES
from emorank.errors import AudioError, EmorankError


@dataclass(frozen=True)
class Recording:
    """A file as it was when the folder was read.

    Args:
        path: absolute path.
        size: in bytes.
        changed: time of the last change, in nanoseconds.
    """

    path: str
    size: int
    changed: int

    @classmethod
    def now(cls, path: str) -> "Recording":
        """The file as it is now.

        Raises:
            OSError: it cannot be looked at.
        """
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Args:
        recordings: in the order of their paths.
        broken: files and folders that cannot even be looked at, each with its reason.
        passed_over: files that are no recordings by their suffix: suffix -> how many.
    """

    recordings: list[Recording]
    broken: list[AudioError]
    passed_over: Counter[str]


def recordings(root: str | os.PathLike[str]) -> Listing:
    """All recordings under a folder (or the one file named), by suffix.

    Links to folders are followed, each folder is entered once, so loops end. Names that begin with a dot are hidden.

    Raises:
        EmorankError: there is nothing at `root`.
    """
    top = os.path.abspath(os.fspath(root))
    if not os.path.exists(top):
        raise EmorankError(f"{os.fspath(root)}: there is no such file or folder.")
    listing = Listing([], [], Counter())
    names = sorted(_walk(top, listing)) if os.path.isdir(top) else [top]
    for name in names:
        try:
            name.encode("utf8")
            listing.recordings.append(Recording.now(name))
        except UnicodeEncodeError:
            shown = os.fsencode(name).decode("utf8", "replace")
            listing.broken.append(AudioError(shown, "its name is not valid UTF-8; rename it."))
        except OSError as error:
            listing.broken.append(AudioError(name, f"it cannot be opened ({error.strerror})."))
    return listing


def within(path: str, root: str) -> bool:
    """Whether an absolute path is `root` or lies under it."""
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _walk(folder: str, listing: Listing) -> Iterator[str]:
    waiting = [folder]
    entered: set[tuple[int, int]] = set()
    while waiting:
        current = waiting.pop()
        try:
            status = os.stat(current)
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            entries = list(os.scandir(current))
        except OSError as error:
            listing.broken.append(AudioError(current, f"the folder cannot be read ({error.strerror})."))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            suffix = Path(entry.name).suffix.lower()
            if _is_folder(entry):
                waiting.append(entry.path)
            elif suffix in SUFFIXES:
                yield entry.path
            else:
                listing.passed_over[suffix] += 1


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle is no folder
        return False
