"""Where emorank keeps things, and how it writes them: whole or not at all."""

import os
import secrets
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
    """A temporary path beside `path` that takes its place when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(4)}.{path.name}")  # not mkstemp: only the owner could read those
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
