"""All segments of an index, in memory."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.listening.encode import matrix
from emorank.listening.recordings import within


def segment_id(path: str, start: float, channel: int = 0) -> str:
    """A short name of a segment, made of its path, start and channel: it stays over updates."""
    name = f"{path}|{start:.3f}" + (f"|{channel}" if channel else "")
    return hashlib.blake2b(name.encode("utf8", "surrogateescape"), digest_size=8).hexdigest()


def recording_id(path: str) -> str:
    """A short name of a recording, made of its path: it stays over updates."""
    return hashlib.blake2b(path.encode("utf8", "surrogateescape"), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Segments:
    """Segments in the order of path, start and channel.

    Args:
        paths: absolute paths of their recordings.
        start: (n,) in seconds.
        end: (n,) in seconds.
        embeddings: (n, embedding_dim) float32, L2-normalised.
        places: (n, 3) valence, arousal, dominance on 1..7; NaN in a dimension that the model lacks.
        loudness: (n,) root mean square in dB of full scale; NaN where an old index did not keep it.
        channels: (n,) number of the channel that is heard, from 1; 0 where a recording is heard as one.
        damage: path of a recording of which something is missing -> what, in a sentence.
        changed: (n,) time of the last change of the recordings, in nanoseconds since 1970; None where nobody noted it.
        speech: (n,) how long somebody speaks, in seconds; NaN where an old index did not keep it, None where nobody
            looked.
    """

    paths: list[str]
    start: np.ndarray
    end: np.ndarray
    embeddings: np.ndarray
    places: np.ndarray
    loudness: np.ndarray
    channels: np.ndarray
    damage: dict[str, str]
    changed: np.ndarray | None = None
    speech: np.ndarray | None = None

    @classmethod
    def of(cls, rows: Any) -> "Segments":
        """From the columns of an Arrow table that have these names; without a column `embedding` those are empty."""
        order = [(name, "ascending") for name in ("path", "start", "channel")]
        rows = rows.sort_by(order).combine_chunks()
        damaged = zip(rows["path"].to_pylist(), rows["damage"].to_pylist(), strict=True)
        places = [rows[name].to_numpy(zero_copy_only=False) for name in DIMENSIONS]
        return cls(
            rows["path"].to_pylist(),
            rows["start"].to_numpy(),
            rows["end"].to_numpy(),
            matrix(rows["embedding"]) if "embedding" in rows.column_names else np.zeros((len(rows), 0), np.float32),
            np.stack(places, 1).astype(np.float32),
            rows["loudness"].to_numpy(zero_copy_only=False),
            rows["channel"].fill_null(0).to_numpy(),
            {path: damage for path, damage in damaged if damage is not None},
            rows["changed"].to_numpy() if "changed" in rows.column_names else None,
            rows["speech"].to_numpy(zero_copy_only=False) if "speech" in rows.column_names else None,
        )

    def under(self, root: str) -> "Segments":
        """Only those of a folder, or of one recording."""
        chosen = [i for i, path in enumerate(self.paths) if within(path, root)]
        return self if len(chosen) == len(self.paths) else self.take(chosen)

    def take(self, rows: Sequence[int]) -> "Segments":
        """Only some rows."""
        chosen = np.asarray(rows, np.int64)
        return Segments(
            [self.paths[i] for i in chosen],
            self.start[chosen],
            self.end[chosen],
            self.embeddings[chosen],
            self.places[chosen],
            self.loudness[chosen],
            self.channels[chosen],
            self.damage,
            None if self.changed is None else self.changed[chosen],
            None if self.speech is None else self.speech[chosen],
        )

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the model places speech in; all of them where there are no segments."""
        nowhere = [len(column) > 0 and bool(np.isnan(column).all()) for column in self.places.T]
        return tuple(name for name, lacking in zip(DIMENSIONS, nowhere, strict=True) if not lacking)
