"""The faults of a file that need no decoder, each with its own sentence."""

import os
import stat
import struct

from emorank.errors import AudioError

_UNKNOWN_SIZES = {0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36}  # what recorders write while they still record


def check_file(name: str) -> None:
    """Refuse what is no whole regular file.

    Raises:
        AudioError: it is not there, not readable, empty, cut off, or something else than a file.
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
            _check_chunks_are_there(name, file.read(12), status.st_size)
    except PermissionError as error:
        raise AudioError(name, "no permission to read it.") from error
    except FileNotFoundError as error:
        raise AudioError(name, "there is no such file.") from error
    except (OSError, ValueError) as error:
        raise AudioError(name, f"it cannot be opened ({getattr(error, 'strerror', None) or error}).") from error


def _check_chunks_are_there(name: str, head: bytes, size: int) -> None:
    """libsndfile reads a cut-off wav or aiff without a word, so the size of their samples is compared with the file."""
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        layout, samples = "<4sI", b"data"
    elif head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        layout, samples = ">4sI", b"SSND"
    else:
        return
    with open(name, "rb") as file:
        at = 12
        while at + 8 <= size:
            file.seek(at)
            kind, length = struct.unpack(layout, file.read(8))
            if kind == samples:
                there = size - at - 8
                if length > there and length not in _UNKNOWN_SIZES:
                    raise AudioError(name, f"it is truncated: {length} bytes of samples promised, {there} there.")
                return
            at += 8 + length + length % 2
