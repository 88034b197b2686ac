"""SQLite files: opened for their owner alone, and every failure of theirs as one sentence."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emorank.errors import EmorankError
from emorank.storage import private_file, private_folder

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def made(path: Path) -> Path:
    """A file for a database, and its folder, where they are not there; nobody but their owner may read them."""
    private_folder(path.parent)
    private_file(path)  # SQLite gives the files that it makes beside it the same mode
    return path


def is_damaged(error: BaseException) -> bool:
    """Whether an error says that the file is no sound database; else it is the disk's or another process's."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED or (
        isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    )


@contextmanager
def reported(path: Path, what: str, remedy: str, busy: str = "wait until another process has ended.") -> Iterator[None]:
    """Every failure of a database inside is one sentence.

    Args:
        path: the file.
        what: it is, as in "the feature store".
        remedy: what to do where it is damaged.
        busy: what to do where another process holds it.
    """
    try:
        yield
    except sqlite3.Error as error:
        if is_damaged(error):
            raise EmorankError(f"{path}: {what} is damaged ({error}); {remedy}") from error
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise EmorankError(f"{path}: {what} is in use; {busy}") from error
        raise EmorankError(f"{path}: {what} cannot be used ({error}); {_advice()}") from error
    except OSError as error:
        place = "" if error.errno in (errno.ENOSPC, errno.EDQUOT) else f" {error.filename}" if error.filename else ""
        raise EmorankError(f"{path}: {what} cannot be used ({error.strerror}{place}); {_advice()}") from error


def _advice() -> str:
    return "see to the disk, or set EMORANK_CACHE to a folder that can be written."
