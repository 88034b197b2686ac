"""What the server searches: a snapshot of a named index that is renewed when the index has changed."""

import sys
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from emorank.affect import HIGHEST, LOWEST
from emorank.index.known import Known
from emorank.index.named import NamedIndex
from emorank.index.update import LABELS_FILE
from emorank.search.collection import Collection

_MANY = 50  # different values of a text column; more are not listed


@dataclass(frozen=True)
class Snapshot:
    """An index at one version.

    Args:
        version: of the index.
        collection: what can be searched.
        recordings: size, time of change and digest of every recording by absolute path.
    """

    version: int
    collection: Collection
    recordings: dict[str, Known]

    @cached_property
    def plane(self) -> bytes:
        """Valence and arousal of every segment as little-endian uint16 pairs."""
        points = self.collection.segments.points[:, :2]
        return np.round((points - LOWEST) / (HIGHEST - LOWEST) * 65535).clip(0, 65535).astype("<u2").tobytes()

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """What a filter may ask about: name, kind, values of text columns with few of them, range of numbers."""
        import polars as pl

        described = []
        for column in self.collection.columns:
            number = column.dtype.is_numeric()
            values = None
            if column.dtype == pl.String and column.name not in ("path", "file"):
                values = sorted(column.drop_nulls().unique().to_list()) if column.n_unique() <= _MANY else None
            kind = "number" if number else "truth" if column.dtype == pl.Boolean else "text"
            low, high = (column.min(), column.max()) if number else (None, None)
            described.append({"name": column.name, "kind": kind, "values": values, "low": low, "high": high})
        return described


class Library:
    """A named index, its model, and the latest snapshot.

    Args:
        named: the index.
    """

    def __init__(self, named: NamedIndex) -> None:
        self.named = named
        self.model = named.model
        self.model.encode_text(["ready"])  # loads the encoder now, not for the first who asks
        self._renewing = threading.Lock()
        self._seen = self._state()
        self.snapshot = self._taken()

    def renew(self) -> bool:
        """Take a new snapshot if the index has changed; searches go on with the old one meanwhile."""
        with self._renewing:
            state = self._state()
            if state == self._seen:
                return False
            self.snapshot = self._taken()
            self._seen = state
            return True

    def _taken(self) -> Snapshot:
        version = self.named.index.version
        collection = Collection.of(self.named)
        snapshot = Snapshot(version, collection, self.named.index.recordings())
        for slow in ("scan", "rows", "recordings", "columns"):  # made now, not by the first who asks
            getattr(collection, slow)
        return snapshot

    def _state(self) -> tuple[int, float]:
        """Changes whenever the index or its labels do."""
        labels = self.named.folder / LABELS_FILE
        return self.named.index.version, labels.stat().st_mtime if labels.exists() else 0.0


def keep_fresh(library: Library, stop: threading.Event) -> None:
    """Renew a library whenever its index changes, until stopped; a slow renewal is followed by a longer rest."""
    rest = 2.0
    while not stop.wait(rest):
        begun = time.monotonic()
        try:
            library.renew()
        except Exception as error:  # a passing fault of the disk must not end the following of changes
            print(f"emorank: the index could not be read again ({error}).", file=sys.stderr)
        rest = max(2.0, 3 * (time.monotonic() - begun))
