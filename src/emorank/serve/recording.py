"""A recording of the index as bytes for a browser: what was indexed and nothing else, whole or by ranges.

No path comes from a client. A file is opened once and looked at through that descriptor, so that nothing can be put in
its place in between; its content must be what was indexed, wherever its path or a link now leads.
"""

import os
import re
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from emorank.digest import digest_of_file, open_regular
from emorank.index.known import Known
from emorank.serve.errors import Refused

_BLOCK = 256 * 1024  # bytes
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

#: Formats that browsers play, by suffix.
PLAYABLE = {
    ".wav": "audio/wav",
    ".wave": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".mp4": "audio/mp4",
    ".aac": "audio/aac",
    ".webm": "audio/webm",
    ".weba": "audio/webm",
}

_digests: dict[tuple[int, ...], str] = {}  # of files by identity, so that a long one is read whole only once
_DIGESTS = 10_000


def media_type(path: str) -> str | None:
    """The content type of a recording that browsers play; None for others."""
    return PLAYABLE.get(Path(path).suffix.lower())


def indexed(path: str, known: Known) -> FileIO:
    """A recording that is still what was indexed, open for reading.

    Raises:
        Refused: it is gone, cannot be read, or has changed.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise Refused(404, "gone", "The recording is not there any more, or cannot be read.") from error
    status = os.fstat(file.fileno())
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if status.st_size == known.size and known.digest is not None:
        if identity not in _digests:
            if len(_digests) >= _DIGESTS:
                _digests.clear()
            _digests[identity] = digest_of_file(file)
        if _digests[identity] == known.digest:
            return file
    file.close()
    raise Refused(410, "changed", "The recording has changed since it was indexed; update the index.")


def span(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte that a Range header asks for; None for the whole, also where the header is not understood.

    Raises:
        Refused: the range lies behind the end.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        first, last = max(0, size - int(match[2])), size - 1
    else:
        first, last = int(match[1]), min(int(match[2]) if match[2] else size - 1, size - 1)
    if first >= size or last < first:
        raise Refused(416, "bad_range", f"The recording has {size} bytes.")
    return first, last


def read(file: FileIO, first: int, last: int) -> Iterator[bytes]:
    """The bytes of an open file from first to last, in blocks; it is closed at the end."""
    with file:
        file.seek(first)
        left = last + 1 - first
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            left -= len(block)
            yield block
