"""The index of a folder: every segment with its feature, embedding and place on the plane, in a LanceDB table.

One row a segment; a recording that could not be read is one row with the reason. A row keeps the encoder's output
beside the embedding, so that another model on the same encoder needs no audio.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import AudioError, EmorankError
from emorank.files import cache_folder
from emorank.model import EmotionRankCLAP
from emorank.search.folder import Recording, recordings, within

SCHEMA_VERSION = 1
_TABLE = "segments"

Progress = Callable[[int, int], None]  # recordings done, recordings to do


@dataclass(frozen=True)
class Update:
    """What an update did, in numbers of recordings.

    Args:
        added: read for the first time.
        changed: read again, because size or time of change differ.
        removed: no longer there.
        kept: as they were.
        broken: everything that is in the folder and cannot be searched, with the reason.
    """

    added: int
    changed: int
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
    """

    paths: list[str]
    start: np.ndarray
    end: np.ndarray
    embeddings: np.ndarray
    points: np.ndarray

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
        )


class Index:
    """The searchable segments of recordings, on disk.

    Args:
        folder: where the index lies; made when it is not there.
        model: gives the embeddings. An index made by another model is brought up to this one when it is opened.

    Raises:
        EmorankError: the folder is not an index and not empty, or the index cannot be read.
    """

    def __init__(self, folder: str | os.PathLike[str], model: EmotionRankCLAP) -> None:
        self.folder = Path(folder).absolute()
        self.model = model
        import lancedb

        if self.folder.is_dir():
            foreign = [p.name for p in self.folder.iterdir() if p.name not in {f"{_TABLE}.lance", ".lock"}]
            if foreign and not (self.folder / f"{_TABLE}.lance").exists():
                raise EmorankError(f"{self.folder}: no index, and not empty; name another folder for the index.")
        elif self.folder.exists():
            raise EmorankError(f"{self.folder}: a file, a folder for the index is needed.")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._lock():
                self._table = self._open(lancedb.connect(self.folder))
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

    def _lock(self) -> Any:
        """One writer at a time; the lock of a killed process is free."""
        from filelock import FileLock

        return FileLock(self.folder / ".lock")

    def _open(self, database: Any) -> Any:
        if not (self.folder / f"{_TABLE}.lance").exists():
            return database.create_table(_TABLE, schema=self._schema())
        table = database.open_table(_TABLE)
        about = json.loads((table.schema.metadata or {}).get(b"emorank", b"{}"))
        if about.get("schema") != SCHEMA_VERSION or about.get("encoder") != self.model.config.audio_encoder:
            return database.create_table(_TABLE, schema=self._schema(), mode="overwrite")
        if about.get("model") != self.model.fingerprint:
            rows = table.to_arrow()
            features = _matrix(rows["feature"]).astype(np.float32)
            return database.create_table(_TABLE, self._with_model(rows, features), mode="overwrite")
        return table

    def _schema(self) -> Any:
        import pyarrow as pa

        about = {
            "schema": SCHEMA_VERSION,
            "encoder": self.model.config.audio_encoder,
            "model": self.model.fingerprint,
        }
        return pa.schema(
            [
                pa.field("path", pa.string(), nullable=False),
                pa.field("size", pa.int64(), nullable=False),
                pa.field("changed", pa.int64(), nullable=False),
                pa.field("start", pa.float64(), nullable=False),
                pa.field("end", pa.float64(), nullable=False),
                pa.field("valence", pa.float32(), nullable=False),
                pa.field("arousal", pa.float32(), nullable=False),
                pa.field("dominance", pa.float32(), nullable=False),
                pa.field("feature", pa.list_(pa.float16(), self.model.audio.encoder_dim), nullable=False),
                pa.field("embedding", pa.list_(pa.float32(), self.model.embedding_dim), nullable=False),
                pa.field("reason", pa.string()),
            ],
            metadata={b"emorank": json.dumps(about).encode()},
        )

    def _with_model(self, rows: Any, features: np.ndarray) -> Any:
        """The rows with embedding and point of this model."""
        import pyarrow as pa

        embeddings = self.model.audio(features)
        points = self.model.locate(embeddings)
        columns = {name: rows[name] for name in ("path", "size", "changed", "start", "end", "reason")}
        columns |= {name: pa.array(points[:, i]) for i, name in enumerate(("valence", "arousal", "dominance"))}
        columns["feature"] = _fixed_size_list(features.astype(np.float16))
        columns["embedding"] = _fixed_size_list(embeddings)
        schema = self._schema()
        return pa.table([columns[field.name] for field in schema], schema=schema)

    def update(self, root: str | os.PathLike[str], progress: Progress | None = None) -> Update:
        """Bring the index up to what a folder (or one recording) holds now.

        Every few minutes of audio are written in one transaction, so a killed update loses only those and the next
        goes on from there. Recordings that cannot be read are kept with their reason, and read again once they change.

        Raises:
            EmorankError: there is nothing at `root`, or the disk is full.
        """
        found, broken = recordings(root)
        with self._lock():
            self._table.checkout_latest()
            known = self._known(os.path.abspath(root))
            there = {file.path for file in found}
            removed = [path for path in known if path not in there]
            todo = [
                recording for recording in found if known.get(recording.path) != (recording.size, recording.changed)
            ]
            stale = [file.path for file in todo if file.path in known]
            try:
                self._delete(removed + stale)
                self._add(todo, progress)
            except (OSError, RuntimeError) as error:
                raise EmorankError(f"{self.folder}: the index cannot be written ({_first_line(error)}).") from error
        broken += self._broken(os.path.abspath(root))
        return Update(
            added=len(todo) - len(stale),
            changed=len(stale),
            removed=len(removed),
            kept=len(found) - len(todo),
            broken=tuple(sorted(broken, key=lambda error: error.path)),
        )

    def segments(self) -> Segments:
        """Everything that can be searched."""
        columns = ["path", "start", "end", "embedding", "valence", "arousal", "dominance"]
        rows = self._read(columns, "reason IS NULL")
        rows = rows.sort_by([("path", "ascending"), ("start", "ascending")]).combine_chunks()
        return Segments(
            rows["path"].to_pylist(),
            rows["start"].to_numpy(),
            rows["end"].to_numpy(),
            _matrix(rows["embedding"]),
            np.stack([rows[name].to_numpy() for name in ("valence", "arousal", "dominance")], 1),
        )

    def _read(self, columns: list[str], where: str | None = None) -> Any:
        query = self._table.search().select(columns)
        if where:
            query = query.where(where)
        return query.to_arrow()

    def _known(self, root: str) -> dict[str, tuple[int, int]]:
        rows = self._read(["path", "size", "changed"])
        return {
            path: (size, changed)
            for path, size, changed in zip(*(rows[name].to_pylist() for name in rows.column_names), strict=True)
            if within(path, root)
        }

    def _broken(self, root: str) -> list[AudioError]:
        rows = self._read(["path", "reason"], "reason IS NOT NULL")
        pairs = zip(rows["path"].to_pylist(), rows["reason"].to_pylist(), strict=True)
        return [AudioError(path, reason) for path, reason in pairs if within(path, root)]

    def _delete(self, paths: Sequence[str]) -> None:
        for start in range(0, len(paths), 500):
            quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in paths[start : start + 500])
            self._table.delete(f"path IN ({quoted})")

    def _add(self, todo: Sequence[Recording], progress: Progress | None) -> None:
        from emorank.search.encode import encoded

        if not todo:
            return
        done = 0
        for batch in encoded(todo, self.model.audio_encoder):
            self._table.add(self._rows(batch))
            done += len({row.recording.path for row in batch})
            if progress:
                progress(done, len(todo))
        self._table.optimize()

    def _rows(self, batch: Sequence[Any]) -> Any:
        import pyarrow as pa

        rows = {
            "path": pa.array([row.recording.path for row in batch]),
            "size": pa.array([row.recording.size for row in batch]),
            "changed": pa.array([row.recording.changed for row in batch]),
            "start": pa.array([row.start for row in batch], pa.float64()),
            "end": pa.array([row.end for row in batch], pa.float64()),
            "reason": pa.array([row.reason for row in batch], pa.string()),
        }
        return self._with_model(rows, np.stack([row.feature for row in batch]).astype(np.float16).astype(np.float32))


def _matrix(column: Any) -> np.ndarray:
    """A fixed-size-list column -> (rows, width)."""
    width = column.type.list_size
    flat = column.combine_chunks().flatten() if hasattr(column, "combine_chunks") else column.flatten()
    matrix: np.ndarray = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return matrix


def _fixed_size_list(matrix: np.ndarray) -> Any:
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(matrix).reshape(-1)), matrix.shape[1])


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
