"""The one stage that listens: recordings -> segments -> features, as Arrow batches that end with whole recordings.

It keeps nothing: what it gives depends on the recordings, the encoder and the cut alone. Training and evaluation cut
nothing and keep the features by content (`emorank.listening.store`); the index cuts by voice activity and keeps rows.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from emorank.audio import SAMPLE_RATE, Policy, Reading
from emorank.digest import content_digest
from emorank.encoders import AudioEncoder
from emorank.errors import AudioError
from emorank.listening.ahead import ahead
from emorank.listening.course import Course, Told
from emorank.listening.recordings import Recording
from emorank.listening.segments import NoSpeech, Segment, segments

if TYPE_CHECKING:
    import pyarrow as pa

Cut = Callable[[Reading], Iterator[Segment]]

UNREAD = -1  # the time of change of a recording that the system could not read: it is tried again whenever one looks
PEAKS = 96  # bars of a drawn waveform
_SECONDS_AT_ONCE = 300.0  # of audio in one batch
_RECORDINGS_AT_ONCE = 1000
_AHEAD = 64  # segments that are cut while others are encoded
_QUIETEST = 1e-6  # root mean square; below it loudness is -120 dBFS


def schema(encoder_dim: int) -> "pa.Schema":
    """The columns of a batch: a row is a segment, or a recording that could not be heard and the reason.

    * ``path``, ``size`` in bytes, ``changed`` in nanoseconds (`UNREAD` where the system failed), ``digest`` of the
      content (null where it is unknown);
    * ``channel``: number of the one that is heard, from 1; null where a recording is heard as one;
    * ``start`` and ``end`` in seconds;
    * ``loudness``: root mean square in dB of full scale, and ``peaks``: `PEAKS` bytes, the waveform as it is drawn, the
      loudest 255; both null where there is a reason;
    * ``speech``: how long somebody speaks in it, in seconds; null where there is a reason, or the cut does not say it;
    * ``feature``: (encoder_dim,) float32, zeros where there is a reason;
    * ``damage``: null, or what is missing of the recording, in a sentence;
    * ``reason``: null, or why the recording was left out.
    """
    import pyarrow as pa

    fields: list[pa.Field[Any]] = [
        pa.field("path", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("changed", pa.int64(), nullable=False),
        pa.field("digest", pa.string()),
        pa.field("channel", pa.int16()),
        pa.field("start", pa.float64(), nullable=False),
        pa.field("end", pa.float64(), nullable=False),
        pa.field("loudness", pa.float32()),
        pa.field("peaks", pa.binary(PEAKS)),
        pa.field("speech", pa.float32()),
        pa.field("feature", pa.list_(pa.float32(), encoder_dim), nullable=False),
        pa.field("damage", pa.string()),
        pa.field("reason", pa.string()),
    ]
    return pa.schema(fields)


def moments(reading: Reading) -> Iterator[Segment]:
    """What is said in a recording, cut by voice activity, one channel after the other.

    Raises:
        AudioError: it cannot be read, or no channel holds speech.
    """
    found, silent = False, None
    for channel in reading.channels:
        try:
            for segment in segments(reading.path, reading.blocks(channel)):
                found = True
                yield replace(segment, channel=channel.number)
        except NoSpeech as error:  # another channel may hold some
            silent = error
    if silent is not None and not found:
        raise silent


def listen(
    recordings: Iterable[Recording],
    encoder: AudioEncoder,
    cut: Cut = moments,
    channels: Policy = "auto",
    progress: Told | None = None,
) -> "Iterator[pa.RecordBatch]":
    """Hear recordings, one batch after the other; each recording is in one batch, whole.

    A recording that cannot be read, or that breaks off or changes while it is read, is one row with its reason, and the
    others go on.

    Args:
        recordings: the files; they are looked at again when their turn comes.
        encoder: gives the features.
        cut: a recording -> its segments.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`.
        progress: called every few seconds with the seconds of audio that were heard, and of how many bytes.

    Yields:
        Batches of `schema`; the order of recordings is kept, and that of segments within them.
    """
    course = Course(progress)
    batch = _Batch(encoder, cut, channels, course)
    for recording in recordings:
        batch.add(recording)
        if batch.full:
            yield batch.rows()
            batch = _Batch(encoder, cut, channels, course)
    if batch.recordings:
        yield batch.rows()


class _Batch:
    """Collects recordings until they are worth a transaction; encodes whenever enough audio is held."""

    def __init__(self, encoder: AudioEncoder, cut: Cut, channels: Policy, course: Course) -> None:
        self.recordings = 0
        self._encoder, self._cut, self._channels, self._course = encoder, cut, channels, course
        self._rows: list[dict[str, Any]] = []
        self._waiting: list[tuple[dict[str, Any], np.ndarray]] = []  # rows without their features, and their samples
        self._held = 0.0  # seconds of audio waiting
        self._taken = 0.0  # seconds of audio taken in

    @property
    def full(self) -> bool:
        return self._taken >= _SECONDS_AT_ONCE or self.recordings >= _RECORDINGS_AT_ONCE

    def add(self, recording: Recording) -> None:
        """Hear a recording; one that fails is tried once more, as disks fail once."""
        self.recordings += 1
        if not self._added(recording, last=False):
            self._added(recording, last=True)

    def _added(self, recording: Recording, last: bool) -> bool:
        """Whether the recording was heard; with `last`, its reason is noted where it was not."""
        digest = None
        rows: list[dict[str, Any]] = []  # of this recording
        try:
            # The folder may have been listed hours ago: what counts is the file between here and the end of reading.
            recording = Recording.now(recording.path)
            reading = Reading(recording.path, self._channels)
            pieces = self._cut(reading)
            first = next(pieces)  # says what is wrong with the file before its content is read
            digest = content_digest(recording.path)
            for segment in itertools.chain([first], ahead(pieces, _AHEAD)):
                rows.append(_row(recording, digest, segment))
                self._waiting.append((rows[-1], segment.wave))
                self._held += len(segment.wave) / SAMPLE_RATE
                self._taken += len(segment.wave) / SAMPLE_RATE
                self._course.reached(segment.end, reading.duration, recording.size)
                if self._held >= self._course.at_once:
                    self._encode()
            if Recording.now(recording.path) != recording:
                raise AudioError(recording.path, "it changed while it was read; the next update reads it again.")
            damage = "; ".join(map(str, reading.damage)) or None
            for row in rows:
                row["damage"] = damage
            self._rows += rows
            self._course.finished(reading.duration, recording.size)
            return True
        except AudioError as error:
            if last or isinstance(error, NoSpeech):
                unreadable = isinstance(error.__cause__, OSError) or not _is_readable(recording.path)
                self._leave_out(recording, digest, error.reason, unreadable)
                return True
        except OSError as error:
            if last:
                self._leave_out(recording, digest, f"it cannot be opened ({error.strerror}).", unreadable=True)
                return True
        self._forget(recording)
        return False

    def rows(self) -> "pa.RecordBatch":
        import pyarrow as pa

        self._encode()
        layout = schema(self._encoder.dim)
        features = np.stack([row.pop("feature") for row in self._rows])
        columns = {name: pa.array([row[name] for row in self._rows], layout.field(name).type) for name in self._rows[0]}
        columns["feature"] = fixed_size_list(features)
        return pa.record_batch([columns[name] for name in layout.names], schema=layout)

    def _forget(self, recording: Recording) -> None:
        self._waiting = [waiting for waiting in self._waiting if waiting[0]["path"] != recording.path]

    def _leave_out(self, recording: Recording, digest: str | None, reason: str, unreadable: bool) -> None:
        """A recording that breaks off half way is left out as a whole; one that the system cannot read is not known."""
        self._forget(recording)
        if unreadable:
            recording = replace(recording, changed=UNREAD)
        nothing = Segment(0.0, 0.0, np.zeros(0, np.float32))
        empty = {"loudness": None, "peaks": None, "reason": reason}
        feature = np.zeros(self._encoder.dim, np.float32)
        self._course.left_out(recording.size)
        self._rows.append({**_row(recording, digest, nothing), **empty, "feature": feature})

    def _encode(self) -> None:
        if self._waiting:
            begun = time.perf_counter()
            features = self._encoder([wave for _, wave in self._waiting])
            for (row, _), feature in zip(self._waiting, features, strict=True):
                row["feature"] = feature
            self._course.encoded(self._held, begun)
        self._waiting, self._held = [], 0.0


def fixed_size_list(values: np.ndarray) -> "pa.FixedSizeListArray[Any, Any]":
    """(rows, width) -> a column of Arrow."""
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])


def matrix(column: Any) -> np.ndarray:
    """Such a column -> (rows, width)."""
    width = column.type.list_size
    flat = column.combine_chunks().flatten() if hasattr(column, "combine_chunks") else column.flatten()
    values: np.ndarray = flat.to_numpy(zero_copy_only=False).reshape(-1, width)
    return values


def _is_readable(path: str) -> bool:
    """Whether the disk gives all of a file, whatever is in it."""
    try:
        content_digest(path)
    except (OSError, ValueError):
        return False
    return True


def _row(recording: Recording, digest: str | None, segment: Segment) -> dict[str, Any]:
    wave = segment.wave
    return {
        "path": recording.path,
        "size": recording.size,
        "changed": recording.changed,
        "digest": digest,
        "channel": segment.channel,
        "start": segment.start,
        "end": segment.end,
        "loudness": _loudness(wave) if len(wave) else None,
        "peaks": _peaks(wave) if len(wave) else None,
        "speech": segment.speech,
        "damage": None,
        "reason": None,
    }


def _loudness(wave: np.ndarray) -> float:
    rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
    return float(20 * np.log10(max(rms, _QUIETEST)))


def _peaks(wave: np.ndarray) -> bytes:
    """The loudest sample of each of `PEAKS` equal stretches."""
    edges = np.linspace(0, len(wave), PEAKS + 1).astype(int)[:-1].clip(max=len(wave) - 1)
    peaks = np.maximum.reduceat(np.abs(wave), edges)
    return bytes((peaks * 255 / max(float(peaks.max()), 1e-9)).round().astype(np.uint8))
