"""Frames of FLAC carry their own place: what its header says of its length can be checked, and losses placed."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from emorank.audio.files import Bytes
from emorank.audio.mpeg import tag

_TAIL = 1 << 17  # bytes; a frame begins within them, or nothing is known
_SYNC = re.compile(rb"\xff[\xf8\xf9]")
_SIZES = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}


@dataclass(frozen=True)
class Stream:
    """What STREAMINFO says.

    Args:
        block: samples of a block, where all have the same.
        total: samples of each channel, 0 where it does not say.
    """

    block: int
    total: int


def stream(file: Bytes) -> Stream | None:
    """The header of a FLAC file; None where it has none."""
    file.seek(0)
    file.seek(tag(file.read(10)))
    data = file.read(42)
    return Stream(int.from_bytes(data[8:10], "big"), _total(data)) if data[:4] == b"fLaC" and len(data) == 42 else None


def _total(data: bytes) -> int:
    return int.from_bytes(data[21:26], "big") & 0xFFFFFFFFF


def complete(file: Bytes, size: int) -> bool:
    """Whether its frames run up to the length that its header gives, and it holds no second recording."""
    found = stream(file)
    if found is None or not found.total:
        return False
    last = 0, 0
    tail = max(0, size - _TAIL)
    for at in [*range(size // 4, tail, max(_TAIL, size // 4)), tail]:
        file.seek(at)
        places = _frames(file.read(_TAIL), found.block)
        for place in places if at == tail else itertools.islice(places, 1):
            if place < last:
                return False
            last = place
    return sum(last) == found.total


def _frames(data: bytes, block: int) -> Iterator[tuple[int, int]]:
    """The frames that begin in some bytes; see `position`."""
    for match in _SYNC.finditer(data):
        place = position(data[match.start() : match.start() + 16], block)
        if place:
            yield place


def position(data: bytes, block: int) -> tuple[int, int] | None:
    """First sample and number of samples of the frame that data begins with; None where none begins.

    Args:
        data: at least the frame's header, up to 16 bytes.
        block: samples of a block, for files in which all have the same.
    """
    if len(data) < 6 or data[0] != 0xFF or data[1] & 0xFE != 0xF8 or data[3] & 1:
        return None
    code, rate = data[2] >> 4, data[2] & 15
    extra = 8 - (data[4] ^ 0xFF).bit_length()  # leading ones of the coded number
    length = max(1, extra)
    if extra in (1, 8) or code == 0 or rate == 15 or len(data) < 4 + length + 5:
        return None
    number = data[4] if not extra else data[4] & (0x7F >> extra)
    for byte in data[5 : 4 + length]:
        if byte & 0xC0 != 0x80:
            return None
        number = number << 6 | byte & 0x3F
    at = 4 + length
    size = _SIZES.get(code, 0)
    if code in (6, 7):
        size = int.from_bytes(data[at : at + code - 5], "big") + 1
        at += code - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if _crc(data[:at]) != data[at]:
        return None
    return (number if data[1] & 1 else number * block), size


def _crc(data: bytes) -> int:
    """The CRC-8 of a frame's header."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x107) if crc & 0x80 else crc << 1
    return crc
