"""What the server searches: a snapshot of a named index that is renewed when the index has changed."""

import hashlib
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.audio import Policy
from emorank.captions.familiar import described
from emorank.index.about import ABOUT_FILE
from emorank.index.named import NamedIndex
from emorank.index.plan import Indexed
from emorank.index.tables import LABELS_FILE
from emorank.index.under import contents_under
from emorank.model import EmotionRankCLAP
from emorank.search.collection import Collection
from emorank.search.mapped import MappedCollection
from emorank.search.mapped.follow import Progress
from emorank.search.opened import mapped_collection, view_of
from emorank.search.rank import Searched
from emorank.serve.batching import Cores, TextBatcher
from emorank.taking.picked import by_content

#: The content of a recording, a span of it to 10 ms, and the channel: a moment wherever it is indexed.
Moment = tuple[str | None, float, float, int]

DRAWN = 200_000  # segments of which the plane shows every one; of more it shows so many
_MANY = 50  # different values of a text column; more are not listed
_PLANE = ("valence", "arousal")
UNKNOWN = 65535  # stands in the plane for a place that is not known


@dataclass(frozen=True)
class Snapshot:
    """An index at one version.

    Args:
        version: of the index.
        collection: what can be searched.
        recordings: size, time of change and digest of every recording by absolute path.
        model: that gave the embeddings; the dimensions that it does not know are NaN in the collection's places.
        texts: gives the embeddings of descriptions, and hints where they are hardly understood.
        channels: which of a recording's are heard, see `emorank.audio.Reading`.
    """

    version: int
    collection: Searched
    recordings: Mapping[str, Indexed]
    model: EmotionRankCLAP
    texts: TextBatcher
    channels: Policy

    @property
    def dimensions(self) -> tuple[str, ...]:
        """That the model knows."""
        return self.model.config.dimensions

    @property
    def has_plane(self) -> bool:
        """Whether the model knows both valence and arousal."""
        return set(_PLANE) <= set(self.dimensions)

    @cached_property
    def drawn(self) -> np.ndarray | None:
        """Rows of the segments that the plane shows; None where it shows every one."""
        return self.collection.spread(DRAWN) if isinstance(self.collection, MappedCollection) else None

    @cached_property
    def plane(self) -> bytes:
        """Valence and arousal of segments as little-endian uint16 pairs; nothing where the model lacks one.

        Of every segment, by row, or of some where there are more than `DRAWN`.
        """
        if not self.has_plane:
            return b""
        points = self.collection.segments.places[:, [DIMENSIONS.index(name) for name in _PLANE]]
        points = points if self.drawn is None else points[self.drawn]
        scaled = np.round((points - LOWEST) / (HIGHEST - LOWEST) * UNKNOWN).clip(0, UNKNOWN - 1)
        nowhere = np.isnan(points).any(axis=1, keepdims=True)
        return np.where(nowhere, UNKNOWN, np.nan_to_num(scaled)).astype("<u2").tobytes()

    @cached_property
    def plane_etag(self) -> str:
        """Changes with the plane."""
        return f'"{hashlib.blake2b(self.plane, digest_size=16).hexdigest()}"'

    @cached_property
    def by_content(self) -> Mapping[str, Sequence[str]]:
        """The paths of recordings by the digest of what is in them."""
        if isinstance(self.collection, MappedCollection):
            return self.collection.by_content
        return by_content(self.recordings)

    def moment_of(self, row: int) -> Moment:
        """What a moment is in any index."""
        segments = self.collection.segments
        digest, start, end = self.recordings[segments.paths[row]].digest, segments.start[row], segments.end[row]
        return digest, round(float(start), 2), round(float(end), 2), int(segments.channels[row])

    @cached_property
    def moments(self) -> dict[Moment, int]:
        """The row of every moment by what it is in any index; of copies the first."""
        return {self.moment_of(row): row for row in reversed(range(len(self.collection)))}

    @cached_property
    def columns(self) -> list[dict[str, Any]]:
        """What a filter may ask about: name, kind, values of text columns with few of them, range of numbers."""
        import polars as pl

        described = []
        for name in self.collection.column_types:
            column = self.collection.sketch(name)
            number = column.dtype.is_numeric()
            values = low = high = None
            if column.dtype == pl.String and name not in ("path", "file", "date"):
                values = sorted(column.drop_nulls().unique().to_list()) if column.n_unique() <= _MANY else None
            if number:
                finite = column.fill_nan(None) if column.dtype.is_float() else column
                low, high = finite.min(), finite.max()
            kind = "number" if number else "truth" if column.dtype == pl.Boolean else "text"
            kind = "date" if name == "date" else kind
            described.append({"name": name, "kind": kind, "values": values, "low": low, "high": high})
        return described


class ServedIndex:
    """A named index, and the latest snapshot of it.

    Args:
        named: the index.
        name: that it has on the server; None is its own.
        model_name: a model on the encoder of the index, to search it under; None is the index's own.
        cores: shared with what else is served.
        memory: bytes that it may take; what is larger is searched from files, see `emorank.search.opened`; under
            another model it is in memory.
        progress: called with rows done and to do where those files have to be made first.
    """

    def __init__(
        self,
        named: NamedIndex,
        name: str | None = None,
        model_name: str | None = None,
        cores: Cores | None = None,
        memory: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.name = name or named.name
        self._other = model_name
        self._cores = cores or Cores()
        self._memory, self._progress = memory, progress
        self._renewing = threading.Lock()
        self._open(named, EmotionRankCLAP.from_pretrained(model_name) if model_name else named.model)
        self._seen = self._state()
        self.snapshot = self._taken()

    @property
    def _behind(self) -> bool:
        """Whether the snapshot is older than what was seen, or its files are to be made anew."""
        searched = self.snapshot.collection
        return self.snapshot.version < self._seen[1] or (isinstance(searched, MappedCollection) and searched.stale)

    def renew(self) -> bool:
        """Take a new snapshot if the index has changed; searches go on with the old one meanwhile."""
        with self._renewing:
            state = self._state()
            if state == self._seen and not self._behind:
                return False
            if state[0] != self._seen[0]:  # made anew, or told of other folders: what is open of it may be gone
                named = NamedIndex.open(self.named.name)
                same = self._other or named.model.fingerprint == self._model.fingerprint
                self._open(named, self._model if same else named.model)
            self.snapshot = self._taken()
            self._seen = state
            return True

    @property
    def model_name(self) -> str:
        """The model that it is searched under: a packaged name, an absolute folder or a hub id."""
        return self._other or self.named.model_name

    def _open(self, named: NamedIndex, model: EmotionRankCLAP) -> None:
        self.named, self._model = named, model
        described(model, ["ready"])  # loads the encoder now, not for the first who asks
        self._texts = TextBatcher(partial(described, model), self._cores)

    def _taken(self) -> Snapshot:
        index = self.named.reading
        version = index.version
        own = self._model.fingerprint == self.named.model.fingerprint
        if own and (view := view_of(index, self._memory)):
            mapped = mapped_collection(self.named, view, self._progress)
            snapshot = Snapshot(
                mapped.store.manifest.version, mapped, mapped.recordings, self._model, self._texts, self.named.channels
            )
            for name in mapped.label_names:  # made now, not by the first who asks, as everything below
                mapped.recording_column(name)
        else:
            segments, recordings = index.contents() if own else contents_under(index, self._model)
            collection = Collection.of(self.named, segments)
            snapshot = Snapshot(version, collection, recordings, self._model, self._texts, self.named.channels)
            for slow in ("scan", "rows", "recordings", "recording_rows", "columns"):
                getattr(collection, slow)
        return snapshot

    def _state(self) -> tuple[tuple[int, ...], int, float]:
        """Changes whenever the index or its labels do; its first part only when the index is another one."""
        about = (self.named.folder / ABOUT_FILE).stat()
        labels = self.named.folder / LABELS_FILE
        changed = labels.stat().st_mtime if labels.exists() else 0.0
        return (about.st_ino, about.st_mtime_ns, about.st_ctime_ns), self.named.reading.version, changed


def keep_fresh(index: ServedIndex, stop: threading.Event) -> None:
    """Renew an index whenever it changes, until stopped; a slow renewal is followed by a longer rest."""
    rest = 2.0
    last = ""
    while not stop.wait(rest):
        begun = time.monotonic()
        reason = ""
        try:
            index.renew()
        except Exception as error:  # a passing fault of the disk must not end the following of changes
            reason = str(error)
        if reason and reason != last:  # said once, not every two seconds
            print(f"emorank: the index could not be read again ({reason}).", file=sys.stderr)
        last = reason
        rest = max(2.0, 3 * (time.monotonic() - begun))
