"""The index of folders: it follows them, survives kills and full disks, and never hears the same content twice."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.errors import AudioError, EmorankError
from emorank.index import table
from emorank.index.plan import Indexed, Plan, Update, plan
from emorank.index.segments import Segments
from emorank.listening.encode import listen
from emorank.listening.recordings import Recording, recordings, within
from emorank.model import EmotionRankCLAP
from emorank.storage import cache_folder
from emorank.types import Progress

ABOUT_FILE, LABELS_FILE = "index.json", "labels.parquet"  # what a named index keeps beside the tables
_COPIED_AT_ONCE = 500  # moved recordings in one transaction
_VERSIONS_KEPT = timedelta(days=1)

Item = TypeVar("Item")


class Index:
    """The searchable segments of recordings, on disk, in LanceDB tables.

    Models on different audio encoders keep their own table in the same folder. A table whose embeddings another model
    on the same encoder made is brought up to this one when it is opened, without listening.

    Args:
        folder: where the index lies; made when it is not there.
        model: gives the embeddings.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`; each policy has its own table.

    Raises:
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str], model: EmotionRankCLAP, channels: Policy = "auto") -> None:
        self.folder = Path(folder).absolute()
        self.model = model
        self.channels = channels
        if self.folder.is_dir():
            names = [path.name for path in self.folder.iterdir()]
            foreign = [name for name in names if name not in (".lock", ABOUT_FILE, LABELS_FILE)]
            if foreign and not any(name.endswith(table.SUFFIX) for name in names):
                raise EmorankError(f"{self.folder}: no index, and not empty; name another folder for the index.")
        elif self.folder.exists():
            raise EmorankError(f"{self.folder}: a file, a folder for the index is needed.")
        with self._reported("read"):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._table = table.opened(self.folder, model, channels, self._lock())

    @classmethod
    def of(cls, root: str | os.PathLike[str], model: EmotionRankCLAP, channels: Policy = "auto") -> "Index":
        """The index of a folder in the user's cache."""
        digest = hashlib.sha256(os.path.abspath(root).encode("utf8", "surrogateescape")).hexdigest()[:16]
        return cls(cache_folder() / "index" / digest, model, channels)

    @property
    def version(self) -> int:
        """Grows with every transaction of any process."""
        with self._reported("read"):
            self._table.checkout_latest()
            return int(self._table.version)

    def update(self, root: str | os.PathLike[str], progress: Progress | None = None, prune: bool = False) -> Update:
        """Bring the index up to what a folder (or one recording) holds now.

        Every few minutes of audio are written in one transaction, so a killed update loses only those and the next
        goes on from there. Content that the index knows under another path is copied, not encoded. Recordings that
        cannot be read are kept with their reason, and read again once they change. One update runs at a time,
        another process waits for it.

        Args:
            root: the folder, or the recording.
            progress: called with recordings done and to do.
            prune: remove what the index has of a folder that is empty now; without it an unmounted disk loses nothing.

        Raises:
            EmorankError: there is nothing at `root`, or the disk is full.
        """
        top = os.path.abspath(root)
        with self._reported("written"), self._lock():
            listing = recordings(root)
            self._table.checkout_latest()
            indexed = self.recordings()
            todo = plan(top, listing, indexed, prune)
            damaged = self._write(todo, indexed, progress)
            self._delete(todo.remove)
            if todo.hear or todo.copy or todo.remove:
                self._table.optimize(cleanup_older_than=_VERSIONS_KEPT)
            broken = [*listing.broken, *self._broken(top)]
        new = [*todo.hear, *(file for file, _ in todo.copy)]
        changed = sum(file.path in indexed for file in new)
        return Update(
            added=len(new) - changed,
            changed=changed,
            moved=len(todo.copy),
            removed=len(todo.remove),
            kept=todo.keep,
            missing=todo.missing,
            broken=tuple(sorted(broken, key=lambda error: error.path)),
            damaged=damaged,
            passed_over=listing.passed_over,
        )

    def segments(self) -> Segments:
        """Everything that can be searched."""
        with self._reported("read"):
            self._table.checkout_latest()
            columns = ["path", "start", "end", "embedding", *DIMENSIONS, "loudness", "channel", "damage"]
            return Segments.of(self._read(columns, "reason IS NULL"))

    def recordings(self) -> dict[str, Indexed]:
        """Every recording of the index by its absolute path, also those that cannot be searched."""
        with self._reported("read"):
            rows = self._read(["path", "size", "changed", "digest", "reason"])
            columns = (rows[name].to_pylist() for name in rows.column_names)
            return {path: Indexed(*rest) for path, *rest in zip(*columns, strict=True)}

    def peaks(self, path: str) -> list[bytes | None]:
        """The waveforms of a recording's segments as they are drawn, in the order of their start and channel."""
        with self._reported("read"):
            rows = self._read(["start", "channel", "peaks"], f"path = {_quoted(path)} AND reason IS NULL")
            rows = rows.sort_by([("start", "ascending"), ("channel", "ascending")])
            peaks: list[bytes | None] = rows["peaks"].to_pylist()
            return peaks

    def _lock(self) -> Any:
        """One writer at a time; the lock of a killed process is free."""
        from filelock import FileLock

        return FileLock(self.folder / ".lock")

    @contextmanager
    def _reported(self, done: str) -> Iterator[None]:
        """Every failure of the table or the disk is one sentence."""
        try:
            yield
        except EmorankError:
            raise
        except (OSError, RuntimeError, ValueError) as error:  # LanceDB raises each of them for a damaged table
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            advice = (
                "see to the disk"
                if isinstance(error, OSError) or done == "written"
                else "remove the folder to build it anew"
            )
            raise EmorankError(f"{self.folder}: the index cannot be {done} ({reason}); {advice}.") from error

    def _write(self, todo: Plan, indexed: dict[str, Indexed], progress: Progress | None) -> dict[str, str]:
        """New rows of recordings in place of the old ones; gives what is missing of those that were heard."""
        damaged: dict[str, str] = {}
        done, total = 0, len(todo.hear) + len(todo.copy)

        def add(rows: Any, paths: Sequence[str]) -> None:
            nonlocal done
            self._delete([path for path in paths if path in indexed])
            self._table.add(rows)
            done += len(paths)
            if progress:
                progress(done, total)

        for some in _chunks(todo.copy, _COPIED_AT_ONCE):
            add(self._copied(some), [file.path for file, _ in some])
        # The encoder is loaded only where there is something to encode.
        for batch in self._heard(todo.hear) if todo.hear else ():
            paths = batch["path"].to_pylist()
            add(table.rows(batch, self.model), list(dict.fromkeys(paths)))
            damaged |= {path: note for path, note in zip(paths, batch["damage"].to_pylist(), strict=True) if note}
        return damaged

    def _heard(self, files: Sequence[Recording]) -> Iterator[Any]:
        return listen(files, self.model.audio_encoder, channels=self.channels)

    def _copied(self, batch: Sequence[tuple[Recording, str]]) -> Any:
        """The rows of known recordings under the paths of files with the same content."""
        import pyarrow as pa

        sources = ", ".join(_quoted(source) for source in {source for _, source in batch})
        rows = self._table.search().where(f"path IN ({sources})").to_arrow()
        at: dict[str, list[int]] = {}
        for index, path in enumerate(rows["path"].to_pylist()):
            at.setdefault(path, []).append(index)
        targets = [(file, index) for file, source in batch for index in at[source]]
        taken = rows.take(pa.array([index for _, index in targets]))
        for name in ("path", "size", "changed"):
            values = pa.array([getattr(file, name) for file, _ in targets], taken.schema.field(name).type)
            taken = taken.set_column(taken.schema.get_field_index(name), taken.schema.field(name), values)
        return taken

    def _read(self, columns: list[str], where: str | None = None) -> Any:
        query = self._table.search().select(columns)
        return (query.where(where) if where else query).to_arrow()

    def _broken(self, root: str) -> list[AudioError]:
        rows = self._read(["path", "reason"], "reason IS NOT NULL")
        pairs = zip(rows["path"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        return [AudioError(path, reason) for path, reason in pairs if within(path, root)]

    def _delete(self, paths: Sequence[str]) -> None:
        for chunk in _chunks(paths, 500):
            self._table.delete(f"path IN ({', '.join(map(_quoted, chunk))})")


def _chunks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
