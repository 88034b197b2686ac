"""The chunks that WAV, RF64, AIFF, W64 and CAF are made of, and how far the size of their samples can be believed.

Recorders write a placeholder for the size until they finish, some never finish, some count wrongly. So a size is
believed only where the file bears it out; where it does not, the samples go on to the end of the file.
"""

import itertools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emorank.audio.files import Bytes

_SLACK = 64  # bytes by which a size may be too large and mean nothing: headers counted in, padding
_JUNK = 1024  # bytes after the samples that are not taken for samples
_TAGS = (b"TAG", b"ID3", b"APETAGEX", b"LYRICS")


@dataclass(frozen=True)
class Container:
    """How a container writes its chunks.

    Args:
        kind: its name.
        first: where its first chunk begins.
        head: struct format of a chunk's name and size.
        inclusive: whether the size counts the head.
        align: to how many bytes chunks are padded.
        samples: name of the chunk that holds the samples.
        form: name of the chunk that says of what form they are.
    """

    kind: Literal["wav", "aiff", "w64", "caf"]
    first: int
    head: str
    inclusive: bool
    align: int
    samples: bytes
    form: bytes


_GUID = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_WAV = Container("wav", 12, "<4sI", False, 2, b"data", b"fmt ")
_BIG_WAV = Container("wav", 12, ">4sI", False, 2, b"data", b"fmt ")
_AIFF = Container("aiff", 12, ">4sI", False, 2, b"SSND", b"COMM")
_W64 = Container("w64", 40, "<16sQ", True, 8, b"data" + _GUID, b"fmt " + _GUID)
_CAF = Container("caf", 8, ">4sq", False, 1, b"data", b"desc")


def container(beginning: bytes) -> Container | None:
    """Which of them a file is, by its first bytes."""
    name, kind = beginning[:4], beginning[8:12]
    if kind == b"WAVE" and name in (b"RIFF", b"RF64", b"BW64"):
        return _WAV
    if kind == b"WAVE" and name == b"RIFX":
        return _BIG_WAV
    if name == b"FORM" and kind in (b"AIFF", b"AIFC"):
        return _AIFF
    return {b"riff": _W64, b"caff": _CAF}.get(name)


@dataclass(frozen=True)
class Body:
    """Where the samples lie.

    Args:
        form: the chunk that describes them.
        name: four bytes after the size of the whole file: WAVE, AIFF, AIFC.
        start: where they begin, in bytes.
        size: how many bytes of them are there.
        missing: how many more were promised in earnest; 0 where nothing is missing.
        lies: whether the size that the file gives is not theirs.
    """

    form: bytes
    name: bytes
    start: int
    size: int
    missing: int
    lies: bool


def body(file: Bytes, like: Container, size: int) -> Body | None:
    """Find the samples of a container, `size` bytes long; None where they have no form or are not there."""
    form, large = b"", None
    file.seek(0)
    beginning = file.read(12)
    for name, start, length in itertools.islice(_chunks(file, like, like.first, size), 1000):
        if name == like.form:
            file.seek(start)
            form = file.read(min(length, 4096))
        elif name == b"ds64" and length >= 16:
            file.seek(start + 8)
            large = int.from_bytes(file.read(8), "little")
        elif name == like.samples:
            promised = large if length == 0xFFFFFFFF and large is not None else length
            finished = struct.unpack(like.head[0] + "I", beginning[4:8])[0] + 8 in range(size - 1, size + 2)
            there, missing = _believed(file, like, start, promised, size, finished and like.align == 2)
            return Body(form, beginning[8:12], start, there, missing, there != promised) if form else None
    return None


def others(file: Bytes, size: int) -> Iterator[int]:
    """Where further files begin that were joined to a file: a chunk after its samples is the head of a file itself."""
    file.seek(0)
    like = container(file.read(12))
    heads = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff")
    for name, start, _ in itertools.islice(_chunks(file, like, like.first, size) if like else (), 1000):
        if name[:4] in heads:
            at = start - struct.calcsize(like.head) if like else 0
            file.seek(at)
            if container(file.read(12)):
                yield at


def _believed(file: Bytes, like: Container, start: int, promised: int, size: int, finished: bool) -> tuple[int, int]:
    """How many bytes of samples there are, and how many are missing.

    Args:
        file: the file.
        like: its container.
        start: where the samples begin.
        promised: the size that their chunk has.
        size: of the file.
        finished: whether the size of the whole file, as it is written at its beginning, is right.
    """
    there = size - start
    if promised > there or promised < 0:
        return there, 0 if finished else missing(promised, there)
    if there - promised <= _JUNK and promised:
        return promised, 0
    after = start + promised + -promised % like.align
    file.seek(after)
    tail = file.read(8)
    if not tail or tail.startswith(_TAGS) or _reaches_the_end(file, like, after, size):
        return promised, 0
    return there, 0


def missing(promised: int, there: int) -> int:
    """How many bytes are missing of those that a size promises; 0 where it does not mean what it says."""
    return 0 if promised - there <= _SLACK or _placeholder(promised, there) else promised - there


def _placeholder(promised: int, there: int) -> bool:
    """Whether a size is none: beside a power of two from 16 MiB on, or so large that hardly anything of it is there."""
    if promised < 0 or promised >= 1 << 48:
        return True
    power = 1 << (promised + 4096).bit_length() - 1
    return (promised >= 1 << 24 and abs(promised - power) <= 4096) or (promised > 1 << 28 and promised > 1000 * there)


def _reaches_the_end(file: Bytes, like: Container, at: int, size: int) -> bool:
    """Whether chunks follow each other up to the end of the file."""
    end = at
    for name, start, length in _chunks(file, like, at, size):
        if not all(32 <= byte < 127 for byte in name[:4]):
            return False
        end = start + length
    return size - 8 < end <= size + 1


def _chunks(file: Bytes, like: Container, at: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(name, start, length) of the chunks from `at` on; the start and length are of what is in them."""
    head = struct.calcsize(like.head)
    while at + head <= size:
        file.seek(at)
        name, length = struct.unpack(like.head, file.read(head))
        if like.inclusive:
            length -= head
        yield name, at + head, length
        if length < 0:
            return
        at += head + length + -length % like.align
