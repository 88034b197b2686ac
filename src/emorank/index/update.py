"""The index of folders: it follows them, survives kills and full disks, and never hears the same content twice."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emorank.affect import DIMENSIONS
from emorank.audio import Policy
from emorank.errors import AudioError, EmorankError
from emorank.index import guarded, ledger, table
from emorank.index.about import ABOUT_FILE
from emorank.index.documents import LOCK
from emorank.index.failures import reported
from emorank.index.picking import COLLECTIONS
from emorank.index.plan import Indexed, Plan, Update, plan
from emorank.index.rows import Rows, chunks, quoted
from emorank.index.searches import SEARCHES
from emorank.index.segments import Segments
from emorank.index.upgrade import prepared
from emorank.listening.encode import listen
from emorank.listening.recordings import Recording, recordings, within
from emorank.model import EmotionRankCLAP
from emorank.storage import cache_folder, is_temporary, owner_only, private_folder, remove_stale
from emorank.types import Heard, Hearing

LABELS_FILE = "labels.parquet"  # of a named index, beside its tables
LOCK_FILE = ".lock"
_SEARCHED = ("path", "start", "end", "embedding", *DIMENSIONS, "loudness", "channel", "damage", "reason", "changed")
_FILE = ("path", "size", "changed", "digest", "reason")
_COPIED_AT_ONCE = 500  # moved recordings in one transaction


class Index:
    """The searchable segments of recordings, on disk, in LanceDB tables.

    Models on different audio encoders keep their own table in the same folder. A table whose embeddings another model
    on the same encoder made is brought up to this one when it is opened, without listening.

    Args:
        folder: where the index lies; made when it is not there.
        model: gives the embeddings.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`; each policy has its own table.
        readonly: nothing is written, not even where the table is of an older emorank or another model.

    Raises:
        DamagedIndex: what is there is not what was written.
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        model: EmotionRankCLAP,
        channels: Policy = "auto",
        readonly: bool = False,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.model = model
        self.channels = channels
        _require_index(self.folder)
        with reported(self.folder, "read"):
            if not readonly:
                private_folder(self.folder)

            def open_table() -> Any:
                if readonly:
                    return table.opened(self.folder, model, channels)
                with owner_only():
                    return prepared(self.folder, model, channels, lock_of(self.folder))

            self._rows = Rows(self.folder, table.table_name(model, channels), table.schema(model), open_table)

    @classmethod
    def of(cls, root: str | os.PathLike[str], model: EmotionRankCLAP, channels: Policy = "auto") -> "Index":
        """The index of a folder in the user's cache."""
        digest = hashlib.sha256(os.path.abspath(root).encode("utf8", "surrogateescape")).hexdigest()[:16]
        return cls(cache_folder() / "index" / digest, model, channels)

    @property
    def version(self) -> int:
        """Grows with every transaction of any process."""
        with reported(self.folder, "read"):
            return self._rows.refresh()

    def update(self, root: str | os.PathLike[str], progress: Hearing | None = None, prune: bool = False) -> Update:
        """Bring the index up to what a folder (or one recording) holds now.

        Every few minutes of audio are written in one transaction, so a killed update loses only those and the next
        goes on from there. Content that the index knows under another path is copied, not encoded. Recordings that
        cannot be read are kept with their reason, and read again once they change. One update runs at a time,
        another process waits for it.

        Args:
            root: the folder, or the recording.
            progress: called at once, and then every few seconds.
            prune: remove what the index has of a folder that is empty now; without it an unmounted disk loses nothing.

        Raises:
            EmorankError: there is nothing at `root`, or the disk is full.
        """
        top = os.path.abspath(root)
        with reported(self.folder, "written"), owner_only(), lock_of(self.folder):
            remove_stale(self.folder)
            listing = recordings(root)
            indexed = self.recordings()
            todo = plan(top, listing, indexed, prune)
            damaged = self._write(todo, indexed, progress)
            self._rows.delete(todo.remove)
            if todo.hear or todo.copy or todo.remove:
                self._rows.optimize()
            self._rows.note()
            broken = [*listing.broken, *self._broken(top)]
        new = [*todo.hear, *(file for file, _ in todo.copy)]
        skipped = {error.path for error in broken}
        heard = [file for file in new if file.path not in skipped]
        changed = sum(file.path in indexed for file in heard)
        seen = {file.path for file in listing.recordings} - {file.path for file in new}
        return Update(
            added=len(heard) - changed,
            changed=changed,
            moved=len(todo.copy),
            removed=len(todo.remove),
            kept=len(seen - skipped),
            missing=todo.missing,
            broken=tuple(sorted(broken, key=lambda error: error.path)),
            damaged=damaged,
            passed_over=listing.passed_over,
        )

    def segments(self) -> Segments:
        """Everything that can be searched."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            return _segments(self._rows.read(list(_SEARCHED), ["searched", "file"]))

    def recordings(self) -> dict[str, Indexed]:
        """Every recording of the index by its absolute path, also those that cannot be searched."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            return _recordings(self._rows.read(list(_FILE), ["file"]))

    def contents(self) -> tuple[Segments, dict[str, Indexed]]:
        """Both of one version: every segment has its recording, whatever another process writes meanwhile."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            rows = self._rows.read(list(dict.fromkeys((*_SEARCHED, *_FILE))), ["searched", "file"])
            return _segments(rows.select(_SEARCHED)), _recordings(rows.select(_FILE))

    def features(self) -> Iterator[Any]:
        """What the encoder gave, as batches with path, start, channel and feature, of the version that was read last.

        Another model on the same encoder makes its embeddings of them.
        """
        with reported(self.folder, "read"):
            yield from self._rows.batches(["path", "start", "channel", "feature"], "heard")

    def peaks(self, path: str) -> list[bytes | None]:
        """The waveforms of a recording's segments as they are drawn, in the order of their start and channel."""
        with reported(self.folder, "read"):
            self._rows.refresh()
            rows = self._rows.read(
                ["start", "channel", "peaks"], ["drawn"], f"path = {quoted(path)} AND reason IS NULL"
            )
            rows = rows.sort_by([("start", "ascending"), ("channel", "ascending")])
            peaks: list[bytes | None] = rows["peaks"].to_pylist()
            return peaks

    def _write(self, todo: Plan, indexed: dict[str, Indexed], progress: Hearing | None) -> dict[str, str]:
        """New rows of recordings in place of the old ones; gives what is missing of those that were heard."""
        damaged: dict[str, str] = {}
        size = sum(file.size for file in todo.hear)
        course = Heard(0, len(todo.hear) + len(todo.copy), 0, 0.0, 0.0 if size else 1.0)

        def tell(**now: Any) -> None:
            nonlocal course
            course = replace(course, **now)
            if progress:
                progress(course)

        def add(rows: Any, paths: Sequence[str]) -> None:
            self._rows.delete([path for path in paths if path in indexed])
            self._rows.add(rows)
            skipped = len(rows) - rows["reason"].null_count
            tell(done=course.done + len(paths), skipped=course.skipped + skipped)

        tell()
        for some in chunks(todo.copy, _COPIED_AT_ONCE):
            add(self._copied(some), [file.path for file, _ in some])
        # The encoder is loaded only where there is something to encode.
        for batch in self._heard(todo.hear, tell, size) if todo.hear else ():
            paths = batch["path"].to_pylist()
            add(table.rows(batch, self.model), list(dict.fromkeys(paths)))
            damaged |= {path: note for path, note in zip(paths, batch["damage"].to_pylist(), strict=True) if note}
        return damaged

    def _heard(self, files: Sequence[Recording], tell: Callable[..., None], size: int) -> Iterator[Any]:
        def heard(seconds: float, read: float) -> None:
            tell(seconds=seconds, part=min(1.0, read / max(size, 1)))

        return listen(files, self.model.audio_encoder, channels=self.channels, progress=heard)

    def _copied(self, batch: Sequence[tuple[Recording, str]]) -> Any:
        """The rows of known recordings under the paths of files with the same content."""
        import pyarrow as pa

        sources = ", ".join(quoted(source) for source in {source for _, source in batch})
        rows = self._rows.whole(f"path IN ({sources})")
        at: dict[str, list[int]] = {}
        for index, path in enumerate(rows["path"].to_pylist()):
            at.setdefault(path, []).append(index)
        targets = [(file, index) for file, source in batch for index in at[source]]
        taken = rows.take(pa.array([index for _, index in targets]))
        for name in ("path", "size", "changed"):
            values = pa.array([getattr(file, name) for file, _ in targets], taken.schema.field(name).type)
            taken = taken.set_column(taken.schema.get_field_index(name), taken.schema.field(name), values)
        return table.summed(taken, table.schema(self.model))

    def _broken(self, root: str) -> list[AudioError]:
        rows = self._rows.read(["path", "reason"], ["file"], "reason IS NOT NULL")
        pairs = zip(rows["path"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        return [AudioError(path, reason) for path, reason in pairs if within(path, root)]


def _segments(rows: Any) -> Segments:
    import pyarrow.compute as pc

    if rows["reason"].null_count < len(rows):  # some could not be heard
        rows = rows.filter(pc.is_null(rows["reason"]))
    return Segments.of(rows)


def _recordings(rows: Any) -> dict[str, Indexed]:
    columns = (rows[name].to_pylist() for name in _FILE)
    return {path: Indexed(*rest) for path, *rest in zip(*columns, strict=True)}


def lock_of(folder: Path) -> Any:
    """One writer at a time; the lock of a killed process is free."""
    from filelock import FileLock

    return FileLock(folder / LOCK_FILE, mode=0o600)


def _require_index(folder: Path) -> None:
    """That a folder is an index, or that one can be made there."""
    if folder.is_dir():
        names = [path.name for path in folder.iterdir()]
        ours = [name for name in names if name.endswith((table.SUFFIX, ledger.SUFFIX))]
        foreign = [name for name in names if name not in (*ours, LOCK_FILE) and not _is_ours(name)]
        if foreign and not ours:
            raise EmorankError(f"{folder}: no index, and not empty; name another folder for the index.")
    elif folder.exists():
        raise EmorankError(f"{folder}: a file, a folder for the index is needed.")


def _is_ours(name: str) -> bool:
    guards = any(guarded.belongs(name, file) for file in (ABOUT_FILE, LABELS_FILE, COLLECTIONS.file, SEARCHES.file))
    return guards or name == LOCK or is_temporary(name)
