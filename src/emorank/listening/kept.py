"""The feature store: one SQLite file, added to in transactions, each row with a checksum."""

import logging
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emorank.databases import is_damaged, made, reported
from emorank.storage import cache_folder
from emorank.types import Array

_KEYS_AT_ONCE = 500  # bound parameters of one query
_TABLE = (
    "CREATE TABLE IF NOT EXISTS features (space TEXT, key TEXT, vector BLOB NOT NULL, sum INTEGER NOT NULL, "
    "PRIMARY KEY (space, key)) WITHOUT ROWID"
)
_ROWS = "SELECT CAST(space AS BLOB), CAST(key AS BLOB), vector, sum FROM features"  # damaged text may be no UTF-8
_REMEDY = "run: emorank index --repair. What is lost is computed again."

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Repaired:
    """What a look through a feature store came to.

    Args:
        kept: features that are what was written.
        damaged: features that were not, and are no longer there.
        structure: None, or what SQLite says is wrong with the file, which was written anew.
    """

    kept: int
    damaged: int
    structure: str | None = None


class FeatureStore:
    """Vectors by space (an encoder's fingerprint, and how its input was cut) and key (a digest, or a description).

    Args:
        folder: where the file lies; None is the user's cache.

    Raises:
        EmorankError: the file cannot be opened as a feature store.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = path_of(folder)
        with self._connected(make=True) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(_TABLE)

    def get(self, space: str, keys: Sequence[str], dim: int) -> dict[str, Array]:
        """The (dim,) vectors that are known among `keys`; a damaged one is not known any more, and said."""
        found: dict[str, Array] = {}
        damaged = 0
        with self._connected() as connection:
            for start in range(0, len(keys), _KEYS_AT_ONCE):
                some = keys[start : start + _KEYS_AT_ONCE]
                query = (
                    f"SELECT key, vector, sum FROM features WHERE space = ? AND key IN ({','.join('?' * len(some))})"
                )
                for key, blob, checksum in connection.execute(query, [space, *some]):
                    if len(blob) == 4 * dim and _is_right(space.encode(), key.encode(), blob, checksum):
                        found[key] = np.frombuffer(blob, np.float32)
                    else:
                        damaged += 1
        if damaged:
            logger.warning("%s: %d features are damaged and are computed again.", self.path, damaged)
        return found

    def put(self, space: str, vectors: Iterable[tuple[str, Array]]) -> None:
        """Keep vectors, in one transaction."""
        rows = []
        for key, vector in vectors:
            blob = np.ascontiguousarray(vector, np.float32).tobytes()
            rows.append((space, key, blob, _sum(space.encode(), key.encode(), blob)))
        with self._connected() as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def _connected(self, make: bool = False) -> Iterator[sqlite3.Connection]:
        with reported(self.path, "the feature store", _REMEDY):
            if make:
                made(self.path)
            with closing(sqlite3.connect(self.path, timeout=60)) as connection:
                yield connection


def path_of(folder: Path | None = None) -> Path:
    """The file of a feature store."""
    return (cache_folder() / "features" if folder is None else folder) / "features.sqlite"


def repaired(folder: Path | None = None) -> Repaired:
    """Look at every feature, and take out what is not what was written; it is computed again when it is needed.

    Raises:
        EmorankError: the disk fails.
    """
    path = path_of(folder)
    if not path.exists():
        return Repaired(0, 0)
    with reported(path, "the feature store", _REMEDY), closing(sqlite3.connect(path, timeout=60)) as connection:
        wrong, kept, damaged = _structure(connection), 0, []
        with suppress(sqlite3.DatabaseError):  # where the structure is damaged
            for space, key, blob, checksum in connection.execute(_ROWS):
                if _is_right(space, key, blob, checksum):
                    kept += 1
                else:
                    damaged.append((space, key))
        if wrong is None:
            with connection:
                same = "CAST(space AS BLOB) IS ? AND CAST(key AS BLOB) IS ?"
                connection.executemany(f"DELETE FROM features WHERE {same}", damaged)
            return Repaired(kept, len(damaged))
    with reported(path, "the feature store", _REMEDY):
        return Repaired(_written_anew(path), len(damaged), wrong)


def _structure(connection: sqlite3.Connection) -> str | None:
    try:
        (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        connection.execute(f"{_ROWS} LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        return str(error)
    return None if found == "ok" else " ".join(str(found).split())


def _written_anew(path: Path) -> int:
    """A new file with the rows that can be read and are right; how many there are."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    made(new)
    with closing(sqlite3.connect(new)) as connection, connection:
        connection.execute(_TABLE)
        for order in ("ASC", "DESC"):  # from both ends up to what cannot be read
            insert = "INSERT OR REPLACE INTO features VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?, ?)"
            connection.executemany(insert, _readable(path, order))
        (kept,) = connection.execute("SELECT COUNT(*) FROM features").fetchone()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.replace(new, path)
    return int(kept)


def _readable(path: Path, order: str) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    try:
        with closing(sqlite3.connect(path, timeout=60)) as connection:
            for space, key, blob, checksum in connection.execute(f"{_ROWS} ORDER BY space {order}, key {order}"):
                if _is_right(space, key, blob, checksum):
                    yield space, key, blob, checksum
    except sqlite3.DatabaseError as error:
        if not is_damaged(error) and "no such table" not in str(error):
            raise


def _sum(space: bytes, key: bytes, blob: bytes) -> int:
    return zlib.crc32(blob, zlib.crc32(b"%b\0%b\0" % (space, key)))


def _is_right(space: object, key: object, blob: object, checksum: object) -> bool:
    """Whether a row is what was written; older emoranks' sums are of the vector alone."""
    if not (isinstance(space, bytes) and isinstance(key, bytes) and isinstance(blob, bytes)):
        return False
    return checksum in (_sum(space, key, blob), zlib.crc32(blob))
