"""Where an index lies: under a name, in a folder, or at an address on object storage."""

import hashlib
import os
import re
from pathlib import Path

from emorank import objects
from emorank.errors import EmorankError
from emorank.index import guarded
from emorank.index.about import ABOUT_FILE
from emorank.index.table import FIRST, SUFFIX
from emorank.index.tables import LABELS_FILE
from emorank.storage import data_folder, private_folder

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def names() -> list[str]:
    """The names of all indexes."""
    home = data_folder() / "indexes"
    return sorted(path.parent.name for path in home.glob(f"*/{ABOUT_FILE}"))


def is_named(name: str) -> bool:
    """Whether there is an index of this name or in this folder, or it is an address on object storage."""
    known = _NAME.fullmatch(name) is not None and (data_folder() / "indexes" / name / ABOUT_FILE).exists()
    return known or objects.is_remote(name) or _is_dataset(name)


def folder_of(name: str) -> Path:
    """Where the index of a name lies, or would; of an address, where copies of its small files lie.

    Raises:
        EmorankError: no index can have this name.
    """
    if objects.is_remote(name):
        return data_folder() / "remote" / hashlib.sha256(name.encode("utf8", "surrogateescape")).hexdigest()[:16]
    named = data_folder() / "indexes" / name
    if _NAME.fullmatch(name) and ((named / ABOUT_FILE).exists() or not _is_dataset(name)):
        return named
    if _is_dataset(name):
        return Path(os.path.abspath(name))
    raise EmorankError(f"{name!r} cannot name an index; use up to 64 letters, digits, dots, dashes, underscores.")


def require_name(name: str) -> None:
    """That a name is one, and no place of a dataset, which `emorank embed` alone writes.

    Raises:
        EmorankError: it is not.
    """
    if folder_of(name).parent != data_folder() / "indexes":
        raise EmorankError(f"{name} is where a dataset lies; to bring it up to date: emorank embed SOURCE --out {name}")


def refresh(name: str, folder: Path) -> None:
    """Fetch the small files of an index on object storage; others are where they belong.

    Raises:
        FileNotFoundError: there is no index at the address.
        EmorankError: the storage cannot be reached or refuses.
    """
    if not objects.is_remote(name):
        return
    about = objects.read(name, ABOUT_FILE)
    if about is None:
        raise FileNotFoundError(name)
    private_folder(folder)
    _keep(folder / ABOUT_FILE, about)
    labels = objects.read(name, LABELS_FILE)
    if labels is not None:
        _keep(folder / LABELS_FILE, labels)


def _is_dataset(name: str) -> bool:
    """Whether a folder is an index, and not one of recordings that happens to hold a file of this name."""
    return os.path.isfile(os.path.join(name, ABOUT_FILE)) and any(Path(name).glob(f"{FIRST}-*{SUFFIX}"))


def _keep(file: Path, content: bytes) -> None:
    """Write a copy where it is another one than what is there, so that a server does not take it for a change."""
    if not file.exists() or file.read_bytes() != content:
        guarded.write(file, lambda new: new.write_bytes(content))
