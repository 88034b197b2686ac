"""Which recordings a folder holds."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from emorank import objects
from emorank.audio import SUFFIXES
from emorank.errors import AudioError, EmorankError


@dataclass(frozen=True)
class Recording:
    """A file as it was when the folder was read.

    Args:
        path: absolute path, or address on object storage.
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
        if objects.is_remote(path):
            return cls(path, *objects.now(path))
        status = os.stat(path)
        return cls(path, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Args:
        recordings: in the order of their paths.
        broken: files and folders that cannot even be looked at, each with its reason.
        passed_over: files that are no recordings by their suffix: suffix -> how many.
        uncertain: folders without anything in them, as a place is where no disk is mounted, and links that lead
            nowhere: what once lay in them need not be gone.
    """

    recordings: list[Recording]
    broken: list[AudioError]
    passed_over: Counter[str]
    uncertain: list[str] = field(default_factory=list)


def recordings(root: str | os.PathLike[str]) -> Listing:
    """All recordings under a folder (or the one file named), by suffix.

    Links to folders are followed, each folder is entered once, so loops end. Names that begin with a dot are hidden.

    Raises:
        EmorankError: there is nothing at `root`, or it cannot be looked at.
    """
    if objects.is_remote(root):
        return _on_storage(str(root))
    top = os.path.abspath(os.fspath(root))
    try:
        os.stat(top)
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise EmorankError(f"{os.fspath(root)}: there is no such file or folder.") from error
    except OSError as error:
        raise EmorankError(f"{os.fspath(root)}: it cannot be looked at ({error.strerror}).") from error
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


def _on_storage(place: str) -> Listing:
    """The same of a prefix of object storage, or of the one recording named; names that begin with a dot are hidden."""
    listing = Listing([], [], Counter())
    suffix = PurePosixPath(place).suffix.lower()
    if suffix in SUFFIXES:
        with suppress(FileNotFoundError):
            listing.recordings.append(Recording.now(place))
            return listing
    for path, size, changed in objects.listed(place):
        name = PurePosixPath(path)
        if any(part.startswith(".") for part in PurePosixPath(path[len(place) :]).parts):
            continue
        if name.suffix.lower() in SUFFIXES:
            listing.recordings.append(Recording(path, size, changed))
        elif not path.endswith("/"):  # what some programs make of a folder
            listing.passed_over[name.suffix.lower()] += 1
    listing.recordings.sort(key=lambda recording: recording.path)
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
        if not entries:
            listing.uncertain.append(current)
        for entry in entries:
            if entry.name.startswith("."):
                continue
            suffix = Path(entry.name).suffix.lower()
            enter = _is_folder(entry)
            if enter:
                waiting.append(entry.path)
            elif suffix in SUFFIXES:
                yield entry.path
            elif enter is None:
                listing.uncertain.append(entry.path)
            else:
                listing.passed_over[suffix] += 1


def _is_folder(entry: os.DirEntry[str]) -> bool | None:
    """Whether it is one; None where that cannot be seen, and of a link that leads nowhere or in a circle."""
    try:
        return entry.is_dir() or (None if entry.is_symlink() and not os.path.exists(entry.path) else False)
    except OSError:
        return None
