"""What a file holds, as a short name: how recordings that were moved and weights that changed are recognised.

A digest is of all bytes, the same wherever the file lies. Digests are kept in a small database of the cache and
trusted while size, times and inode of the file are what they were, so that a corpus is not read anew at each start.
"""

import errno
import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from io import FileIO
from itertools import islice

from emorank.databases import is_damaged, made
from emorank.storage import cache_folder

STORE_FILE = "digests.sqlite"

_LENGTH = 16  # bytes; accidental collisions are out of the question
_AT_ONCE = 500  # files between two transactions
_SETTLED = 2 * 10**9  # ns; a file that changed later than that may change again without another time of change
_PATIENCE = 5.0  # seconds that a process waits for another one's transaction

Path = str | os.PathLike[str]
_Row = tuple[str, str]  # the state that a file was in, its digest

_unkept: dict[bytes, _Row] = {}  # what the database could not take, so that this process at least reads it once


def content_digest(path: Path) -> str:
    """The digest of a file, read now.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with open_regular(path) as file:
        return digest_of_file(file)


def digest_of_file(file: FileIO) -> str:
    """The digest of an open file, from its first byte to its last."""
    file.seek(0)
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_LENGTH)).hexdigest()


def open_regular(path: Path) -> FileIO:
    """A regular file, opened for reading; a pipe in its place does not make us wait.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = FileIO(os.fspath(path), opener=lambda name, _: os.open(name, flags))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(None, "it is not a regular file", os.fspath(path))
    return file


def known_digest(path: Path) -> str:
    """The digest of a file, which is read only where it is new or has changed.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    ((_, digest),) = known_digests([path])
    if isinstance(digest, OSError):
        raise digest
    return digest


def known_digests(paths: Iterable[Path]) -> Iterator[tuple[str, str | OSError]]:
    """The digests of many files; those that are new or have changed are read, and kept a few hundred at a time.

    A database that is damaged, locked or cannot be written costs time and nothing else.

    Yields:
        Each path as it was given, in order, with its digest or with the reason why it cannot be read.
    """
    rest = iter(paths)
    while some := list(islice(rest, _AT_ONCE)):
        keys = [os.fsencode(os.path.abspath(path)) for path in some]
        known = _kept(keys)
        new: dict[bytes, _Row] = {}
        try:
            for path, key in zip(some, keys, strict=True):
                yield os.fspath(path), _digest(path, key, known, new)
        finally:
            if new:
                _keep(new)


def _digest(path: Path, key: bytes, known: Mapping[bytes, _Row], new: dict[bytes, _Row]) -> str | OSError:
    """The digest of a file; one that cannot be read is tried once more, as disks fail once."""
    found = _read(path, key, known, new)
    again = isinstance(found, OSError) and found.errno == errno.EIO
    return _read(path, key, known, new) if again else found


def _read(path: Path, key: bytes, known: Mapping[bytes, _Row], new: dict[bytes, _Row]) -> str | OSError:
    """What is known of a file as it is now, or what reading it gives; a file that stands still is put into `new`."""
    try:
        state, digest = known.get(key, ("", ""))
        if _state(os.stat(path)) == state:
            return digest
        with open_regular(path) as file:
            began, before = time.time_ns(), os.fstat(file.fileno())
            digest = digest_of_file(file)
            after = os.fstat(file.fileno())
    except OSError as error:
        return error
    except ValueError as error:  # a NUL in its name
        return OSError(None, str(error), os.fspath(path))
    changed = before.st_ctime_ns if os.name == "posix" else before.st_mtime_ns  # elsewhere ctime is that of creation
    if _state(before) == _state(after) and began - changed > _SETTLED:
        new[key] = (_state(before), digest)
    return digest


def _state(status: os.stat_result) -> str:
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _store() -> sqlite3.Connection:
    connection = sqlite3.connect(made(cache_folder() / STORE_FILE), timeout=_PATIENCE)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE IF NOT EXISTS digests (path BLOB PRIMARY KEY, state TEXT, digest TEXT)")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _kept(keys: Sequence[bytes]) -> dict[bytes, _Row]:
    found: dict[bytes, _Row] = {}
    try:
        with closing(_store()) as connection:
            marks = ",".join("?" * len(keys))
            rows = connection.execute(f"SELECT path, state, digest FROM digests WHERE path IN ({marks})", keys)
            found = {path: (state, digest) for path, state, digest in rows}
    except (OSError, sqlite3.Error) as error:
        _remove_damaged(error)
    return found | {key: _unkept[key] for key in keys if key in _unkept}


def _keep(new: Mapping[bytes, _Row]) -> None:
    try:
        with closing(_store()) as connection, connection:
            rows = ((path, state, digest) for path, (state, digest) in new.items())
            connection.executemany("INSERT OR REPLACE INTO digests VALUES (?, ?, ?)", rows)
    except (OSError, sqlite3.Error) as error:
        _remove_damaged(error)
        _unkept.update(new)


def _remove_damaged(error: Exception) -> None:
    """Without the damaged database the next process makes a new one; all that it holds can be read again."""
    if is_damaged(error):
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                os.unlink(f"{cache_folder() / STORE_FILE}{suffix}")
