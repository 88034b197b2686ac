"""Finds what is damaged in an index, and puts right what can be put right without listening.

Small files come back from their copies. Rows whose sums are right stay, also of files that are damaged elsewhere. What
cannot be read, or is not what was written, is taken out with the recordings it belongs to, and the next update hears
those again.
"""

import json
import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from emorank.audio import Policy
from emorank.errors import EmorankError
from emorank.index import ledger, sums
from emorank.index.failures import reported
from emorank.index.table import SUFFIX, about, begun, ledger_of, made_now, table_name
from emorank.model import EmotionRankCLAP
from emorank.storage import owner_only

_ROWS_AT_ONCE = 8192
_HINT = "_versions/latest_version_hint.json"  # LanceDB's; it makes a new one


@dataclass(frozen=True)
class Repair:
    """What a repair found.

    Args:
        damaged: files that were not what was written, from the folder of the index on.
        recordings: whose rows were taken out, by absolute path as far as it is known.
        rows: how many rows were taken out for what they hold.
    """

    damaged: tuple[str, ...] = ()
    recordings: frozenset[str] = frozenset()
    rows: int = 0


def repaired(folder: Path, model: EmotionRankCLAP, channels: Policy, lock: Any) -> Repair:
    """Repair the table of a model's encoder.

    Raises:
        EmorankError: the disk fails.
    """
    name = table_name(model, channels)
    path, book = folder / f"{name}{SUFFIX}", ledger_of(folder, name)
    with reported(folder, "written"), owner_only(), lock:
        bad = _files(path, book)
        table = _opened(folder, name)
        if table is None:
            lost = path.exists() and any(ledger.names(path))
            shutil.rmtree(path, ignore_errors=True)
            book.unlink(missing_ok=True)
            return Repair(tuple([*bad, path.name] if lost and path.name not in bad else bad))
        hint = path / _HINT
        if hint.exists() and not _hints(hint, int(table.version)):
            bad.append(f"{path.name}/{_HINT}")
            hint.unlink()
        recordings, rows = _judged(table)
        if rows or any(f"{path.name}/data/" in file for file in bad):
            _rebuilt(folder, name, table, recordings)
            with suppress(Exception), warnings.catch_warnings():  # what is left over of old versions does no harm
                warnings.simplefilter("ignore")  # others may still read an old version, and will find the new one
                table.checkout_latest()
                table.optimize(cleanup_older_than=timedelta(0), delete_unverified=True)
        book.unlink(missing_ok=True)
        ledger.write(book, path, int(table.version), None)
        return Repair(tuple(bad), frozenset(recordings), rows)


def _files(path: Path, book: Path) -> list[str]:
    """The files that are not what the ledger says, put right from their copies as far as there are some."""
    try:
        noted = ledger.read(book)
    except ledger.DamagedLedger:
        return [book.name]
    if noted is None:
        return []
    manifest = ledger.latest_manifest(noted.files)
    missing = [name for name in noted.copies if not (path / name).exists()]
    found = [*ledger.changed(noted, path, thorough=True), *missing]
    newer = any(name not in noted.files for name in ledger.names(path) if name.startswith("_versions/"))
    bad = []
    for name in found:
        if name in missing and newer:
            continue  # of a version that is no more
        bad.append(f"{path.name}/{name}")
        if not ledger.restored(noted, path, name) and name.startswith(("_versions/", "_transactions/")):
            (path / name).unlink(missing_ok=True)
    if manifest in missing and not newer and f"{path.name}/{manifest}" not in bad:
        bad.append(f"{path.name}/{manifest}")
    return bad


def _opened(folder: Path, name: str) -> Any | None:
    """The table; None where there is none, or nothing can be read of it."""
    import lancedb

    try:
        with reported(folder, "read"):
            if not begun(folder, name):
                return None
            table = lancedb.connect(folder).open_table(name)
            about(table, folder)
            _ids(table)
            return table
    except EmorankError as error:
        if "newer emorank" in str(error) or isinstance(error.__cause__, PermissionError):
            raise
        return None


def _hints(hint: Path, version: int) -> bool:
    try:
        return bool(json.loads(hint.read_bytes())["version"] == version)
    except (ValueError, KeyError, TypeError):
        return False


def _judged(table: Any) -> tuple[set[str], int]:
    """The recordings of which a row is damaged, and how many such rows there are.

    A damaged row may name another recording than its own: rows of one lie together, so its neighbours' are taken too.
    """
    suspected: set[str] = set()
    count, last, pending = 0, None, False
    for rows, good in _read(table):
        if rows is None:
            count += len(good)
            suspected |= {last} if last is not None else set()
            pending = True
            continue
        paths = [value.decode("utf8", "replace") for value in _bytes(rows["path"])]
        for path, right in zip(paths, good, strict=True):
            if pending or not right:
                suspected |= {path} | ({last} if last is not None else set())
            pending = not right
            count += not right
            last = path
    return suspected, count


def _rebuilt(folder: Path, name: str, table: Any, without: set[str]) -> None:
    """A new version of the table with its good rows, in one transaction."""
    import lancedb
    import pyarrow as pa

    def batches() -> Iterator[Any]:
        for rows, good in _read(table):
            if rows is not None:
                paths = [value.decode("utf8", "replace") for value in _bytes(rows["path"])]
                kept = [right and path not in without for path, right in zip(paths, good, strict=True)]
                yield from rows.filter(pa.array(kept, pa.bool_())).cast(layout).to_batches()

    layout = made_now(table.schema)
    reader = pa.RecordBatchReader.from_batches(layout, batches())
    lancedb.connect(folder).create_table(name, data=reader, schema=layout, mode="overwrite")


def _read(table: Any) -> Iterator[tuple[Any, Sequence[bool]]]:
    """All rows, some at a time, each with whether it is what was written; None for rows that cannot be read."""
    ids = _ids(table)
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        yield from _read_some(table, ids[start : start + _ROWS_AT_ONCE])


def _read_some(table: Any, ids: list[int]) -> Iterator[tuple[Any, Sequence[bool]]]:
    import numpy as np

    try:
        with reported(Path(table.name), "read"):
            rows = table.take_row_ids(ids).to_arrow()
            if len(rows) != len(ids):
                raise ValueError("rows are missing")
            rows = rows.select([column for column in rows.column_names if column in table.schema.names])
            good = np.logical_and.reduce([sums.good(rows, group) for group in sums.GROUPS])
    except EmorankError:
        if len(ids) == 1:
            yield None, [False]
            return
        half = len(ids) // 2
        yield from _read_some(table, ids[:half])
        yield from _read_some(table, ids[half:])
        return
    yield rows, good.tolist()


def _ids(table: Any) -> list[int]:
    ids: list[int] = table.search().select(["_rowid"]).to_arrow()["_rowid"].to_pylist()
    return ids


def _bytes(column: Any) -> list[bytes]:
    import pyarrow as pa

    found: list[bytes] = column.cast(pa.binary()).to_pylist()
    return found
