"""The small files beside the tables, index.json and the labels: written twice, and known by their digests.

Before a file is replaced its old and its new digest are noted, afterwards the new one alone: a kill at any moment
leaves a file that is one of them, and anything else is damage. The copy puts it right.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from emorank.digest import content_digest, known_digest
from emorank.index.failures import damaged
from emorank.storage import is_temporary, written_whole

COPY, SUM, ASIDE = ".copy", ".sum", ".damaged"
_ABSENT = "absent"  # stands for the digest of a file that is not there


def write(file: Path, make: Callable[[Path], object]) -> None:
    """Write a file and its copy.

    Args:
        file: which.
        make: writes the content to the path that it is given.
    """
    before = _noted(file) or [content_digest(file) if file.exists() else _ABSENT]
    with written_whole(_beside(file, COPY), private=True) as new:
        make(new)
        digest = content_digest(new)
        _note(file, [*before, digest])
    with written_whole(file, private=True) as new:
        shutil.copyfile(_beside(file, COPY), new)
    _note(file, [digest])


def check(file: Path) -> None:
    """That a file is what was written; one that an older emorank wrote is taken as it is.

    Raises:
        DamagedIndex: it is not.
        OSError: it cannot be read.
    """
    noted = _noted(file)
    if noted and (known_digest(file) if file.exists() else _ABSENT) not in noted:
        raise damaged(file.parent, f"{file.name} is not what was written")


def repair(file: Path, is_sound: Callable[[Path], bool]) -> list[str]:
    """Put a file right from its copy, or the copy from the file; where both are damaged, they are put aside.

    Args:
        file: which.
        is_sound: whether a file can be read as what it is.

    Returns:
        The names of those that were damaged.
    """
    copy, noted = _beside(file, COPY), _noted(file)
    there = [place for place in (file, copy) if place.exists()]
    good = [place for place in there if (content_digest(place) in noted or not noted) and is_sound(place)]
    if not good:
        lost = bool(there) or (bool(noted) and _ABSENT not in noted)
        if file.exists():
            os.replace(file, _beside(file, ASIDE))
        for suffix in (COPY, SUM):
            _beside(file, suffix).unlink(missing_ok=True)
        return [file.name] if lost else []
    bad = [place.name for place in (file, copy) if place.exists() and place not in good]
    digest = content_digest(good[0])
    if noted != [digest]:
        bad += [_beside(file, SUM).name] if _beside(file, SUM).exists() and not noted else []
        _note(file, [*noted, digest])
    for place in (file, copy):
        if place != good[0] and (not place.exists() or content_digest(place) != digest):
            with written_whole(place, private=True) as new:
                shutil.copyfile(good[0], new)
    _note(file, [digest])
    return bad


def is_known(file: Path) -> bool:
    """Whether there is such a file, or was one."""
    noted = _noted(file)
    return file.exists() or (bool(noted) and _ABSENT not in noted)


def belongs(name: str, file: str) -> bool:
    """Whether a name is that of such a file, of what lies beside it, or of a killed process's try to write them."""
    return any(name == own or (is_temporary(name) and name.endswith(f".{own}")) for own in _names(file))


def _names(file: str) -> tuple[str, ...]:
    return (file, f".{file}{COPY}", f".{file}{SUM}", f".{file}{ASIDE}")


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(f".{file.name}{suffix}")


def _noted(file: Path) -> list[str]:
    """The digests that a file may have; none where that is not known. Each line is checked by its own digest."""
    try:
        lines = _beside(file, SUM).read_text("ascii").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    pairs = [line.split(" ") for line in lines]
    return [pair[0] for pair in pairs if len(pair) == 2 and pair[1] == _own(pair[0])]


def _note(file: Path, digests: list[str]) -> None:
    with written_whole(_beside(file, SUM), private=True) as new:
        new.write_text("".join(f"{digest} {_own(digest)}\n" for digest in dict.fromkeys(digests)), "ascii")


def _own(digest: str) -> str:
    return hashlib.blake2b(digest.encode(), digest_size=4).hexdigest()
