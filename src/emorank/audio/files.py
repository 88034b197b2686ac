"""The file itself: that it is one, and a window on a part of it."""

import io
import os
import stat
from collections.abc import Iterable
from typing import Protocol

from emorank.errors import AudioError


def check_file(name: str) -> int:
    """Refuse what is no whole regular file.

    Returns:
        Its size in bytes.

    Raises:
        AudioError: it is not there, not readable, empty, or something else than a file.
    """
    try:
        status = os.stat(name)
        if stat.S_ISDIR(status.st_mode):
            raise AudioError(name, "it is a directory; name a recording in it.")
        if not stat.S_ISREG(status.st_mode):
            raise AudioError(name, "it is not a regular file.")
        if status.st_size == 0:
            raise AudioError(name, "the file is empty (0 bytes).")
        with open(name, "rb") as file:
            file.read(1)
        return status.st_size
    except PermissionError as error:
        raise AudioError(name, "no permission to read it.") from error
    except FileNotFoundError as error:
        raise AudioError(name, "there is no such file.") from error
    except (OSError, ValueError) as error:
        raise AudioError(name, f"it cannot be opened ({getattr(error, 'strerror', None) or error}).") from error


class Bytes(Protocol):
    """What is read by place: a file, or a window on one."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to `size` bytes from here."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a place."""
        ...


class Window(io.RawIOBase):
    """The bytes from `start` to `end` of an open file, as if they were a file of their own."""

    def __init__(self, file: Bytes, start: int, end: int) -> None:
        self._file, self._start, self._end = file, start, end
        self._at = start

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be moved in."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes from here."""
        left = self._end - self._at
        if left <= 0:  # FFmpeg goes where broken files point to
            return b""
        self._file.seek(self._at)
        data = self._file.read(left if size < 0 else min(size, left))
        self._at += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place in the window."""
        base = {os.SEEK_SET: self._start, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence]
        self._at = max(self._start, base + offset)
        return self._at - self._start

    def tell(self) -> int:
        """Where it is in the window."""
        return self._at - self._start


def places(file: Bytes, beginnings: Iterable[bytes], size: int) -> list[int]:
    """Where in a file of `size` bytes any of some byte strings stand, ascending; read block by block."""
    beginnings = tuple(beginnings)
    longest = max(map(len, beginnings))
    found: set[int] = set()
    at, tail = 0, b""
    file.seek(0)
    while at < size and (block := file.read(1 << 20)):
        data = tail + block
        for beginning in beginnings:
            hit = -1
            while (hit := data.find(beginning, hit + 1)) >= 0:
                found.add(at - len(tail) + hit)
        at += len(block)
        tail = data[-(longest - 1) :]
    return sorted(found)
