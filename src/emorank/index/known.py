"""What an index knows of recordings already, and which of those that are new or changed it need not encode."""

from collections.abc import Sequence
from dataclasses import dataclass

from emorank.digest import content_digest
from emorank.listening.recordings import Recording


@dataclass(frozen=True)
class Known:
    """A recording as the index has it.

    Args:
        size: in bytes.
        changed: time of the last change, in nanoseconds.
        digest: of its content, see `emorank.digest`; None where it could not be read.
        reason: None, or why it cannot be searched.
    """

    size: int
    changed: int
    digest: str | None
    reason: str | None


def same(file: Recording, known: Known | None) -> bool:
    """Whether a recording is as it was indexed."""
    return known is not None and (known.size, known.changed) == (file.size, file.changed)


def by_content(
    todo: Sequence[Recording], known: dict[str, Known]
) -> tuple[list[Recording], list[tuple[Recording, str]]]:
    """Recordings that have to be encoded, and those whose content is known, each with the path it is known by.

    Rows that this update replaces are no source for other paths: they may be gone when it comes to them.
    """
    replaced = {file.path for file in todo}
    heard = {path: entry for path, entry in known.items() if entry.digest and entry.reason is None}
    elsewhere = {entry.digest: path for path, entry in heard.items() if path not in replaced}
    sizes = {entry.size for entry in heard.values()}
    unknown, copies = [], []
    for file in todo:
        digest = _digest(file) if file.size in sizes else None
        itself = file.path in heard and heard[file.path].digest == digest  # touched, not changed
        source = file.path if itself else elsewhere.get(digest) if digest else None
        if source is None:
            unknown.append(file)
        else:
            copies.append((file, source))
    return unknown, copies


def _digest(file: Recording) -> str | None:
    """None where the file cannot be read, or changes meanwhile."""
    try:
        digest = content_digest(file.path)
        return digest if Recording.now(file.path) == file else None
    except OSError:
        return None
