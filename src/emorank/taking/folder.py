"""A folder with clips and a list of them: each file whole or not at all, none replaced by something else."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.errors import AudioError, EmorankError
from emorank.storage import written_whole
from emorank.taking.clips import ClipFormat, encoded, same_sound
from emorank.taking.cutting import Check, cut
from emorank.taking.lists import ListFormat, files
from emorank.taking.moments import Moment
from emorank.taking.names import clip_names
from emorank.types import Listening

if TYPE_CHECKING:
    import polars as pl

Rows = Callable[[dict[str, str]], "pl.DataFrame"]


@dataclass(frozen=True)
class Taken:
    """What lies in the folder now.

    Args:
        clips: names by the id of their moment.
        lists: names of the files that list them.
        skipped: moments that could not be cut, with the reason.
    """

    clips: dict[str, str]
    lists: tuple[str, ...]
    skipped: tuple[tuple[Moment, AudioError], ...]


def take(
    moments: Sequence[Moment],
    folder: Path,
    rows: Rows,
    list_format: ListFormat = "csv",
    clip_format: ClipFormat = "wav",
    pad: float = 0.0,
    check: Check | None = None,
    progress: Listening | None = None,
) -> Taken:
    """Cut moments into a folder, and list them there.

    A folder that holds something else is refused before anything is cut. One that an earlier run of the same began is
    gone on with: what is there and the same stays as it is.

    Args:
        moments: in the order of their ranks.
        folder: made where it is not there.
        rows: gives the table of the moments, with the names of those clips that were cut.
        list_format: of the list.
        clip_format: of the clips.
        pad: seconds before and after each moment.
        check: of recordings, see `emorank.taking.cutting.cut`.
        progress: called with moments done, to do, and of those done how many were skipped.

    Raises:
        EmorankError: the folder holds something else, or cannot be written.
    """
    names = clip_names(moments, f".{clip_format}")
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _check(folder, [*names.values(), *files(list_format, moments, rows(names), names)])
    clips: dict[str, str] = {}
    skipped: list[tuple[Moment, AudioError]] = []
    for moment, sound in cut(moments, pad, check):
        if isinstance(sound, AudioError):
            skipped.append((moment, sound))
        else:
            name = names[moment.hit.id]
            put(folder / name, encoded(sound, clip_format), same_sound)
            clips[moment.hit.id] = name
        if progress:
            progress(len(clips) + len(skipped), len(moments), len(skipped))
    listed = files(list_format, moments, rows(clips), clips)
    for name, content in listed.items():
        put(folder / name, content)
    return Taken(clips, tuple(listed), tuple(skipped))


def write_lists(folder: Path, listed: Mapping[str, bytes]) -> None:
    """Write the files of a list into a folder, which may hold others.

    Raises:
        EmorankError: one of them is there with other content, or the folder cannot be written.
    """
    for name, content in listed.items():
        put(folder / name, content)


def put(file: Path, content: bytes, same: Callable[[bytes, bytes], bool] = bytes.__eq__) -> None:
    """Write a file that is not there yet; one that is there with the same content stays.

    Raises:
        EmorankError: it is there with other content, or cannot be written.
    """
    with _written(file):
        if file.exists():
            if same(file.read_bytes(), content):
                return
            raise EmorankError(f"{file} is there already, with other content; name another folder, or remove it.")
        with written_whole(file) as temporary:
            temporary.write_bytes(content)


def _check(folder: Path, ours: Iterable[str]) -> None:
    """That a folder holds nothing but what is going to be written."""
    expected = set(ours)
    foreign = sorted(name for name in os.listdir(folder) if name not in expected and not name.startswith("."))
    if foreign:
        raise EmorankError(f"{folder} holds other files, such as {foreign[0]}; name a new folder for the clips.")


@contextmanager
def _written(place: Path) -> Iterator[None]:
    """Failures of the disk as one sentence."""
    try:
        yield
    except OSError as error:
        raise EmorankError(f"{place}: it cannot be written ({error.strerror or error}).") from error
