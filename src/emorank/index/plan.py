"""What an update has to do, and what it did: which recordings are new, changed, moved or really gone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emorank.digest import known_digest
from emorank.errors import AudioError
from emorank.listening.recordings import Listing, Recording, within
from emorank.objects import digest_of, is_remote


@dataclass(frozen=True)
class Indexed:
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


@dataclass(frozen=True)
class Plan:
    """What to do with the recordings of a folder.

    Args:
        hear: new or changed ones whose content is not known.
        copy: new or changed ones whose content is known, each with the path that it is known by.
        remove: paths that are no longer there.
        missing: recordings that the index has where there is nothing now: their folder is empty, as it is where a disk
            is not mounted, or their link leads nowhere. They stay, unless pruning is asked for.
    """

    hear: list[Recording]
    copy: list[tuple[Recording, str]]
    remove: list[str]
    missing: int = 0


@dataclass(frozen=True)
class Update:
    """What an update did, in numbers of recordings.

    Args:
        added: can be searched, and were not in the index.
        changed: can be searched, and were read again because size or time of change differ.
        moved: of the added and changed, those whose content was known and was not encoded again.
        removed: no longer there.
        kept: can be searched, and are as they were.
        missing: in the index, but the folder is empty now; they stay unless pruning was asked for.
        broken: everything that is in the folder and cannot be searched, with the reason.
        damaged: of what was read, path -> what is missing of it, in a sentence.
        passed_over: files that are no recordings by their suffix: suffix -> how many.
        unspoken: how many moments of what was read hold hardly any speech, see `emorank.listening.caution`.
    """

    added: int
    changed: int
    moved: int
    removed: int
    kept: int
    missing: int
    broken: tuple[AudioError, ...]
    damaged: dict[str, str]
    passed_over: Counter[str]
    unspoken: int

    @property
    def skipped(self) -> int:
        """How many are there and cannot be searched."""
        return len(self.broken)

    @classmethod
    def total(cls, updates: Sequence["Update"]) -> "Update":
        """Several folders' updates added up."""
        counts = {
            name: sum(getattr(update, name) for update in updates)
            for name in ("added", "changed", "moved", "removed", "kept", "missing", "unspoken")
        }
        broken = tuple(error for update in updates for error in update.broken)
        damaged = {path: damage for update in updates for path, damage in update.damaged.items()}
        passed_over = sum((update.passed_over for update in updates), Counter[str]())
        return cls(**counts, broken=broken, damaged=damaged, passed_over=passed_over)


def plan(top: str, listing: Listing, indexed: Mapping[str, Indexed], prune: bool = False) -> Plan:
    """Compare a folder with what the index has of it.

    Unreadable is not gone: what lies in a folder that cannot be read, or is a file that cannot, stays. Nor need that be
    gone which lay where nothing is now.

    Args:
        top: the folder, or the one recording, absolute.
        listing: what it holds now.
        indexed: the recordings of the index by absolute path, also those of other folders.
        prune: remove recordings also where a folder is empty now.
    """
    there = {file.path for file in listing.recordings}
    unreadable = [error.path for error in listing.broken]
    absent = [path for path in indexed if within(path, top) and path not in there]
    remove = [path for path in absent if not any(within(path, place) for place in unreadable)]
    missing = 0
    if not prune:
        nothing = [top] if not there and not unreadable else listing.uncertain
        gone = [path for path in remove if not any(within(path, place) for place in nothing)]
        missing, remove = len(remove) - len(gone), gone
    todo = [file for file in listing.recordings if not _as_indexed(file, indexed.get(file.path))]
    hear, copy = _by_content(todo, indexed)
    return Plan(hear, copy, remove, missing)


def _as_indexed(file: Recording, entry: Indexed | None) -> bool:
    return entry is not None and (entry.size, entry.changed) == (file.size, file.changed)


def _by_content(
    todo: list[Recording], indexed: Mapping[str, Indexed]
) -> tuple[list[Recording], list[tuple[Recording, str]]]:
    """Rows that this update replaces are no source for other paths: they may be gone when it comes to them."""
    replaced = {file.path for file in todo}
    heard = {path: entry for path, entry in indexed.items() if entry.digest and entry.reason is None}
    elsewhere = {entry.digest: path for path, entry in heard.items() if path not in replaced}
    sizes = {entry.size for entry in heard.values()}
    hear, copy = [], []
    for file in todo:
        digest = _digest(file) if file.size in sizes else None
        itself = file.path in heard and heard[file.path].digest == digest  # touched, not changed
        source = file.path if itself else elsewhere.get(digest) if digest else None
        if source is None:
            hear.append(file)
        else:
            copy.append((file, source))
    return hear, copy


def _digest(file: Recording) -> str | None:
    """None where the file cannot be read, or changes meanwhile."""
    try:
        digest = digest_of(file.path) if is_remote(file.path) else known_digest(file.path)
        return digest if Recording.now(file.path) == file else None
    except OSError:
        return None
