"""The index of folders: it follows them, survives kills and full disks, and never encodes the same content twice."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.errors import AudioError, EmorankError
from emorank.index import table
from emorank.index.known import Known, by_content, same
from emorank.listening.recordings import Recording, recordings, within
from emorank.model import EmotionRankCLAP
from emorank.storage import cache_folder

ABOUT_FILE, LABELS_FILE = "index.json", "labels.parquet"  # what a named index keeps beside the table
_OURS = {table.DIRECTORY, ".lock", ABOUT_FILE, LABELS_FILE}
_COPIED_AT_ONCE = 500  # moved recordings in one transaction
_VERSIONS_KEPT = timedelta(days=1)

Item = TypeVar("Item")
Progress = Callable[[int, int], None]  # recordings done, recordings to do


@dataclass(frozen=True)
class Update:
    """What an update did, in numbers of recordings.

    Args:
        added: read for the first time.
        changed: read again, because size or time of change differ.
        moved: of the added and changed, those whose content was known and was not encoded again.
        removed: no longer there.
        kept: as they were.
        broken: everything that is in the folder and cannot be searched, with the reason.
    """

    added: int
    changed: int
    moved: int
    removed: int
    kept: int
    broken: tuple[AudioError, ...]


@dataclass(frozen=True)
class Segments:
    """All segments of an index, in memory, in the order of path and start.

    Args:
        paths: absolute paths.
        start: (n,) in seconds.
        end: (n,) in seconds.
        embeddings: (n, embedding_dim) float32, L2-normalised.
        points: (n, 3) valence, arousal, dominance on 1..7.
        loudness: (n,) root mean square in dB of full scale; NaN where an old index did not keep it.
    """

    paths: list[str]
    start: np.ndarray
    end: np.ndarray
    embeddings: np.ndarray
    points: np.ndarray
    loudness: np.ndarray

    def under(self, root: str) -> "Segments":
        """Only those of a folder, or of one recording."""
        chosen = [i for i, path in enumerate(self.paths) if within(path, root)]
        if len(chosen) == len(self.paths):
            return self
        return Segments(
            [self.paths[i] for i in chosen],
            self.start[chosen],
            self.end[chosen],
            self.embeddings[chosen],
            self.points[chosen],
            self.loudness[chosen],
        )


class Index:
    """The searchable segments of recordings, on disk, in a LanceDB table.

    Args:
        folder: where the index lies; made when it is not there.
        model: gives the embeddings. An index made by another model is brought up to this one when it is opened.

    Raises:
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str], model: EmotionRankCLAP) -> None:
        self.folder = Path(folder).absolute()
        self.model = model
        if self.folder.is_dir():
            foreign = [path.name for path in self.folder.iterdir() if path.name not in _OURS]
            if foreign and not (self.folder / table.DIRECTORY).exists():
                raise EmorankError(f"{self.folder}: no index, and not empty; name another folder for the index.")
        elif self.folder.exists():
            raise EmorankError(f"{self.folder}: a file, a folder for the index is needed.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._table = table.opened(self.folder, model, self._lock())
        except EmorankError:
            raise
        except Exception as error:  # LanceDB raises RuntimeError, ValueError, OSError for a damaged table
            raise EmorankError(
                f"{self.folder}: the index cannot be read ({_first_line(error)}); remove the folder to build it anew."
            ) from error

    @classmethod
    def of(cls, root: str | os.PathLike[str], model: EmotionRankCLAP) -> "Index":
        """The index of a folder in the user's cache."""
        digest = hashlib.sha256(os.path.abspath(root).encode("utf8", "surrogateescape")).hexdigest()[:16]
        return cls(cache_folder() / "index" / digest, model)

    @property
    def version(self) -> int:
        """Grows with every transaction of any process."""
        self._table.checkout_latest()
        return int(self._table.version)

    def update(self, root: str | os.PathLike[str], progress: Progress | None = None) -> Update:
        """Bring the index up to what a folder (or one recording) holds now.

        Every few minutes of audio are written in one transaction, so a killed update loses only those and the next
        goes on from there. Content that the index knows under another path is copied, not encoded. Recordings that
        cannot be read are kept with their reason, and read again once they change. One update runs at a time,
        another process waits for it.

        Raises:
            EmorankError: there is nothing at `root`, or the disk is full.
        """
        top = os.path.abspath(root)
        with self._lock():
            found, broken = recordings(root)
            self._table.checkout_latest()
            known = self.recordings()
            there = {file.path for file in found}
            removed = [path for path in known if within(path, top) and path not in there]
            todo = [file for file in found if not same(file, known.get(file.path))]
            moved = 0
            try:
                moved = self._write(todo, known, progress)
                self._delete(removed)
                if todo or removed:
                    self._table.optimize(cleanup_older_than=_VERSIONS_KEPT)
            except (OSError, RuntimeError) as error:
                raise EmorankError(f"{self.folder}: the index cannot be written ({_first_line(error)}).") from error
            broken += self._broken(top)
        changed = sum(file.path in known for file in todo)
        return Update(
            added=len(todo) - changed,
            changed=changed,
            moved=moved,
            removed=len(removed),
            kept=len(found) - len(todo),
            broken=tuple(sorted(broken, key=lambda error: error.path)),
        )

    def segments(self) -> Segments:
        """Everything that can be searched."""
        columns = ["path", "start", "end", "embedding", *DIMENSIONS, "loudness"]
        self._table.checkout_latest()
        rows = self._read(columns, "reason IS NULL")
        rows = rows.sort_by([("path", "ascending"), ("start", "ascending")]).combine_chunks()
        return Segments(
            rows["path"].to_pylist(),
            rows["start"].to_numpy(),
            rows["end"].to_numpy(),
            table.matrix(rows["embedding"]),
            np.stack([rows[name].to_numpy() for name in DIMENSIONS], 1),
            rows["loudness"].to_numpy(zero_copy_only=False),
        )

    def recordings(self) -> dict[str, Known]:
        """Every recording of the index by its absolute path, also those that cannot be searched."""
        rows = self._read(["path", "size", "changed", "digest", "reason"])
        columns = (rows[name].to_pylist() for name in rows.column_names)
        return {path: Known(*rest) for path, *rest in zip(*columns, strict=True)}

    def peaks(self, path: str) -> list[bytes | None]:
        """The waveforms of a recording's segments as they are drawn, in the order of their start."""
        rows = self._read(["start", "peaks"], f"path = {_quoted(path)} AND reason IS NULL")
        return [row["peaks"] for row in sorted(rows.to_pylist(), key=lambda row: row["start"])]

    def _lock(self) -> Any:
        """One writer at a time; the lock of a killed process is free."""
        from filelock import FileLock

        return FileLock(self.folder / ".lock")

    def _write(self, todo: Sequence[Recording], known: dict[str, Known], progress: Progress | None) -> int:
        """New rows of recordings in place of the old ones; how many were copied from rows of the same content."""
        from emorank.listening.encode import encoded

        unknown, copies = by_content(todo, known)
        done = 0
        for batch in _chunks(copies, _COPIED_AT_ONCE):
            rows = self._copied(batch)
            self._delete([file.path for file, _ in batch if file.path in known])
            self._table.add(rows)
            done += len(batch)
            if progress:
                progress(done, len(todo))
        # The encoder is loaded only where there is something to encode.
        for encodings in encoded(unknown, self.model.audio_encoder) if unknown else ():
            paths = list(dict.fromkeys(row.recording.path for row in encodings))
            self._delete([path for path in paths if path in known])
            self._table.add(table.rows(encodings, self.model))
            done += len(paths)
            if progress:
                progress(done, len(todo))
        return len(copies)

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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
