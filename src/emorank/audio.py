"""Any recording -> mono float32 at 16 kHz. The only code that decodes or resamples.

libsndfile reads wav, flac, ogg, opus, mp3, aiff and more; the `media` extra (PyAV) adds m4a, mp4, webm and the like.
Everything is read in blocks, so a long recording is never held whole unless `load` is asked for the whole of it,
and a header that promises ten hours costs nothing before the samples are there.
"""

import os
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import AudioError

SAMPLE_RATE = 16_000  # Hz, of everything that leaves this module

SNDFILE_SUFFIXES = frozenset(
    [
        ".wav",
        ".wave",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".snd",
        ".caf",
        ".w64",
        ".rf64",
    ]
)
MEDIA_SUFFIXES = frozenset(
    [
        ".m4a",
        ".mp4",
        ".webm",
        ".mkv",
        ".mka",
        ".mov",
        ".aac",
        ".wma",
        ".amr",
        ".3gp",
        ".m4b",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ac3",
        ".weba",
        ".ts",
    ]
)
SUFFIXES = SNDFILE_SUFFIXES | MEDIA_SUFFIXES

#: First bytes of the containers that go to FFmpeg, and its names of them; `_container` knows the others.
_MAGIC = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"RIFF": "avi",
    b"#!AMR": "amr",
    b"\x0b\x77": "ac3",
    b"\x00\x00\x01\xba": "mpeg",
    b"ADIF": "aac",
    b"ID3": "aac",
}

_BLOCK = 30.0  # seconds read at a time
_RATES = (1_000, 768_000)  # Hz, what a believable header says
_CHANNELS = 256
_UNKNOWN_SIZES = {0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36}  # what recorders write while they still record

Block = np.ndarray[Any, np.dtype[np.float32]]


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
    _check_file(name)
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
    _check_file(name)
    with closing(_Decoder.of(name)) as decoder:
        return decoder.duration


def _check_file(name: str) -> None:
    """The faults that need no decoder, each with its own sentence."""
    try:
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(name, "it is a directory; name a recording in it.")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(name, "it is not a regular file.")
        if status.st_size == 0:
            raise AudioError(name, "the file is empty (0 bytes).")
        with open(name, "rb") as file:
            _check_chunks_are_there(name, file.read(12), status.st_size)
    except PermissionError as error:
        raise AudioError(name, "no permission to read it.") from error
    except FileNotFoundError as error:
        raise AudioError(name, "there is no such file.") from error
    except (OSError, ValueError) as error:
        raise AudioError(name, f"it cannot be opened ({getattr(error, 'strerror', None) or error}).") from error


def _check_chunks_are_there(name: str, head: bytes, size: int) -> None:
    """libsndfile reads a cut-off wav or aiff without a word, so the size of their samples is compared with the file."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        layout, samples = "<4sI", b"data"
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        layout, samples = ">4sI", b"SSND"
    else:
        return
    with open(name, "rb") as file:
        at = 12
        while at + 8 <= size:
            file.seek(at)
            kind, length = struct.unpack(layout, file.read(8))
            if kind == samples:
                there = size - at - 8
                if length > there and length not in _UNKNOWN_SIZES:
                    raise AudioError(name, f"it is truncated: {length} bytes of samples promised, {there} there.")
                return
            at += 8 + length + length % 2


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
    decoder = _Decoder.of(name)

    def read() -> Iterator[Block]:
        with closing(decoder):
            yield from decoder.read(start, end)

    return decoder.rate, read()


class _Decoder:
    """One open file: `rate` in Hz, `duration` in seconds, `read` -> mono blocks at that rate."""

    def __init__(
        self,
        rate: int,
        seconds: float,
        read: Callable[[float, float | None], Iterator[Block]],
        close: Callable[[], None],
    ) -> None:
        self.rate = rate
        self.duration = seconds
        self.read = read
        self.close = close

    @staticmethod
    def of(name: str) -> "_Decoder":
        """By content first; containers that libsndfile does not know go to PyAV."""
        import soundfile

        media = Path(name).suffix.lower() in MEDIA_SUFFIXES
        try:
            return _sndfile(name)
        except soundfile.LibsndfileError as error:
            try:
                import av  # noqa: F401
            except ImportError:
                if media:
                    suffix = Path(name).suffix.lower().lstrip(".")
                    raise AudioError(
                        name, f"{suffix} files need the media extra; run: pip install 'emorank[media]'"
                    ) from error
                raise AudioError(name, "it is not audio, or damaged beyond decoding.") from error
        return _media(name)


def _check_header(name: str, rate: int, channels: int) -> None:
    if not _RATES[0] <= rate <= _RATES[1] or not 1 <= channels <= _CHANNELS:
        raise AudioError(name, f"its header is absurd ({rate} Hz, {channels} channels).")


def _sndfile(name: str) -> _Decoder:
    """libsndfile, block by block."""
    import soundfile

    # Names in any script: Python opens, and alone closes, the file; libsndfile gets its descriptor.
    opened = open(name, "rb")  # noqa: SIM115
    try:
        file = soundfile.SoundFile(opened.fileno(), closefd=False)
        _check_header(name, file.samplerate, file.channels)
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
            step = max(1, min(round(_BLOCK * file.samplerate), 50_000_000 // file.channels))
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

    return _Decoder(file.samplerate, promised / file.samplerate, read, close)


def _container(beginning: bytes) -> str | None:
    """FFmpeg's name of a container by its first bytes; None for what is none of ours.

    FFmpeg itself is never asked what a file may be: it also reads playlists and lists of files, which name other files
    and addresses, whatever their suffix.
    """
    if beginning[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        return "mov"
    if beginning[:1] == b"\x47" and beginning[188:189] == b"\x47":
        return "mpegts"
    if len(beginning) > 1 and beginning[0] == 0xFF and beginning[1] & 0xF6 == 0xF0:
        return "aac"
    return next((kind for magic, kind in _MAGIC.items() if beginning.startswith(magic)), None)


def _media(name: str) -> _Decoder:
    """PyAV (FFmpeg), block by block."""
    import av

    opened = open(name, "rb")  # noqa: SIM115  - by an open file, so that a name can mean no protocol
    try:
        kind = _container(opened.read(512))
        opened.seek(0)
        if kind is None:
            raise ValueError("no known container")
        container = av.open(opened, format=kind)
    except (av.FFmpegError, OSError, ValueError) as error:
        opened.close()
        raise AudioError(name, "it is not audio, or damaged beyond decoding.") from error
    if not container.streams.audio:
        container.close()
        opened.close()
        raise AudioError(name, "it holds no audio track.")
    stream = container.streams.audio[0]
    rate, channels = stream.codec_context.sample_rate or 0, stream.codec_context.channels or 0
    try:
        _check_header(name, rate, channels)
    except AudioError:
        container.close()
        opened.close()
        raise
    if stream.duration is not None and stream.time_base is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / av.time_base

    def read(start: float, end: float | None) -> Iterator[Block]:
        # Seeking in compressed containers is not sample-exact, so a span is decoded from the beginning.
        first, last = round(start * rate), None if end is None else round(end * rate)
        at = 0
        pending: list[Block] = []
        try:
            planar = av.AudioResampler(format="fltp")
            for frame in container.decode(stream):
                for piece in planar.resample(frame):
                    mono = piece.to_ndarray().mean(axis=0, dtype=np.float32)
                    begin, at = at, at + len(mono)
                    kept = mono[max(0, first - begin) : None if last is None else max(0, last - begin)]
                    pending.append(kept)
                if sum(map(len, pending)) >= _BLOCK * rate:
                    yield np.concatenate(pending)
                    pending = []
                if last is not None and at >= last:
                    break
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(name, f"decoding failed at {at / rate:.1f} s: it is truncated or damaged.") from error
        if pending:
            yield np.concatenate(pending)

    def close() -> None:
        container.close()
        opened.close()

    return _Decoder(rate, seconds, read, close)
