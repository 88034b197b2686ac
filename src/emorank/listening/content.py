"""What a file holds, as a short name: how a moved or copied recording is recognised."""

import hashlib
import os
import stat
from io import FileIO

_LENGTH = 16  # bytes; accidental collisions are out of the question


def content(path: str) -> str:
    """A digest of all bytes of a file, the same wherever it lies.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    with opened(path) as file:
        return content_of(file)


def content_of(file: FileIO) -> str:
    """The same of an open file."""
    file.seek(0)
    return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_LENGTH)).hexdigest()


def opened(path: str) -> FileIO:
    """A regular file, opened for reading; a pipe in its place does not make us wait.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = FileIO(path, opener=lambda name, _: os.open(name, flags))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(None, "it is not a regular file", path)
    return file
