"""libsndfile: wav, flac, ogg, opus, mp3, aiff and more, block by block."""

from collections.abc import Iterator

import numpy as np

from emorank.audio.decoder import BLOCK, Block, Decoder, check_header
from emorank.errors import AudioError


def sndfile(name: str) -> Decoder:
    """Open a file that libsndfile knows.

    Raises:
        LibsndfileError: it does not know it.
        AudioError: its header is absurd.
    """
    import soundfile

    # Names in any script: Python opens, and alone closes, the file; libsndfile gets its descriptor.
    opened = open(name, "rb")  # noqa: SIM115
    try:
        file = soundfile.SoundFile(opened.fileno(), closefd=False)
        check_header(name, file.samplerate, file.channels)
    except BaseException:
        opened.close()
        raise

    def close() -> None:
        file.close()
        opened.close()

    exact = file.format in {"WAV", "FLAC", "AIFF", "W64", "RF64", "CAF", "AU"}
    promised = file.frames

    def read(start: float, end: float | None) -> Iterator[Block]:
        first = round(start * file.samplerate)
        last = None if end is None else round(end * file.samplerate)
        at = first
        try:
            if first:
                if first >= promised:
                    return
                file.seek(first)
            step = max(1, min(round(BLOCK * file.samplerate), 50_000_000 // file.channels))
            while last is None or at < last:
                wanted = step if last is None else min(step, last - at)
                data = file.read(
                    min(wanted, max(0, promised - at)) if exact else wanted, dtype="float32", always_2d=True
                )
                if not len(data):
                    break
                at += len(data)
                yield np.ascontiguousarray(data.mean(axis=1))
        except soundfile.LibsndfileError as error:
            raise AudioError(
                name, f"decoding failed at {at / file.samplerate:.1f} s: it is truncated or damaged."
            ) from error
        until = promised if last is None else min(promised, last)
        if exact and at < until:
            raise AudioError(
                name, f"it is truncated: it ends at {at / file.samplerate:.1f} s of {promised / file.samplerate:.1f} s."
            )

    return Decoder(file.samplerate, promised / file.samplerate, read, close)
