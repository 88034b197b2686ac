"""Names of files that sort by rank and that every file system takes."""

import re
import unicodedata
from collections.abc import Sequence

from emorank.taking.moments import Moment, stem

_LONGEST = 60  # bytes of UTF-8 that are taken of a recording's name
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


def safe(text: str) -> str:
    """A text as a part of a file's name, everywhere the same: letters and digits of any script, dash and underscore.

    Never empty, at most 60 bytes, and none of the names that Windows keeps for devices.
    """
    letters = (
        letter if letter.isalnum() else "-" if letter == "-" else "_" for letter in unicodedata.normalize("NFC", text)
    )
    name = (
        re.sub("__+", "_", "".join(letters)).encode("utf8", "replace")[:_LONGEST].decode("utf8", "ignore").strip("_-")
    )
    return f"_{name}" if _RESERVED.match(name) else name or "_"


def clip_names(moments: Sequence[Moment], suffix: str) -> dict[str, str]:
    """A name for the clip of each moment, by its id: 0007-interview-12m03.4s.wav, and -2 for channel 2.

    Args:
        moments: whose ranks order the names.
        suffix: with its dot.
    """
    width = max(4, len(str(max((moment.rank for moment in moments), default=0))))
    return {moment.hit.id: f"{moment.rank:0{width}d}-{_place(moment)}{suffix}" for moment in moments}


def recording_names(paths: Sequence[str], suffix: str) -> dict[str, str]:
    """A name for a file about each recording, by its path; a number where two recordings would share one."""
    taken: set[str] = set()
    names: dict[str, str] = {}
    for path in paths:
        base = safe(stem(path))
        name, number = base, 1
        while name.casefold() in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name.casefold())
        names[path] = f"{name}{suffix}"
    return names


def _place(moment: Moment) -> str:
    minutes, tenths = divmod(round(moment.start * 10), 600)
    channel = f"-{moment.hit.channel}" if moment.hit.channel else ""
    return f"{safe(stem(moment.path))}-{minutes:02d}m{tenths / 10:04.1f}s{channel}"
