"""FFmpeg (PyAV): every codec and container that is not plain PCM or FLAC.

It reads by an open file, never by a name, and is told the format, so that nothing can lead it to another file.
"""

import io
import os
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, BinaryIO

import numpy as np

from emorank.audio import flac, formats, mpeg, ogg
from emorank.audio.chunks import body, container, missing
from emorank.audio.damage import Note
from emorank.audio.decoder import NOT_AUDIO, Piece, ahead, check_header, skipping
from emorank.audio.files import Window, places
from emorank.audio.packets import Packets
from emorank.audio.source import Source
from emorank.errors import AudioError

_AUDIBLE = 1e-4  # of full scale; a track that never reaches it is silent
_NEAR = 65_536  # bytes by which a file may be longer than its Xing header says: tags at its end
_SPARSE = 100  # bytes a second; of less, the length is not believed
_CHECKED = ("flac", "tta", "wavpack")  # codecs whose checksums FFmpeg heeds only when it may give up at a wrong one
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")  # the object of ASF that has its length


class Media:
    """A file that FFmpeg reads, or a part of one; see `decoder.Decoder`.

    Args:
        name: the path.
        kind: what it is.
        begin: where it begins in the file.
        end: where it ends.

    Raises:
        AudioError: it is not what it seems, holds no audio track, or PyAV is not installed.
    """

    def __init__(self, name: str, kind: formats.Kind, begin: int, end: int) -> None:
        self._name, self._kind, self._begin, self._end = name, kind, begin, end
        self._options: dict[str, str] = {}
        self._stack = ExitStack()  # what is open already when it is first read
        weakref.finalize(self, self._stack.close).atexit = False
        file, part, opened, complained = self._enter(self._stack)
        self._first: tuple[Window, Any, bool] | None = part, opened, complained
        track = _track(opened, lambda: self._opened(file))
        self._index = track.index
        self.rate, self.channels = track.codec_context.sample_rate or 0, track.codec_context.channels or 0
        check_header(name, self.rate, self.channels)
        known = self._known(part, opened, track)
        self.seconds = known if known and known * _SPARSE < end - begin else None

    def read(self, start: int, note: Note) -> Iterator[Piece]:
        """From `start` seconds on; see `decoder.Decoder`.

        Compressed sound depends on what was before it, so it is always decoded from its beginning.
        """
        return skipping(ahead(self._all(note)), start)

    def _all(self, note: Note) -> Iterator[Piece]:
        try:
            with self._stack.pop_all() as stack:
                first, self._first = self._first, None
                part, opened, complained = first or self._enter(stack)[1:]
                track = opened.streams[self._index]
                streamed = flac.stream(part) if self._kind is formats.FLAC else None
                zero = None if opened.start_time is None else opened.start_time / 1e6
                source = Source(
                    opened,
                    track,
                    part,
                    zero=(0.0 if streamed.total else None) if streamed else zero,
                    timed=self._kind.timed,
                    promise=None if self._options else self._promise(part, opened, track),
                    whole=_whole(self._kind, part, self._end - self._begin),
                    complained=complained,
                    block=streamed.block if streamed else None,
                )
                yield from Packets(source, note).pieces()
        except AudioError as error:
            raise AudioError(self._name, error.reason) from error
        except OSError as error:
            raise AudioError(self._name, f"it cannot be read ({error.strerror or error}).") from error

    def _enter(self, stack: ExitStack) -> tuple[BinaryIO, Window, Any, bool]:
        """The file, its part, its container, and whether FFmpeg complained; open as long as the stack."""
        file = stack.enter_context(open(self._name, "rb"))  # noqa: SIM115  - a context all the same
        part = Window(file, self._begin, self._end)
        if self._kind is formats.WAV and (like := container(formats.beginning(part))):
            found = body(part, like, self._end - self._begin)
            self._options = {"ignore_length": "1"} if found and found.lies and not found.missing else {}
        return file, part, *stack.enter_context(self._opened(file))

    def _opened(self, file: BinaryIO) -> AbstractContextManager[tuple[Any, bool]]:
        return _opened(self._name, self._kind, Window(file, self._begin, self._end), self._options)

    def _promise(self, part: Window, opened: Any, track: Any) -> float | None:
        """How many seconds of a part are written in it; None where that is not written."""
        start = (opened.start_time or 0) / 1e6
        if self._kind is formats.MP3:
            found = mpeg.promise(formats.beginning(part))
            return found.seconds if found else None
        if self._kind is formats.ASF:
            return _asf_seconds(formats.beginning(part))
        if self._kind.promise == "track" and track.duration is not None:
            own_start = start if track.start_time is None else float(track.start_time * track.time_base)
            return own_start - start + float(track.duration * track.time_base)
        if self._kind.promise == "file" and opened.duration is not None:
            return float(opened.duration) / 1e6 - max(0.0, start)
        return None

    def _known(self, part: Window, opened: Any, track: Any) -> float | None:
        """The length in seconds where the file bears it out."""
        size = self._end - self._begin
        if self._kind is formats.MP3:
            found = mpeg.promise(formats.beginning(part))
            if not found or not found.bytes:
                return None
            part.seek(0)
            there = size - mpeg.tag(part.read(10)) - found.start
            return found.seconds if 0 <= there - found.bytes <= _NEAR else None
        if self._kind is formats.OGG and ogg.whole(part, size) and opened.duration:
            # Positions in Opus count, at 48 kHz, what the decoder needs to begin and nobody hears.
            unheard = track.codec_context.delay / 48_000 if track.codec_context.name == "opus" else 0.0
            return float(opened.duration - (opened.start_time or 0)) / 1e6 - unheard
        if self._kind is formats.MP4 and track.duration and len(track.index_entries):
            last = track.index_entries[len(track.index_entries) - 1]
            there = len(track.index_entries) == track.frames and last.pos + last.size <= size
            return self._promise(part, opened, track) if there else None
        return None


def _whole(kind: formats.Kind, part: Window, size: int) -> bool:
    """Whether nothing tells that the end of a file is missing."""
    if kind is formats.OGG:
        return ogg.whole(part, size)
    if kind is formats.AVI:
        part.seek(4)
        return not missing(int.from_bytes(part.read(4), "little"), size - 8)
    if kind is formats.MPEG_PS:
        return mpeg.whole_packs(part, size)
    return kind is not formats.MPEG_TS or any(size % packet == 0 for packet in (188, 192, 204))


@contextmanager
def _opened(name: str, kind: formats.Kind, window: Window, options: dict[str, str]) -> Iterator[tuple[Any, bool]]:
    """An open container of PyAV, and whether FFmpeg complained of damage while it looked into it.

    Raises:
        AudioError: it is none, or has no audio track.
    """
    av = _av()
    with av.logging.Capture() as errors:
        try:
            opened = av.open(
                window,
                format=kind.ffmpeg,
                options=options,
                buffer_size=1 << 16,
                metadata_errors="replace",
                io_open=_refuse,
            )
        except (av.FFmpegError, OSError, ValueError) as error:
            raise AudioError(name, _why(kind, window)) from error
        complained = any(level <= av.logging.ERROR or "corrupt" in message for level, _, message in errors)
    try:
        tracks = _decodable(opened)
        for track in tracks:
            track.codec_context.thread_count = 1
            give_up = "+explode" if track.codec_context.name in _CHECKED else ""
            track.codec_context.options = {"err_detect": "crccheck" + give_up}
            if kind is formats.CAF and track.codec_context.name == "alac":
                # FFmpeg 8 takes what the last packet lacks away from it a second time; `promise` ends it rightly.
                track.codec_context.flags2 |= av.codec.context.Flags2.skip_manual
        if not tracks:
            raise AudioError(name, "it holds no audio track.")
        yield opened, complained
    finally:
        with av.logging.Capture():
            opened.close()


def _decodable(opened: Any) -> list[Any]:
    """The audio tracks that there is a decoder for."""
    return [track for track in opened.streams.audio if track.codec_context is not None]


def _av() -> Any:
    """PyAV, with FFmpeg's messages where nobody sees them unless they ask."""
    import av
    import av.logging

    if av.logging.get_level() is None:
        import logging

        logging.getLogger("libav").addHandler(logging.NullHandler())
        av.logging.set_level(av.logging.WARNING)
        av.logging.set_skip_repeated(False)
    return av


def _refuse(url: str, flags: int, options: Any) -> Any:
    """What a format that wants to open another file gets."""
    raise PermissionError(url)


def _why(kind: formats.Kind, window: Window) -> str:
    if kind is formats.MP4 and not places(window, [b"moov"], window.seek(0, os.SEEK_END)):
        return "it was cut off before its table of contents was written; what was recorded cannot be read without it."
    return NOT_AUDIO


def _track(opened: Any, again: Callable[[], AbstractContextManager[tuple[Any, bool]]]) -> Any:
    """The track that is heard: one that is flagged as default, else the first; a silent one only if all are."""
    from av.stream import Disposition

    tracks = sorted(_decodable(opened), key=lambda track: not track.disposition & Disposition.default)  # stable
    return next((track for track in tracks if len(tracks) == 1 or _audible(again, track.index)), tracks[0])


def _audible(again: Callable[[], AbstractContextManager[tuple[Any, bool]]], index: int) -> bool:
    with again() as (opened, _):
        source = Source(opened, opened.streams[index], io.BytesIO(), timed=True)
        pieces = Packets(source, lambda _: None).pieces()
        return any(piece.samples is not None and np.abs(piece.samples).max() > _AUDIBLE for piece in pieces)


def _asf_seconds(data: bytes) -> float | None:
    """The length that an ASF header gives, without the time that players wait first."""
    at = data.find(_FILE_PROPERTIES)
    if at < 0 or len(data) < at + 88:
        return None
    play, _, preroll = (int.from_bytes(data[at + 64 + 8 * i : at + 72 + 8 * i], "little") for i in range(3))
    return play / 1e7 - preroll / 1e3 if play else None
