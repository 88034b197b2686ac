"""A zip of clips with their lists, made piece by piece: never more of it in memory than one clip."""

import io
import zipfile
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from emorank.errors import AudioError, EmorankError
from emorank.taking.clips import ClipFormat, encoded
from emorank.taking.cutting import Check, cut
from emorank.taking.lists import ListFormat, files
from emorank.taking.moments import Moment
from emorank.taking.names import clip_names

if TYPE_CHECKING:
    import polars as pl

MANIFESTS: tuple[ListFormat, ...] = ("csv", "jsonl")
SKIPPED = "skipped.txt"
_TIME = (1980, 1, 1, 0, 0, 0)  # of every file in it: the same moments give the same names and times


def archive(
    moments: Sequence[Moment],
    rows: "Callable[[dict[str, str]], pl.DataFrame]",
    format: ClipFormat = "wav",
    pad: float = 0.0,
    lists: Sequence[ListFormat] = (),
    check: Check | None = None,
    most: int | None = None,
) -> Generator[bytes]:
    """The pieces of a zip: the clips, recording by recording, then moments.csv, moments.jsonl and other lists.

    Args:
        moments: in the order of their ranks.
        rows: gives the table of the moments, with the names of those clips that were cut.
        format: of the clips.
        pad: seconds before and after each moment.
        lists: besides those two.
        check: of recordings, see `emorank.taking.cutting.cut`.
        most: values (samples times channels) of a clip.

    Yields:
        Bytes, a file or less at a time. What could not be cut is named in skipped.txt.
    """
    names = clip_names(moments, f".{format}")
    clips: dict[str, str] = {}
    skipped: list[str] = []
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as packed:
        for moment, sound in cut(moments, pad, check, most):
            name = names[moment.hit.id]
            try:
                if isinstance(sound, AudioError):
                    raise sound
                packed.writestr(zipfile.ZipInfo(name, _TIME), encoded(sound, format))
            except EmorankError as error:
                reason = error.reason if isinstance(error, AudioError) else str(error)
                skipped.append(f"{moment.rank}\t{moment.path}\t{reason}\n")
            else:
                clips[moment.hit.id] = name
                yield sink.taken()
        table = rows(clips)
        for kind in dict.fromkeys([*MANIFESTS, *lists]):
            for name, content in files(kind, moments, table, clips).items():
                _deflated(packed, name, content)
                yield sink.taken()
        if skipped:
            _deflated(packed, SKIPPED, "".join(skipped).encode("utf8", "replace"))
    yield sink.taken()


def packed(content: "dict[str, bytes]") -> bytes:
    """A zip of files that are there already, by their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, data in content.items():
            _deflated(made, name, data)
    return file.getvalue()


def _deflated(into: zipfile.ZipFile, name: str, content: bytes) -> None:
    about = zipfile.ZipInfo(name, _TIME)
    about.compress_type = zipfile.ZIP_DEFLATED
    into.writestr(about, content)


class _Sink(io.RawIOBase):
    """What zipfile writes to: it cannot go back, so that what was written may be sent."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Take some bytes."""
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last call."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
