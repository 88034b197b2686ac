"""What is embedded: a folder, a recording, a table of recordings, or a prefix of object storage."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.errors import AudioError, EmorankError
from emorank.listening.recordings import Listing, Recording, recordings
from emorank.objects import SCHEME, is_remote

if TYPE_CHECKING:
    import polars as pl

_LOOKS = 32  # recordings that are looked at side by side, which on object storage is a request each


@dataclass(frozen=True)
class Source:
    """Where recordings come from.

    Args:
        top: a folder, recording or address; or the table, under which nothing lies, so nothing goes when it shrinks.
        root: the folder or address from whose name on paths are shown.
        listed: gives what is there now.
        labels: what the table says of its recordings beside `path`; None without a table.
    """

    top: str
    root: str
    listed: Callable[[], Listing]
    labels: "pl.DataFrame | None" = None


def source(given: str) -> Source:
    """A source by its path or address.

    Raises:
        EmorankError: there is nothing there, or the table cannot be read.
    """
    if is_remote(given):
        top = given.rstrip("/")
        return Source(top, top, lambda: recordings(top))
    top = os.path.abspath(given)
    if Path(top).suffix.lower() in (".csv", ".parquet") and os.path.isfile(top):
        return _table(top)
    if not os.path.exists(top):
        raise EmorankError(f"{given}: there is no such file or folder.")
    return Source(top, top, lambda: recordings(top))


def _table(top: str) -> Source:
    from emorank.corpora import read_table
    from emorank.index.labels import labels_of

    table = read_table(top)
    if table.is_empty():
        raise EmorankError(f"{top}: the table names no recordings.")
    labels = labels_of(table)
    paths = list(dict.fromkeys(table["path"]))
    return Source(top, _common(paths) or os.path.dirname(top), lambda: _looked_at(paths), labels)


def _looked_at(paths: list[str]) -> Listing:
    listing = Listing([], [], Counter())

    def look(path: str) -> Recording | AudioError:
        try:
            return Recording.now(path)
        except FileNotFoundError:
            return AudioError(path, "there is no such file.")
        except (OSError, ValueError) as error:
            return AudioError(path, f"it cannot be opened ({getattr(error, 'strerror', None) or error}).")

    with ThreadPoolExecutor(_LOOKS) as pool:
        for found in pool.map(look, paths):
            if isinstance(found, Recording):
                listing.recordings.append(found)
            else:
                listing.broken.append(found)
    return listing


def _common(paths: list[str]) -> str:
    """The folder or address that all lie under; nothing where there is none."""
    if not all(map(is_remote, paths)):
        return os.path.commonpath([os.path.dirname(path) for path in paths if not is_remote(path)])
    within = os.path.commonpath([path.removeprefix(SCHEME).rpartition("/")[0] for path in paths])
    return SCHEME + within if within else ""
