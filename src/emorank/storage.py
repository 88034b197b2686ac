"""Where emorank keeps things, and how it writes them: whole or not at all."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Where features and indexes are kept: $EMORANK_CACHE, or the user's cache directory."""
    chosen = os.environ.get("EMORANK_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("emorank", appauthor=False)


def data_folder() -> Path:
    """Where indexes with a name are kept: $EMORANK_DATA, or the user's data directory."""
    chosen = os.environ.get("EMORANK_DATA")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("emorank", appauthor=False)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends without an error.

    A link stays one: what it leads to is replaced. A device or a pipe is written to.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        yield from _written_through(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{secrets.token_hex(4)}.{target.name}")  # not mkstemp: only the owner could read it
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _written_through(target: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emorank-") as folder:
        temporary = Path(folder) / target.name
        yield temporary
        with open(temporary, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink)
