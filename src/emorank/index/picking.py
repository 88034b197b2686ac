"""Where the collections of an index are kept: one file beside its tables, written twice, known by its digests."""

from pathlib import Path
from typing import Annotated, Any

import msgspec

from emorank.errors import EmorankError
from emorank.index import guarded
from emorank.index.failures import damaged, reported
from emorank.index.picks import Book, Change

PICKS_FILE = "collections.json"
PICKS_LOCK = ".collections.lock"  # of its own: who labels does not wait for hours of listening
FORMAT = 1


class _File(msgspec.Struct, frozen=True):
    format: Annotated[int, msgspec.Meta(ge=1)]
    collections: Book


class _Format(msgspec.Struct):
    format: int


def read(folder: Path) -> Book:
    """The collections of an index, in the order in which they were made.

    Raises:
        DamagedIndex: the file is not what was written.
        EmorankError: a newer emorank wrote it, or it cannot be read.
    """
    file = folder / PICKS_FILE
    try:
        guarded.check(file)
        return _parsed(folder, file.read_bytes()) if file.exists() else {}
    except OSError as error:
        raise EmorankError(f"{file}: the collections cannot be read ({error.strerror}); see to the disk.") from error


def change(folder: Path, by: Change) -> Book:
    """Change the collections of an index; one process at a time, whole or not at all.

    Args:
        folder: of the index.
        by: the collections as they are -> as they shall be.

    Raises:
        DamagedIndex: the file is not what was written.
        EmorankError: what `by` raises, or the disk fails.
    """
    with reported(folder, "written"), lock_of(folder):
        before = read(folder)
        after = by(before)
        if after != before:
            content = msgspec.json.encode(_File(FORMAT, after))
            guarded.write(folder / PICKS_FILE, lambda file: file.write_bytes(content))
    return after


def lock_of(folder: Path) -> Any:
    """One writer at a time; the lock of a killed process is free."""
    from filelock import FileLock

    return FileLock(folder / PICKS_LOCK, mode=0o600)


def is_sound(file: Path) -> bool:
    """Whether a file holds collections, also of a newer emorank."""
    try:
        content = file.read_bytes()
        if _format(content) <= FORMAT:
            _parsed(file.parent, content)
        return True
    except (EmorankError, msgspec.MsgspecError, UnicodeDecodeError, OSError):
        return False


def _format(content: bytes) -> int:
    return msgspec.json.decode(content, type=_Format).format


def _parsed(folder: Path, content: bytes) -> Book:
    try:
        if _format(content) > FORMAT:
            raise EmorankError(f"{folder}: the collections are of a newer emorank; upgrade this one to use them.")
        return msgspec.json.decode(content, type=_File).collections
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(folder, f"{PICKS_FILE}: {error}") from error
