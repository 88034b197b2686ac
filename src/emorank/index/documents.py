"""What people keep in an index beside its tables: documents of JSON, written twice, known by their digests."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from emorank.errors import EmorankError
from emorank.index import guarded
from emorank.index.failures import damaged, reported

LOCK = ".collections.lock"  # of its own: who labels does not wait for hours of listening
Entry = TypeVar("Entry")


class _Format(msgspec.Struct):
    format: int


def lock_of(folder: Path) -> Any:
    """One writer of documents at a time; the lock of a killed process is free."""
    from filelock import FileLock

    return FileLock(folder / LOCK, mode=0o600)


@dataclass(frozen=True)
class Document(Generic[Entry]):
    """Entries of one kind by their names.

    Args:
        file: its name.
        what: the name of the entries, in the document and to people.
        entry: their type.
        format: of the document; a newer one is refused.
    """

    file: str
    what: str
    entry: type[Entry]
    format: int = 1

    def read(self, folder: Path) -> dict[str, Entry]:
        """The entries, in the order in which they were made.

        Raises:
            DamagedIndex: the document is not what was written.
            EmorankError: a newer emorank wrote it, or it cannot be read.
        """
        file = folder / self.file
        try:
            guarded.check(file)
            return self._parsed(folder, file.read_bytes()) if file.exists() else {}
        except OSError as error:
            raise EmorankError(
                f"{file}: the {self.what} cannot be read ({error.strerror}); see to the disk."
            ) from error

    def change(self, folder: Path, by: Callable[[dict[str, Entry]], dict[str, Entry]]) -> dict[str, Entry]:
        """Change the entries; one process at a time, whole or not at all.

        Args:
            folder: of the index.
            by: the entries as they are -> as they shall be.

        Raises:
            DamagedIndex: the document is not what was written.
            EmorankError: what `by` raises, or the disk fails.
        """
        with reported(folder, "written"), lock_of(folder):
            before = self.read(folder)
            after = by(before)
            if after != before:
                content = msgspec.json.encode({"format": self.format, self.what: after})
                guarded.write(folder / self.file, lambda file: file.write_bytes(content))
        return after

    def is_sound(self, file: Path) -> bool:
        """Whether a file is such a document, also of a newer emorank."""
        try:
            content = file.read_bytes()
            if msgspec.json.decode(content, type=_Format).format <= self.format:
                self._parsed(file.parent, content)
            return True
        except (EmorankError, msgspec.MsgspecError, UnicodeDecodeError, OSError):
            return False

    def _parsed(self, folder: Path, content: bytes) -> dict[str, Entry]:
        try:
            number = msgspec.json.decode(content, type=_Format).format
            if number > self.format:
                raise EmorankError(f"{folder}: the {self.what} are of a newer emorank; upgrade this one to use them.")
            if number < 1:
                raise damaged(folder, f"{self.file}: no format {number}")
            entries = msgspec.json.decode(content, type=dict[str, msgspec.Raw]).get(self.what)
            if entries is None:
                raise damaged(folder, f"{self.file}: no {self.what}")
            return msgspec.json.decode(entries, type=dict[str, self.entry])  # type: ignore[name-defined]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise damaged(folder, f"{self.file}: {error}") from error
