"""PCM and G.711 in WAV, RF64, BW64, AIFF, W64, CAF and AU: read as they lie in the file, exact to the sample."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from emorank.audio.chunks import Body, body, container, missing
from emorank.audio.damage import Damage, Note
from emorank.audio.decoder import Piece, Samples, check_header, step
from emorank.audio.files import Bytes

_TOLERANCE = 0.01  # seconds; less than this is not missing
_AIFF = {b"NONE": None, b"twos": None, b"sowt": "<", b"fl32": "f4", b"FL32": "f4", b"fl64": "f8", b"FL64": "f8"}
_LAW = {b"alaw": "alaw", b"ALAW": "alaw", b"ulaw": "ulaw", b"ULAW": "ulaw"}
_AU = {1: "ulaw", 2: "i1", 3: "i2", 4: "i3", 5: "i4", 6: "f4", 7: "f8", 27: "alaw"}


@dataclass(frozen=True)
class Layout:
    """How samples lie in a file.

    Args:
        coding: byte order and type, such as "<i2", ">i3" (24 bit), "<f4", "|u1", "ulaw", "alaw".
        rate: in Hz.
        channels: interleaved.
        start: where they begin, in bytes.
        size: how many bytes there are.
        missing: how many bytes more were promised.
    """

    coding: str
    rate: int
    channels: int
    start: int
    size: int
    missing: int = 0

    @property
    def width(self) -> int:
        """Bytes of one sample of all channels."""
        return (1 if "law" in self.coding else int(self.coding[-1])) * self.channels


def layout(file: Bytes, size: int) -> Layout | None:
    """How the samples of a file of `size` bytes lie; None where it holds something else than PCM."""
    file.seek(0)
    beginning = file.read(24)
    if beginning[:4] in (b".snd", b"dns.") and len(beginning) == 24:
        order = ">" if beginning[:1] == b"." else "<"
        start, length, coding, rate, channels = struct.unpack(order + "5I", beginning[4:])
        if coding not in _AU:
            return None
        there = max(0, size - start)
        return Layout(_ordered(order, _AU[coding]), rate, channels, start, there, missing(length, there))
    like = container(beginning)
    found = body(file, like, size) if like else None
    if like is None or found is None:
        return None
    try:
        return {"wav": _wav, "w64": _wav, "aiff": _aiff, "caf": _caf}[like.kind](
            found, ">" if ">" in like.head else "<"
        )
    except struct.error:
        return None


def _wav(found: Body, order: str) -> Layout | None:
    tag, channels, rate, _, align, bits = struct.unpack(order + "HHIIHH", found.form[:16])
    if tag == 0xFFFE:
        tag = struct.unpack(order + "H", found.form[24:26])[0]
    width = align // channels if channels and align and align % channels == 0 else (bits + 7) // 8
    codings = {
        (1, 1): "u1", (1, 2): "i2", (1, 3): "i3", (1, 4): "i4",
        (3, 4): "f4", (3, 8): "f8", (6, 1): "alaw", (7, 1): "ulaw",
    }  # fmt: skip
    if (tag, width) not in codings:
        return None
    return Layout(_ordered(order, codings[tag, width]), rate, channels, found.start, found.size, found.missing)


def _aiff(found: Body, order: str) -> Layout | None:
    channels, _, bits = struct.unpack(">HIH", found.form[:8])
    exponent, mantissa = struct.unpack(">HQ", found.form[8:18])  # an 80-bit float
    rate = round(mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63)) if exponent < 16383 + 32 else 0
    coding = f"i{(bits + 7) // 8}"
    compression = found.form[18:22] if found.name == b"AIFC" else b"NONE"
    if compression in _LAW:
        coding = _LAW[compression]
    elif compression not in _AIFF:
        return None
    elif _AIFF[compression] == "<":
        order = "<"
    else:
        coding = _AIFF[compression] or coding
    if coding not in ("i1", "i2", "i3", "i4", "f4", "f8", "alaw", "ulaw"):
        return None
    return Layout(_ordered(order, coding), rate, channels, found.start + 8, found.size - 8, found.missing)


def _caf(found: Body, order: str) -> Layout | None:
    rate, coded, flags, size, _, channels, _ = struct.unpack(">d4sIIIII", found.form[:32])
    if coded in _LAW:
        coding = _LAW[coded]
    elif coded == b"lpcm" and channels and size % channels == 0:
        coding = f"{'f' if flags & 1 else 'i'}{size // channels}"
    else:
        return None
    if coding not in ("i1", "i2", "i3", "i4", "f4", "f8", "alaw", "ulaw") or not 0 < rate < 1e7:
        return None
    order = "<" if flags & 2 else ">"
    return Layout(_ordered(order, coding), round(rate), channels, found.start + 4, found.size - 4, found.missing)


def _ordered(order: str, coding: str) -> str:
    return coding if "law" in coding else ("|" if coding[-1] == "1" else order) + coding


class Pcm:
    """A file whose samples lie open; see `decoder.Decoder`.

    Raises:
        AudioError: its header is absurd.
    """

    def __init__(self, name: str, found: Layout) -> None:
        check_header(name, found.rate, found.channels)
        self.rate, self.channels = found.rate, found.channels
        self._name, self._layout = name, found
        self._count = found.size // found.width
        self.seconds: float | None = self._count / self.rate

    def read(self, start: int, note: Note) -> Iterator[Piece]:
        """From `start` seconds on; see `decoder.Decoder`."""
        found, at = self._layout, start * self.rate
        with open(self._name, "rb") as file:
            file.seek(found.start + at * found.width)
            while at < self._count:
                wanted = min(step(self.rate, self.channels), self._count - at)
                data = file.read(wanted * found.width)
                count = len(data) // found.width
                if not count:
                    break  # it became shorter while it was read
                values = _decoded(data[: count * found.width], found.coding).reshape(count, self.channels)
                yield Piece(self.rate, count, values)
                at += count
        lost = (self._count - at) + found.missing // found.width
        if lost > _TOLERANCE * self.rate:
            note(Damage("cut", min(at, self._count) / self.rate, lost / self.rate))


def _decoded(data: bytes, coding: str) -> Samples:
    """Bytes -> float32 of full scale 1."""
    if "law" in coding:
        return _law(coding)[np.frombuffer(data, np.uint8)]
    if coding.endswith("i3"):
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, slice(1, 4) if coding[0] == "<" else slice(0, 3)] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return _scaled(wide.view(coding[0] + "i4")[:, 0], 2.0**-31)
    values: Any = np.frombuffer(data, coding)
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            return _scaled(values, 1.0)
    if values.dtype.kind == "u":
        return _scaled(values, 2.0**-7) - 1
    return _scaled(values, 2.0 ** (1 - 8 * values.dtype.itemsize))


def _scaled(values: Any, factor: float) -> Samples:
    scaled: Samples = np.multiply(values, np.float32(factor), dtype=np.float32, casting="same_kind")
    return scaled


@cache
def _law(coding: str) -> Samples:
    """The 256 values of G.711."""
    code = np.arange(256) ^ (0xFF if coding == "ulaw" else 0x55)
    exponent, mantissa = (code & 0x70) >> 4, code & 0x0F
    if coding == "ulaw":
        size = (((mantissa << 3) + 0x84) << exponent) - 0x84
        negative = code & 0x80 != 0
    else:
        size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
        negative = code & 0x80 == 0
    return _scaled(np.where(negative, -size, size), 2.0**-15)
