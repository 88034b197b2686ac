"""Files that were joined end to end: MP3s, chained Ogg, and whatever people `cat` together."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from emorank.audio import chunks, formats, mpeg, ogg
from emorank.audio.damage import Damage, Note
from emorank.audio.decoder import Decoder, Piece, skipping
from emorank.audio.files import Bytes, places
from emorank.errors import AudioError

_BEGINNINGS = {
    formats.FLAC: (b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22"),
    formats.ASF: (bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),),
    formats.FLV: tuple(b"FLV\x01" + bytes([tracks]) + b"\0\0\0\x09" for tracks in (1, 4, 5)),
    formats.TTA: (b"TTA1\x01\x00",),
    formats.AMR: (b"#!AMR\n", b"#!AMR-WB\n"),
}


def starts(kind: formats.Kind, file: Bytes, size: int) -> list[int]:
    """Where the recordings begin that a file of a kind holds; what stands before the first is none."""
    if kind is formats.MP3:
        return mpeg.joined(file, size)
    if kind is formats.OGG:
        return ogg.links(file, size)
    if kind is formats.MP4:
        return [0, *_movies(file, size)]
    if kind in (formats.WAV, formats.AIFF, formats.W64):
        return [0, *chunks.others(file, size)]
    if kind in _BEGINNINGS:
        found = places(file, _BEGINNINGS[kind], size)
        return [0, *found[1:]]
    return [0]


class Joined:
    """Recordings one after the other, as one; see `decoder.Decoder`.

    Args:
        first: opened.
        others: each with how many bytes it has, and what opens it.
    """

    seconds: float | None = None

    def __init__(self, first: Decoder, others: list[tuple[int, Callable[[], Decoder]]]) -> None:
        self._first, self._others = first, others
        self.rate, self.channels = first.rate, first.channels

    def read(self, start: int, note: Note) -> Iterator[Piece]:
        """From `start` seconds on; see `decoder.Decoder`."""
        return skipping(self._all(note), start)

    def _all(self, note: Note) -> Iterator[Piece]:
        place = 0.0
        for piece in self._first.read(0, note):
            place += piece.count / piece.rate
            yield piece
        for size, opened in self._others:
            begin = place
            try:
                decoder = opened()
            except AudioError:
                note(Damage("unreadable", place, None, size))
                continue
            for piece in decoder.read(0, lambda damage, begin=begin: note(replace(damage, at=damage.at + begin))):  # type: ignore[misc]
                place += piece.count / piece.rate
                yield piece


def _movies(file: Bytes, size: int) -> Iterator[int]:
    """Where further MP4s begin: a box that begins a file, with a table of contents before the next."""
    begin, at = 0, 0
    while at + 16 <= size:
        file.seek(at)
        head = file.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        length = int.from_bytes(head[8:], "big") if length == 1 else length
        if name == b"ftyp":
            begin = at
        elif name == b"moov" and begin:
            yield begin
            begin = 0
        if length < 8:
            return
        at += length
