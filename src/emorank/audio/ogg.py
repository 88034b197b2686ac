"""Pages of Ogg: where one chain link ends and the next begins, and whether the last page is whole."""

import os

from emorank.audio.files import Bytes, places

_FIRST_PAGE = (b"OggS\x00\x02", b"OggS\x00\x06")  # pages that begin a stream


def links(file: Bytes, size: int) -> list[int]:
    """Where the links of a chained file begin; the first at 0. Streams that run side by side begin together."""
    starts, end = [0], 0
    for at in places(file, _FIRST_PAGE, size):
        length = _page(file, at)
        if length is None:
            continue
        if at > end:
            starts.append(at)
        end = at + length
    return starts


def whole(file: Bytes, size: int) -> bool:
    """Whether the file ends where a page ends."""
    start = max(0, size - 70_000)  # a page has at most 65,307 bytes
    file.seek(start)
    tail = file.read(size - start)
    at = tail.rfind(b"OggS\x00")
    length = None if at < 0 else _page(file, start + at)
    return length is not None and start + at + length <= size


def _page(file: Bytes, at: int) -> int | None:
    """Length of a page in bytes, as its header says; None where the header is cut off."""
    file.seek(at, os.SEEK_SET)
    head = file.read(27)
    table = file.read(head[26]) if len(head) == 27 else b""
    return 27 + len(table) + sum(table) if len(head) == 27 and len(table) == head[26] else None
