"""Frames of MPEG audio (MP3, MP2, MP1): where they begin, and where one file was joined to another; and its packs."""

from collections.abc import Callable
from dataclasses import dataclass

from emorank.audio.files import Bytes, places

_V1_L1 = (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448)
_V1_L2 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_V1_L3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_V2_L1 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256)
_V2_L23 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # kbit/s
_RATES = (44_100, 48_000, 32_000)  # Hz, of MPEG 1; halves and quarters of them of MPEG 2 and 2.5
_HEADS = (b"ID3", b"Xing", b"Info")


@dataclass(frozen=True)
class Frame:
    """What a frame's header says: length in bytes, where in it a Xing header would stand, samples, rate in Hz."""

    length: int
    xing: int
    samples: int
    rate: int


@dataclass(frozen=True)
class Promise:
    """What a Xing header says of its file.

    Args:
        seconds: of sound, without what the encoder added.
        bytes: from the frame on that carries the header; None where it leaves that out.
        start: where that frame begins.
    """

    seconds: float
    bytes: int | None
    start: int


def frame(data: bytes, at: int) -> Frame | None:
    """The header of a frame at a place; None where there is none."""
    head = int.from_bytes(data[at : at + 4], "big")
    version, layer, bitrate, rate = head >> 19 & 3, 4 - (head >> 17 & 3), head >> 12 & 15, head >> 10 & 3
    if len(data) < at + 4 or head >> 21 != 0x7FF or version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    if version == 3:
        kilobits = (_V1_L1, _V1_L2, _V1_L3)[layer - 1][bitrate]
    else:
        kilobits = (_V2_L1, _V2_L23, _V2_L23)[layer - 1][bitrate]
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[version]
    padding, mono = head >> 9 & 1, head >> 6 & 3 == 3
    if layer == 1:
        length = (12_000 * kilobits // hertz + padding) * 4
    else:
        length = (72_000 if layer == 3 and version != 3 else 144_000) * kilobits // hertz + padding
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    return Frame(length, 4 + side, samples, hertz)


def length(data: bytes, at: int) -> int:
    """Length in bytes of the frame at a place; 0 where there is none."""
    found = frame(data, at)
    return found.length if found else 0


def chained(data: bytes, at: int, length_of: Callable[[bytes, int], int] = length) -> bool:
    """Whether a frame begins at a place that two others follow, or one at the end of the data."""
    count = 0
    while count < 3 and (size := length_of(data, at)):
        at, count = at + size, count + 1
    return count == 3 or (count == 2 and at >= len(data))


def begins(data: bytes) -> int | None:
    """Where the first frame begins; None where none does."""
    at = -1
    while (at := data.find(b"\xff", at + 1)) >= 0:
        if chained(data, at):
            return at
    return None


def promise(data: bytes) -> Promise | None:
    """The Xing header of the first frame; None where it has none, or one that does not count the frames."""
    start = begins(data)
    found = None if start is None else frame(data, start)
    if start is None or found is None:
        return None
    at = start + found.xing
    flags = int.from_bytes(data[at + 4 : at + 8], "big")
    if data[at : at + 4] not in (b"Xing", b"Info") or not flags & 1:
        return None
    count = int.from_bytes(data[at + 8 : at + 12], "big") * found.samples
    size = int.from_bytes(data[at + 12 : at + 16], "big") if flags & 2 else None
    encoder = at + 12 + sum(length for bit, length in ((2, 4), (4, 100), (8, 4)) if flags & bit)
    if data[encoder : encoder + 4] in (b"LAME", b"Lavf", b"Lavc"):
        added = int.from_bytes(data[encoder + 21 : encoder + 24], "big")
        count -= (added >> 12) + (added & 0xFFF)
    return Promise(max(0, count) / found.rate, size, start)


def tag(data: bytes) -> int:
    """Length of the ID3 tag that data begins with; 0 where there is none."""
    length = 0
    if data[:3] == b"ID3" and len(data) >= 10 and not any(byte & 0x80 for byte in data[6:10]):
        for byte in data[6:10]:
            length = length << 7 | byte
        length += 20 if data[5] & 0x10 else 10
    return length


def joined(file: Bytes, size: int) -> list[int]:
    """Where the recordings begin that a file was joined from; the first after what stands before its first frame.

    A recording begins with an ID3 tag or with a Xing header; where neither was written, the seam cannot be seen, and
    does not need to be: the decoder goes on.
    """
    file.seek(0)
    head = tag(file.read(10))
    file.seek(head)
    junk = begins(file.read(1 << 18))
    starts = [head + junk if junk else 0]
    covered = _head(file, starts[0])
    for at in places(file, _HEADS, size):
        if at >= covered and (start := _start(file, at)) is not None and start >= covered:
            starts.append(start)
            covered = _head(file, start)
    return starts


def _start(file: Bytes, at: int) -> int | None:
    """Where the recording begins that has a tag or header at a place."""
    file.seek(at)
    data = file.read(10)
    if data[:3] == b"ID3":
        length = tag(data) if data[3] in (2, 3, 4) else 0
        file.seek(at + length)
        return at if length and begins(file.read(8192)) is not None else None
    for offset in (36, 21, 13):
        file.seek(max(0, at - offset))
        found = frame(file.read(4), 0)
        if found and found.xing == offset:
            file.seek(at - offset + found.length)
            return at - offset if frame(file.read(4), 0) else None
    return None


def _head(file: Bytes, start: int) -> int:
    """Where the tag and the first frame of a recording end: what is found in them is its own."""
    file.seek(start)
    length = tag(file.read(10))
    file.seek(start + length)
    data = file.read(1 << 16)
    first = begins(data)
    found = None if first is None else frame(data, first)
    return start + length + (0 if first is None or found is None else first + found.length)


def whole_packs(file: Bytes, size: int) -> bool:
    """Whether an MPEG program stream ends where a packet ends."""
    start = max(0, size - 70_000)  # a packet has at most 65,541 bytes
    file.seek(start)
    tail = file.read(70_000)
    at = max(tail.rfind(b"\0\0\1" + bytes([stream])) for stream in (0xBD, *range(0xC0, 0xF0)))
    return at < 0 or at + 6 + int.from_bytes(tail[at + 4 : at + 6], "big") <= len(tail)
