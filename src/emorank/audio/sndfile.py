"""libsndfile: FLAC, and containers of PCM that only it knows. Asked only for what it gives exactly."""

from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np

from emorank.audio.damage import Damage, Note
from emorank.audio.decoder import NOT_AUDIO, Decoder, Piece, ahead, check_header, skipping, step
from emorank.errors import AudioError

_EXACT = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_TOLERANCE = 0.01  # seconds


class SndFile:
    """A file that libsndfile opens; see `decoder.Decoder`.

    Args:
        name: the path.
        otherwise: makes what reads on where libsndfile gives up.

    Raises:
        AudioError: it does not know it, or its header is absurd.
    """

    def __init__(self, name: str, otherwise: Callable[[], Decoder] | None = None) -> None:
        import soundfile

        self._name, self._otherwise = name, otherwise
        try:
            with open(name, "rb") as opened, soundfile.SoundFile(opened.fileno(), closefd=False) as file:
                self.rate, self.channels, self._count = file.samplerate, file.channels, file.frames
                exact = file.subtype in _EXACT
        except soundfile.LibsndfileError as error:
            raise AudioError(name, NOT_AUDIO) from error
        check_header(name, self.rate, self.channels)
        if not exact:
            raise AudioError(name, NOT_AUDIO)
        self.seconds: float | None = self._count / self.rate

    def read(self, start: int, note: Note) -> Iterator[Piece]:
        """From `start` seconds on; see `decoder.Decoder`."""
        return ahead(self._all(start, note))

    def _all(self, start: int, note: Note) -> Iterator[Piece]:
        import soundfile

        at = start * self.rate
        # Names in any script: Python opens, and alone closes, the file; libsndfile gets its descriptor.
        with open(self._name, "rb") as opened, closing(soundfile.SoundFile(opened.fileno(), closefd=False)) as file:
            try:
                if 0 < at < self._count:
                    file.seek(at)
                while at < self._count:
                    wanted = min(step(self.rate, self.channels), self._count - at)
                    samples = np.empty((wanted, self.channels), np.float32)
                    count = file.buffer_read_into(samples, dtype="float32")  # seeks less than read does
                    if not count:
                        break
                    at += count
                    yield Piece(self.rate, count, samples[:count])
            except soundfile.LibsndfileError:
                if self._otherwise:
                    yield from skipping(self._otherwise().read(0, note), at / self.rate)
                    return
        if self._count - at > _TOLERANCE * self.rate:
            note(Damage("cut", at / self.rate, (self._count - at) / self.rate))
