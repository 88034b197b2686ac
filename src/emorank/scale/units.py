"""Units of work: recordings in, rows of an index out. What a process of this machine and an actor of a cluster share.

A unit has no side effects, so it may be heard again wherever and as often as processes and machines are lost.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emorank import objects
from emorank.audio import Policy
from emorank.encoders import audio_fingerprint
from emorank.errors import EmorankError
from emorank.index import table
from emorank.listening.encode import UNREAD, listen, schema
from emorank.listening.recordings import Recording
from emorank.model import EmotionRankCLAP

_MOST = 200  # recordings of a unit
_BYTES = 32_000_000  # of a unit of more than one recording; about five minutes of uncompressed sound
_DOWNLOADS = 8  # at once


@dataclass(frozen=True)
class Unit:
    """Recordings that one process hears at a time.

    Args:
        number: tells the units of a run apart.
        recordings: one or more.
        tries: how often its one recording was begun alone and not ended.
    """

    number: int
    recordings: tuple[Recording, ...]
    tries: int = 0


@dataclass(frozen=True)
class Done:
    """What became of a unit.

    Args:
        number: of the unit.
        rows: of the index, as an Arrow stream, whose columns nothing on the way takes for something else; nothing where
            the unit failed.
        failed: what went wrong with it, for want of memory say.
        mistake: the sentence of a mistake of the user's that no other try can mend.
    """

    number: int
    rows: bytes = b""
    failed: str = ""
    mistake: str = ""


def units(recordings: Iterable[Recording], first: int = 0) -> Iterator[Unit]:
    """Divide recordings into units, in their order, numbered from `first` on."""
    held: list[Recording] = []
    size = 0
    for recording in recordings:
        if held and (len(held) == _MOST or size + recording.size > _BYTES):
            yield Unit(first, tuple(held))
            held, size, first = [], 0, first + 1
        held.append(recording)
        size += recording.size
    if held:
        yield Unit(first, tuple(held))


class Listener:
    """One model in one process; called with a unit, it hears it.

    Args:
        model: its heads are small and come along; the encoder is loaded where this is first called.
        channels: which channels of a recording are heard.
    """

    def __init__(self, model: EmotionRankCLAP, channels: Policy) -> None:
        self._model, self._channels = model, channels
        self._expected = model.encoder_fingerprint
        self._right: bool | None = None  # whether the encoder that is found here is that one

    def __call__(self, unit: Unit) -> Done:
        """Hear a unit; nothing is raised, so that one unit never ends another."""
        try:
            name = self._model.config.audio_encoder
            if self._right is None:
                self._right = audio_fingerprint(name) == self._expected
            if not self._right:
                return Done(unit.number, mistake=f"The weights of {name} differ between machines; install the same.")
            with tempfile.TemporaryDirectory(prefix="emorank-") as folder:
                return Done(unit.number, rows=_stream(self._rows(unit, Path(folder))))
        except EmorankError as error:
            return Done(unit.number, mistake=str(error))
        except Exception as error:
            return Done(unit.number, failed=f"{type(error).__name__}: {error}")

    def _rows(self, unit: Unit, folder: Path) -> Iterator[Any]:
        local, lacking = _fetched(unit.recordings, folder)
        if lacking:
            yield left_out(lacking, self._model)
        names = {copy.path: recording for recording, copy in local if copy != recording}
        for batch in listen([copy for _, copy in local], self._model.audio_encoder, channels=self._channels):
            yield table.rows(_renamed(batch, names) if names else batch, self._model)


def left_out(reasons: Sequence[tuple[Recording, str]], model: EmotionRankCLAP) -> Any:
    """The rows of recordings that could not be heard for a reason outside of them: they are tried again next time."""
    import pyarrow as pa

    dim = model.audio.encoder_dim
    empty = {"start": 0.0, "end": 0.0, "feature": np.zeros(dim, np.float32), "changed": UNREAD}
    rows = [{"path": each.path, "size": each.size, "reason": reason, **empty} for each, reason in reasons]
    return table.rows(pa.RecordBatch.from_pylist(rows, schema(dim)), model)


def rows_of(done: Done) -> Any:
    """The rows of a unit that was heard, as a table of Arrow."""
    import pyarrow as pa

    with pa.ipc.open_stream(done.rows) as reader:
        return reader.read_all()


def _stream(tables: Iterator[Any]) -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    first = next(tables)
    with pa.ipc.new_stream(sink, first.schema) as writer:
        writer.write_table(first)
        for rows in tables:
            writer.write_table(rows)
    return bytes(sink.getvalue().to_pybytes())


def _fetched(
    recordings: Sequence[Recording], folder: Path
) -> tuple[list[tuple[Recording, Recording]], list[tuple[Recording, str]]]:
    """Recordings with files that can be read here, copies of those on object storage; those of which there is none."""
    lacking: list[tuple[Recording, str]] = []

    def fetch(place: tuple[int, Recording]) -> tuple[Recording, Recording] | None:
        number, recording = place
        if not objects.is_remote(recording.path):
            return recording, recording
        file = folder / f"{number}{Path(recording.path).suffix}"
        try:
            objects.fetch(recording.path, file)
        except FileNotFoundError:
            lacking.append((recording, "it is not there any more."))
            return None
        except EmorankError as error:  # may pass, so the unit is tried again
            raise ConnectionError(str(error)) from error
        return recording, Recording.now(str(file))

    with ThreadPoolExecutor(_DOWNLOADS) as pool:
        found = list(pool.map(fetch, enumerate(recordings)))
    return [pair for pair in found if pair], lacking


def _renamed(batch: Any, names: dict[str, Recording]) -> Any:
    """Rows of copies as those of the objects that were copied."""
    import pyarrow as pa

    origins = [names.get(path) for path in batch["path"].to_pylist()]
    before = zip(origins, batch["path"].to_pylist(), batch["changed"].to_pylist(), strict=True)
    after = [
        (origin.path, changed if changed == UNREAD else origin.changed) if origin else (path, changed)
        for origin, path, changed in before
    ]
    for at, name in enumerate(("path", "changed")):
        place = batch.schema.get_field_index(name)
        values = pa.array([row[at] for row in after], batch.schema.field(name).type)
        batch = batch.set_column(place, batch.schema.field(name), values)
    return batch
