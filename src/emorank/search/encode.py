"""Recordings -> segments -> features, in batches that end with whole recordings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.encoders import AudioEncoder
from emorank.errors import AudioError
from emorank.search.folder import Recording
from emorank.search.segments import Segment, segments

_SECONDS_AT_ONCE = 300.0  # of audio held in memory and encoded together
_RECORDINGS_AT_ONCE = 1000


@dataclass(frozen=True)
class Encoded:
    """A segment and its feature, or a recording and the reason why it has none.

    Args:
        recording: the file.
        start: in seconds.
        end: in seconds.
        feature: (encoder_dim,), zeros where there is a reason.
        reason: None, or why the recording cannot be searched.
    """

    recording: Recording
    start: float
    end: float
    feature: np.ndarray
    reason: str | None = None


def encoded(todo: Sequence[Recording], encoder: AudioEncoder) -> Iterator[list[Encoded]]:
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
        self._waiting: list[tuple[Recording, Segment]] = []
        self._held = 0.0  # seconds of audio waiting
        self._taken = 0.0  # seconds of audio taken in

    @property
    def full(self) -> bool:
        return self._taken >= _SECONDS_AT_ONCE or self.recordings >= _RECORDINGS_AT_ONCE

    def add(self, recording: Recording) -> None:
        self.recordings += 1
        try:
            for segment in segments(recording.path):
                self._waiting.append((recording, segment))
                self._held += len(segment.wave) / SAMPLE_RATE
                self._taken += len(segment.wave) / SAMPLE_RATE
                if self._held >= _SECONDS_AT_ONCE:
                    self._encode()
        except AudioError as error:
            # A recording that breaks off half way is left out as a whole.
            self._waiting = [pair for pair in self._waiting if pair[0] is not recording]
            self._done = [row for row in self._done if row.recording is not recording]
            self._done.append(Encoded(recording, 0.0, 0.0, np.zeros(self._encoder.dim, np.float32), error.reason))

    def rows(self) -> list[Encoded]:
        self._encode()
        return self._done

    def _encode(self) -> None:
        if self._waiting:
            vectors = self._encoder([segment.wave for _, segment in self._waiting])
            for (recording, segment), vector in zip(self._waiting, vectors, strict=True):
                self._done.append(Encoded(recording, segment.start, segment.end, vector))
        self._waiting, self._held = [], 0.0
