"""What an index with a name says of itself, in index.json: read as what it may be, never as what it happens to hold."""

import os
from pathlib import Path
from typing import Annotated

import msgspec

from emorank.errors import EmorankError
from emorank.index import guarded
from emorank.index.failures import DamagedIndex, damaged
from emorank.objects import is_remote

ABOUT_FILE = "index.json"
FORMAT = 1


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """The content of index.json.

    Args:
        format: of this file.
        model: the model that listens: a packaged name, an absolute folder or a hub id.
        roots: the folders and recordings that are followed, absolute or on object storage.
        channels: which channels of a recording are heard, see `emorank.audio.Reading`.
    """

    format: Annotated[int, msgspec.Meta(ge=1)]
    model: Annotated[str, msgspec.Meta(min_length=1)]
    roots: list[Annotated[str, msgspec.Meta(min_length=1)]]
    channels: Annotated[int, msgspec.Meta(ge=1)] | str = "auto"


def read(folder: Path) -> About:
    """What an index says of itself.

    Raises:
        FileNotFoundError: there is no index.
        DamagedIndex: the file is not what was written.
        EmorankError: a newer emorank wrote it, or it cannot be read.
    """
    file = folder / ABOUT_FILE
    try:
        guarded.check(file)
        content = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise EmorankError(f"{file}: the index cannot be read ({error.strerror}); see to the disk.") from error
    return _parsed(folder, content)


def is_sound(file: Path) -> bool:
    """Whether a file is an index.json, also one of a newer emorank."""
    try:
        _parsed(file.parent, file.read_bytes())
    except DamagedIndex:
        return False
    except EmorankError:
        return True
    return True


def _parsed(folder: Path, content: bytes) -> About:
    try:
        number = msgspec.json.decode(content, type=_Format).format
        if number > FORMAT:
            raise EmorankError(f"{folder}: the index was made by a newer emorank; upgrade this one to use it.")
        about = msgspec.json.decode(content, type=About)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise damaged(folder, f"{ABOUT_FILE}: {error}") from error
    paths = (root for root in about.roots if not is_remote(root))
    if wrong := next((path for path in paths if not os.path.isabs(path) or "\0" in path), None):
        raise damaged(folder, f"{ABOUT_FILE}: {wrong!r} is no absolute path")
    return about


def write(folder: Path, about: About) -> None:
    """Write index.json."""
    guarded.write(folder / ABOUT_FILE, lambda file: file.write_bytes(encoded(about)))


def encoded(about: About) -> bytes:
    """The content of index.json."""
    return msgspec.json.format(msgspec.json.encode(about), indent=2) + b"\n"


class _Format(msgspec.Struct):
    format: int
