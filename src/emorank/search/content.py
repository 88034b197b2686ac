"""What a file holds, as a short name: how a moved or copied recording is recognised."""

import hashlib
import os

_LENGTH = 16  # bytes; accidental collisions are out of the question


def content(path: str) -> str:
    """A digest of all bytes of a file, the same wherever it lies.

    Raises:
        OSError: it cannot be read, or is no regular file (a pipe would never end).
    """
    if not os.path.isfile(path):
        raise OSError(None, "it is not a regular file", path)
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_LENGTH)).hexdigest()
