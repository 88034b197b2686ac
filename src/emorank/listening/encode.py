"""Recordings -> segments -> features, in batches that end with whole recordings."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from emorank import audio
from emorank.audio import SAMPLE_RATE
from emorank.encoders import AudioEncoder
from emorank.errors import AudioError
from emorank.listening.content import content
from emorank.listening.recordings import Recording
from emorank.listening.segments import Segment, segments

_SECONDS_AT_ONCE = 300.0  # of audio held in memory and encoded together
_RECORDINGS_AT_ONCE = 1000
_QUIETEST = 1e-6  # root mean square; below it loudness is -120 dBFS
PEAKS = 96  # bars of a drawn waveform


@dataclass(frozen=True)
class Encoded:
    """A segment and its feature, or a recording and the reason why it has none.

    Args:
        recording: the file, as it was when it was read.
        digest: of its content; None where it could not be read.
        start: in seconds.
        end: in seconds.
        loudness: root mean square in dB of full scale; None where there is a reason.
        peaks: `PEAKS` bytes, the waveform as it is drawn, the loudest 255; None where there is a reason.
        feature: (encoder_dim,), zeros where there is a reason.
        reason: None, or why the recording cannot be searched.
    """

    recording: Recording
    digest: str | None
    start: float
    end: float
    loudness: float | None
    peaks: bytes | None
    feature: np.ndarray
    reason: str | None = None


def encoded(todo: Iterable[Recording], encoder: AudioEncoder) -> Iterator[list[Encoded]]:
    """Encode recordings one batch after the other; each recording is in one batch, whole."""
    batch = _Batch(encoder)
    for recording in todo:
        batch.add(recording)
        if batch.full:
            yield batch.rows()
            batch = _Batch(encoder)
    if batch.recordings:
        yield batch.rows()


class _Batch:
    """Collects recordings until they are worth a transaction; encodes whenever enough audio is held."""

    def __init__(self, encoder: AudioEncoder) -> None:
        self.recordings = 0
        self._encoder = encoder
        self._done: list[Encoded] = []
        self._waiting: list[tuple[Recording, str, Segment]] = []
        self._held = 0.0  # seconds of audio waiting
        self._taken = 0.0  # seconds of audio taken in

    @property
    def full(self) -> bool:
        return self._taken >= _SECONDS_AT_ONCE or self.recordings >= _RECORDINGS_AT_ONCE

    def add(self, recording: Recording) -> None:
        self.recordings += 1
        digest = None
        try:
            # The folder may have been listed hours ago: what counts is the file between here and the end of reading.
            recording = Recording.now(recording.path)
            pieces = segments(recording.path, audio.blocks(recording.path))
            first = next(pieces)  # says what is wrong with the file before its content is read
            digest = content(recording.path)
            for segment in itertools.chain([first], pieces):
                self._waiting.append((recording, digest, segment))
                self._held += len(segment.wave) / SAMPLE_RATE
                self._taken += len(segment.wave) / SAMPLE_RATE
                if self._held >= _SECONDS_AT_ONCE:
                    self._encode()
            if Recording.now(recording.path) != recording:
                raise AudioError(recording.path, "it changed while it was read; the next update reads it again.")
        except AudioError as error:
            self._leave_out(recording, digest, error.reason)
        except OSError as error:
            self._leave_out(recording, digest, f"it cannot be opened ({error.strerror}).")

    def rows(self) -> list[Encoded]:
        self._encode()
        return self._done

    def _leave_out(self, recording: Recording, digest: str | None, reason: str) -> None:
        """A recording that breaks off half way is left out as a whole."""
        self._waiting = [waiting for waiting in self._waiting if waiting[0] is not recording]
        self._done = [row for row in self._done if row.recording is not recording]
        nothing = np.zeros(self._encoder.dim, np.float32)
        self._done.append(Encoded(recording, digest, 0.0, 0.0, None, None, nothing, reason))

    def _encode(self) -> None:
        if self._waiting:
            vectors = self._encoder([segment.wave for _, _, segment in self._waiting])
            for (recording, digest, segment), vector in zip(self._waiting, vectors, strict=True):
                span = (segment.start, segment.end)
                looks = (_loudness(segment.wave), _peaks(segment.wave))
                self._done.append(Encoded(recording, digest, *span, *looks, vector))
        self._waiting, self._held = [], 0.0


def _loudness(wave: np.ndarray) -> float:
    rms = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
    return float(20 * np.log10(max(rms, _QUIETEST)))


def _peaks(wave: np.ndarray) -> bytes:
    """The loudest sample of each of `PEAKS` equal stretches."""
    edges = np.linspace(0, len(wave), PEAKS + 1).astype(int)[:-1].clip(max=len(wave) - 1)
    peaks = np.maximum.reduceat(np.abs(wave), edges)
    return bytes((peaks * 255 / max(float(peaks.max()), 1e-9)).round().astype(np.uint8))
