"""What can go wrong with an index on disk, each as one sentence: which file, and what to do."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from emorank.errors import EmorankError
from emorank.storage import data_folder

_SOURCE = re.compile(r",? ?(/[^ ,:]*/)?[\w./-]+\.rs:\d+(:\d+)?")  # where in LanceDB's own code
_FAILURES = re.compile(r"\((?:os error (\d+))\)")
_DISK = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOLCK, errno.EDQUOT, errno.EMFILE)


class DamagedIndex(EmorankError):
    """What an index holds is not what was written."""


def advice(folder: Path | str) -> str:
    """What to do about a damaged index; an address of object storage is a text."""
    if isinstance(folder, str):
        return "embed it anew at another place"
    if folder.parent == data_folder() / "indexes":
        return f"run: emorank index {folder.name} --repair"
    return "remove the folder to build it anew"


def damaged(folder: Path | str, what: str) -> DamagedIndex:
    """The error that an index is damaged; what and where in it."""
    return DamagedIndex(f"{folder}: the index is damaged ({what}); {advice(folder)}.")


@contextmanager
def reported(folder: Path | str, done: Literal["read", "written"]) -> Iterator[None]:
    """Every failure of LanceDB, Arrow or the disk is one sentence."""
    try:
        yield
    except EmorankError:
        raise
    except (OSError, RuntimeError, ValueError, MemoryError) as error:
        raise _sentence(folder, done, error) from error
    except BaseException as error:
        kinds = {kind.__name__ for kind in type(error).mro()}
        if not kinds & {"ArrowException", "PanicException", "RustPanic"}:  # LanceDB gave up on what it read
            raise
        raise _sentence(folder, done, error) from error


def _sentence(folder: Path | str, done: str, error: BaseException) -> EmorankError:
    text = " ".join(str(error).split()) or type(error).__name__
    reason = _SOURCE.sub("", text)[:300].rstrip(" ,:")
    if isinstance(error, OSError) and error.filename is not None:
        reason = f"{os.fspath(error.filename)}: {error.strerror}"
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (match := _FAILURES.search(text)):
        number = int(match[1])
    if number in _DISK:
        return EmorankError(f"{folder}: the index cannot be {done} ({reason}); see to the disk.")
    return DamagedIndex(f"{folder}: the index cannot be {done} ({reason}); {advice(folder)}.")
