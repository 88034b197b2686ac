"""Any recording -> mono float32 at 16 kHz. The only code that decodes or resamples.

libsndfile reads wav, flac, ogg, opus, mp3, aiff and more; the `media` extra (PyAV) adds m4a, mp4, webm and the like.
Everything is read in blocks, so a long recording is never held whole unless `load` is asked for the whole of it,
and a header that promises ten hours costs nothing before the samples are there.
"""

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from emorank.audio.check import check_file
from emorank.audio.decoder import Block, Decoder
from emorank.audio.formats import MEDIA_SUFFIXES, SNDFILE_SUFFIXES, SUFFIXES
from emorank.errors import AudioError

__all__ = ["MEDIA_SUFFIXES", "SAMPLE_RATE", "SNDFILE_SUFFIXES", "SUFFIXES", "blocks", "duration", "load"]

SAMPLE_RATE = 16_000  # Hz, of everything that leaves this module


def load(path: str | os.PathLike[str], start: float = 0.0, end: float | None = None) -> Block:
    """Decode a recording, or a span of it.

    Args:
        path: the file.
        start: where the span begins, in seconds.
        end: where it ends, in seconds; None is the end of the recording.

    Returns:
        (samples,) mono float32 at 16 kHz.

    Raises:
        AudioError: the file cannot be read as audio; the message says why.
    """
    pieces = list(blocks(path, start, end))
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def blocks(path: str | os.PathLike[str], start: float = 0.0, end: float | None = None) -> Iterator[Block]:
    """The same as `load`, in pieces of about 30 s that follow each other without a gap.

    Yields:
        (samples,) mono float32 at 16 kHz; at least one piece that is not empty.

    Raises:
        AudioError: at the first piece that cannot be read; the pieces before it were good.
    """
    name = os.fspath(path)
    if not 0 <= start < (float("inf") if end is None else end):
        raise AudioError(name, f"the span {start} s to {end} s is empty or negative.")
    check_file(name)
    rate, native = _open(name, start, end)
    produced = 0
    for block in _resampled(native, rate):
        if not np.isfinite(block).all():
            raise AudioError(name, "it contains NaN or infinite samples; export it again from its source.")
        produced += len(block)
        yield block
    if not produced:
        raise AudioError(name, "it holds no samples" + ("." if start == 0 else f" after {start:g} s."))


def duration(path: str | os.PathLike[str]) -> float:
    """Length in seconds as the header tells it, without decoding.

    Raises:
        AudioError: the file cannot be read as audio.
    """
    name = os.fspath(path)
    check_file(name)
    with closing(_decoder(name)) as decoder:
        return decoder.duration


def _resampled(native: Iterator[Block], rate: int) -> Iterator[Block]:
    """Mono blocks at `rate` Hz -> mono blocks at 16 kHz, as if resampled in one piece."""
    if rate == SAMPLE_RATE:
        yield from (block for block in native if len(block))
        return
    import soxr

    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in native:
        out = stream.resample_chunk(block)
        if len(out):
            yield out
    out = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    if len(out):
        yield out


def _open(name: str, start: float, end: float | None) -> tuple[int, Iterator[Block]]:
    decoder = _decoder(name)

    def read() -> Iterator[Block]:
        with closing(decoder):
            yield from decoder.read(start, end)

    return decoder.rate, read()


def _decoder(name: str) -> Decoder:
    """By content first; containers that libsndfile does not know go to PyAV."""
    import soundfile

    from emorank.audio.media import media
    from emorank.audio.sndfile import sndfile

    container = Path(name).suffix.lower() in MEDIA_SUFFIXES
    try:
        return sndfile(name)
    except soundfile.LibsndfileError as error:
        try:
            import av  # noqa: F401
        except ImportError:
            if container:
                suffix = Path(name).suffix.lower().lstrip(".")
                raise AudioError(
                    name, f"{suffix} files need the media extra; run: pip install 'emorank[media]'"
                ) from error
            raise AudioError(name, "it is not audio, or damaged beyond decoding.") from error
    return media(name)
