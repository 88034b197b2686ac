"""A recording of the index as bytes that browsers play: what was indexed and nothing else.

No path comes from a client. A file is opened once and looked at through that descriptor, so that nothing can be put in
its place in between; its content must be what was indexed, wherever its path or a link now leads.
"""

import os
import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from io import FileIO

import numpy as np

from emorank.audio import SAMPLE_RATE, Policy, blocks, channels_of
from emorank.digest import digest_of_file, open_regular
from emorank.errors import AudioError
from emorank.index.plan import Indexed
from emorank.serve.errors import Refused
from emorank.serve.playable import header

_BLOCK = 256 * 1024  # bytes
_HEADER = 44  # bytes of a WAV before its samples
_LEAD = 1  # seconds that are decoded before what is sent: decoders and resamplers remember what they heard

_digests: dict[tuple[int, ...], str] = {}  # of files by identity, so that a long one is read whole only once
_DIGESTS = 10_000


def indexed(path: str, known: Indexed) -> FileIO:
    """A recording that is still what was indexed, open for reading.

    Raises:
        Refused: it is gone, cannot be read, or has changed.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise Refused(404, "gone", "The recording is not there any more, or cannot be read.") from error
    state = identity(os.fstat(file.fileno()))
    if known.digest is not None and os.fstat(file.fileno()).st_size == known.size:
        if state not in _digests:
            if len(_digests) >= _DIGESTS:
                _digests.clear()
            _digests[state] = digest_of_file(file)
        if _digests[state] == known.digest:
            return file
    file.close()
    raise Refused(410, "changed", "The recording has changed since it was indexed; update the index.")


@dataclass(frozen=True)
class Heard:
    """What was indexed of a recording.

    Args:
        seconds: its length.
        channels: which were heard, see `emorank.audio.Reading`.
        channel: which of them is asked for, from 1; 0 where it was heard as one.
    """

    seconds: float
    channels: Policy
    channel: int


@dataclass(frozen=True)
class Playable:
    """A recording as it is sent.

    Args:
        path: of the recording.
        file: the same, open.
        heard: what was indexed of it.
        media_type: of what is sent.
        size: of what is sent, in bytes.
        etag: changes with what is sent.
        modified: when the recording was changed, as HTTP writes times.
        original: whether it is sent as it is; else as WAV.
    """

    path: str
    file: FileIO
    heard: Heard
    media_type: str
    size: int
    etag: str
    modified: str
    original: bool

    def pieces(self, first: int, last: int) -> Generator[bytes]:
        """The bytes from first to last; the file is closed at the end."""
        if self.original:
            return _read(self.file, first, last)
        return _wav(self, first, last)


def playable(path: str, known: Indexed, heard: Heard) -> Playable:
    """A recording as browsers play it: as it is, or as WAV where they do not play its codec, or of one channel.

    Args:
        path: of the recording.
        known: what was indexed.
        heard: what was indexed of it.

    Raises:
        Refused: it is gone, cannot be read, or has changed.
    """
    file = indexed(path, known)
    try:
        found = header(file)
    except BaseException:
        file.close()
        raise
    modified = formatdate(known.changed / 1e9, usegmt=True)
    if found and found.media_type and not heard.channel:
        return Playable(path, file, heard, found.media_type, known.size, f'"{known.digest}"', modified, True)
    size = _HEADER + 2 * round(heard.seconds * SAMPLE_RATE)
    etag = f'W/"{known.digest}-{size}-{heard.channel}"'
    return Playable(path, file, heard, "audio/wav", size, etag, modified, False)


def _read(file: FileIO, first: int, last: int) -> Generator[bytes]:
    with file:
        file.seek(first)
        left = last + 1 - first
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block


def _wav(sound: Playable, first: int, last: int) -> Generator[bytes]:
    """16 bits a sample, decoded as far as they are taken; what cannot be decoded is silence, so that times stay."""
    with sound.file:
        yield _wav_header(sound.size)[first : last + 1]
        at = max(first, _HEADER)
        sample = (at - _HEADER) // 2
        start = max(0, sample // SAMPLE_RATE - _LEAD)
        skipped = 2 * (sample - start * SAMPLE_RATE) + at % 2  # bytes; a range may begin amid a sample
        decoded = _decoded(sound, start)
        while at <= last and (block := next(decoded, None)) is not None:
            samples = (block.clip(-1, 1) * 32767).astype("<i2").tobytes()
            piece = samples[skipped : skipped + last + 1 - at]
            skipped = max(0, skipped - len(samples))
            at += len(piece)
            yield piece
        while at <= last:
            piece = bytes(min(_BLOCK, last + 1 - at))
            at += len(piece)
            yield piece


def _decoded(sound: Playable, start: int) -> Iterator[np.ndarray]:
    """What can be decoded from a time on, until the first piece that cannot, or something else lies at the path."""
    try:
        channel = None
        if sound.heard.channel:
            channels = channels_of(sound.path, sound.heard.channels)
            channel = next((one for one in channels if one.number == sound.heard.channel), None)
        for block in blocks(sound.path, start, channel=channel):
            if identity(os.stat(sound.path)) != identity(os.fstat(sound.file.fileno())):
                return
            yield block
    except (AudioError, OSError):
        return


def _wav_header(size: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, SAMPLE_RATE, 2 * SAMPLE_RATE, 2, 16)
    data = min(size - _HEADER, 0xFFFFFFFF - 36)
    return struct.pack("<4sI8sI16s4sI", b"RIFF", data + 36, b"WAVEfmt ", 16, form, b"data", data)


def identity(status: os.stat_result) -> tuple[int, ...]:
    """Changes whenever a file does."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
