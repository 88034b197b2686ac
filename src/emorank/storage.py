"""Where emorank keeps things, and how it writes them: whole or not at all."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.(?P<name>.+)", re.DOTALL)
_umask = threading.RLock()


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


def private_folder(folder: Path) -> None:
    """Make a folder that nobody but its owner may enter, with those around it; one that is there stays as it is."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        place.mkdir(mode=0o700, exist_ok=True)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(folder))


def private_file(path: Path) -> None:
    """Make an empty file that nobody but its owner may read, where there is none."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


@contextmanager
def owner_only() -> Iterator[None]:
    """What any library makes inside, nobody but the owner may read. One thread at a time: the mask is the process's."""
    with _umask:
        before = os.umask(0o077)
        try:
            yield
        finally:
            os.umask(before)


@contextmanager
def written_whole(path: Path, private: bool = False) -> Iterator[Path]:
    """A temporary path that takes the place of `path` when the block ends without an error.

    A link stays one: what it leads to is replaced. A device or a pipe is written to. What a killed process left of an
    earlier try is removed.

    Args:
        path: the file.
        private: nobody but its owner may read it.
    """
    if not _replaceable(path):
        yield from _written_through(path)
        return
    target = Path(os.path.realpath(path))
    if private:
        private_folder(target.parent)
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(target.parent, target.name)
    temporary = target.with_name(f".{secrets.token_hex(4)}.{target.name}")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600 if private else 0o666)
    try:
        with ExitStack() as held:
            held.callback(os.close, descriptor)
            _locked(descriptor)  # for as long as this process lives: so it is known to be no one's leftover
            yield temporary
            os.fsync(descriptor)
            if os.name != "posix":  # an open file cannot be renamed there
                held.close()
            os.replace(temporary, target)
        sync(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that `written_whole` makes and takes away."""
    return _TEMPORARY.fullmatch(name) is not None


def remove_stale(folder: Path, name: str | None = None) -> None:
    """Remove what killed processes left of their tries to write a file, or any; what a living one is writing stays."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            match = _TEMPORARY.fullmatch(entry.name)
            if match and name in (None, match["name"]) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    descriptor = os.open(entry.path, os.O_WRONLY)
                    try:
                        if _locked(descriptor):
                            os.unlink(entry.path)
                    finally:
                        os.close(descriptor)


def _replaceable(path: Path) -> bool:
    """Whether another file can take its place: not that of a device, a pipe, or what a process has open."""
    folder = os.path.realpath(path.parent)
    opened = folder in ("/dev", "/proc") or folder.startswith(("/proc/", "/dev/fd"))
    return not opened and (not path.exists() or path.is_file())


def _written_through(target: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emorank-") as folder:
        temporary = Path(folder) / target.name
        yield temporary
        with open(temporary, "rb") as source, open(target, "wb") as sink:
            shutil.copyfileobj(source, sink)


def _locked(descriptor: int) -> bool:
    """Lock an open file against `remove_stale` of others, where the file system can; whether it is locked now."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):  # there are no such locks on Windows, nor on some network file systems
        return False
    return True


def sync(path: Path) -> None:
    """See to it that a file, or the names in a folder, are on disk, as far as the system can say so."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
