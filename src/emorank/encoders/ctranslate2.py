"""Reads the arrays of a CTranslate2 version-6 model file, without CTranslate2.

The file is a flat list of named little-endian arrays. Nothing in it is executed or unpickled.
"""

import struct

import numpy as np

_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


class _Reader:
    """A cursor over the bytes of the file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, code: str) -> int:
        value: int = struct.unpack_from(f"<{code}", self._data, self._at)[0]
        self._at += struct.calcsize(code)
        return value

    def text(self) -> str:
        """A length-prefixed, NUL-terminated string."""
        return self.bytes(self.number("H")).rstrip(b"\0").decode()

    def bytes(self, count: int) -> bytes:
        piece = self._data[self._at : self._at + count]
        self._at += count
        return piece


def read_arrays(data: bytes, prefix: str = "") -> dict[str, np.ndarray]:
    """The arrays whose name starts with `prefix`.

    Args:
        data: the whole model file.
        prefix: only names that start with this are kept.

    Returns:
        Name -> array in its stored type (fp16 stays fp16).

    Raises:
        ValueError: the file is not of version 6, or holds a type that is not known.
    """
    reader = _Reader(data)
    version = reader.number("I")
    if version != 6:
        raise ValueError(f"a CTranslate2 file of version 6 is needed, this one says {version}")
    reader.text()  # the name of the model's specification
    reader.number("I")  # its revision
    arrays = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        dtype = reader.number("B")
        raw = reader.bytes(reader.number("I"))
        if name.startswith(prefix):
            if dtype not in _DTYPES:
                raise ValueError(f"array {name!r} has the unknown type {dtype}")
            arrays[name] = np.frombuffer(raw, _DTYPES[dtype]).reshape(shape)
    return arrays
