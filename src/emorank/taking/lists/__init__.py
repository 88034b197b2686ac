"""A selection as a list for other programs.

Some are one file (a table, a playlist), some a file for each recording (labels on its own timeline), one is a folder
with the clips. Each format is one pure function in a file of its own; `files` knows which.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from emorank.taking.lists.audacity import audacity
from emorank.taking.lists.elan import elan
from emorank.taking.lists.playlist import playlist
from emorank.taking.lists.tables import table
from emorank.taking.lists.textgrid import textgrid
from emorank.taking.moments import Moment, by_recording
from emorank.taking.names import recording_names

if TYPE_CHECKING:
    import polars as pl

ListFormat = Literal["csv", "jsonl", "parquet", "m3u", "audacity", "elan", "textgrid", "datasets", "table"]

#: Formats with one file for the whole selection, and its name where a folder holds it.
WHOLE: dict[ListFormat, str] = {
    "csv": "moments.csv",
    "jsonl": "moments.jsonl",
    "parquet": "moments.parquet",
    "m3u": "moments.m3u8",
    "datasets": "metadata.csv",
    "table": "table.csv",
}
_EACH: dict[ListFormat, tuple[str, Callable[[Sequence[Moment]], str]]] = {
    "audacity": (".txt", audacity),
    "elan": (".eaf", elan),
    "textgrid": (".TextGrid", textgrid),
}
#: Formats with a file for each recording, and its suffix.
EACH: dict[ListFormat, str] = {name: suffix for name, (suffix, _) in _EACH.items()}


def files(
    format: ListFormat, moments: Sequence[Moment], rows: "pl.DataFrame", clips: Mapping[str, str] | None = None
) -> dict[str, bytes]:
    """The files of a list, by their names.

    Args:
        format: which list.
        moments: in the order of their ranks.
        rows: the same as a table, see `emorank.taking.moments.selection`.
        clips: the names of their clips by id, where there are clips: playlists play these instead of the recordings.
    """
    if format in _EACH:
        suffix, write = _EACH[format]
        recordings = by_recording(moments)
        names = recording_names(list(recordings), suffix)
        return {names[path]: write(some).encode("utf8", "replace") for path, some in recordings.items()}
    if format == "m3u":
        return {WHOLE[format]: playlist(moments, clips).encode("utf8", "surrogateescape")}
    return {WHOLE[format]: table(format, rows)}
