"""What the files of a table are: a digest of each, and copies of the small ones that all others hang on.

LanceDB's files are made once and never changed, and have no checksums. After a transaction the ledger notes those
that came. A reader looks whether they are still what they were; a file is read for that only if it was touched. Files
that are not noted, as after a kill between a transaction and the ledger, are taken as they are: rows have sums as well.
"""

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from emorank.digest import content_digest, known_digest
from emorank.storage import sync, written_whole

SUFFIX = ".ledger"
_KINDS = (".lance", ".manifest", ".txn", ".arrow", ".bin")
_SMALL = 4_000_000  # bytes of a file that is copied
_NEEDED = ("data/", "_deletions/")  # what a search reads, beside the latest manifest


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A file.

    Args:
        size: in bytes.
        state: its times and inode when it was noted.
        digest: of its content.
    """

    size: int
    state: str
    digest: str


class Ledger(msgspec.Struct, frozen=True):
    """The files of a table at a version.

    Args:
        version: of the table.
        files: name within the folder of the table -> what it is.
        copies: the latest manifest and what was deleted, whole, as base64.
    """

    version: int
    files: dict[str, Entry]
    copies: dict[str, str]


class DamagedLedger(Exception):
    """The ledger is not what was written."""


def read(path: Path) -> Ledger | None:
    """A ledger from its file; None where there is none, as in an index of an older emorank.

    Raises:
        DamagedLedger: it is not what was written.
        OSError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, _, text = content.partition(b"\n")
    if digest != _digest(text):
        raise DamagedLedger(path.name)
    try:
        return msgspec.json.decode(text, type=Ledger)
    except msgspec.MsgspecError as error:
        raise DamagedLedger(path.name) from error


def write(path: Path, table: Path, version: int, before: Ledger | None) -> Ledger:
    """Note the files of a table; those that were noted before stay as they were noted."""
    known = before.files if before else {}
    files: dict[str, Entry] = {}
    for name in names(table):
        try:
            files[name] = known.get(name) or _entry(table / name)
        except FileNotFoundError:  # a reader of LanceDB's cleaned up
            continue
    for folder in {table / os.path.dirname(name) for name in files if name not in known}:
        sync(folder)
    manifest = latest_manifest(files)
    small = [name for name in files if name == manifest or name.startswith("_deletions/")]
    copies = before.copies if before else {}
    copies = {name: copies.get(name) or _copy(table / name) for name in small if files[name].size <= _SMALL}
    ledger = Ledger(version, files, copies)
    text = msgspec.json.encode(ledger)
    with written_whole(path, private=True) as temporary:
        temporary.write_bytes(_digest(text) + b"\n" + text)
    return ledger


def names(table: Path) -> Iterator[str]:
    """The files of a table that never change, in order."""
    for folder, folders, files in os.walk(table):
        folders.sort()
        for file in sorted(files):
            if file.endswith(_KINDS):
                yield os.path.relpath(os.path.join(folder, file), table).replace(os.sep, "/")


def changed(ledger: Ledger, table: Path, thorough: bool = False) -> list[str]:
    """The files that are not what was noted.

    A file that is not there is none of them: LanceDB removes those that it needs no more.

    Args:
        ledger: what was noted.
        table: the folder.
        thorough: read every file; else only those that were touched since, and that a search needs.
    """
    manifest = latest_manifest(ledger.files)
    found = []
    for name, entry in ledger.files.items():
        if not thorough and not name.startswith(_NEEDED) and name != manifest:
            continue
        with suppress(FileNotFoundError):
            status = os.stat(table / name)
            if status.st_size != entry.size:
                found.append(name)
            elif thorough or _state(status) != entry.state:
                digest = content_digest(table / name) if thorough else known_digest(table / name)
                found += [name] if digest != entry.digest else []
    return found


def restored(ledger: Ledger, table: Path, name: str) -> bool:
    """Put the copy of a file in its place; whether there is a good one."""
    if name not in ledger.copies:
        return False
    content = base64.b64decode(ledger.copies[name])
    if _digest(content).decode() != ledger.files[name].digest:
        return False
    (table / name).parent.mkdir(parents=True, exist_ok=True)
    with written_whole(table / name, private=True) as temporary:
        temporary.write_bytes(content)
    return True


def latest_manifest(files: "dict[str, Entry]") -> str | None:
    """The manifest of the newest version that is noted; newer tables count their names downwards."""
    numbers = {int(name[10:-9]): name for name in files if name.startswith("_versions/") and name[10:-9].isdigit()}
    if not numbers:
        return None
    down = {number: name for number, name in numbers.items() if number >= 1 << 63}
    return down[min(down)] if down else numbers[max(numbers)]


def _entry(file: Path) -> Entry:
    """What a new file is; it is on disk from now on, which LanceDB does not see to."""
    sync(file)
    status = os.stat(file)
    return Entry(status.st_size, _state(status), content_digest(file))


def _copy(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _state(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()
