"""Packets of one track -> pieces, with silence where packets are missing and damage named. See `media`."""

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from emorank.audio import flac, mpeg
from emorank.audio.damage import Damage, Note
from emorank.audio.decoder import Piece, check_header, step
from emorank.audio.frames import samples_of
from emorank.audio.source import Source
from emorank.audio.timeline import Timeline

_PADDING = 0.12  # seconds by which the end may be off and mean nothing: what encoders add
_TRIES = 100  # errors in a row after which a file is given up
_WARNED = 60.0  # seconds for which a gap is put down to what FFmpeg complained of while it read ahead
_SEARCHED = 1 << 20  # bytes in which the next packet is looked for after damage
_TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS")  # may stand between frames, and are no sound
_AMR = ("amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb")
_ZEROS_ARE_LOST = (*_AMR, "opus", "libopus", "gsm")


class Packets:
    """Decodes a track, once; `note` is told of what is lost."""

    def __init__(self, source: Source, note: Note) -> None:
        self._source, self._note = source, note
        self._context, self._timed = source.track.codec_context, source.timed
        self._timeline = Timeline(source.zero)
        self._others_end = 0.0  # of the other tracks, in seconds of their timestamps
        self._packets = source.container.demux()
        self._errors: list[Any] = []  # what FFmpeg says of the packet at hand
        self._ready: list[Piece] = []
        self._fifo: Any = None
        self._rate = self._channels = self._limit = 0
        self._held = 0  # samples in the queue
        self._sizes: deque[int] = deque(maxlen=64)  # bytes of the last good packets
        self._samples = 0  # of the last good frame
        self._at: int | None = None  # where the next packet begins, as far as it is known
        self._lost, self._zeros = 0, True  # bytes since the last good packet, and whether they are nothing but zeros
        self._last: Any = None  # packet
        self._cut = not source.whole
        self._warned = float("inf") if source.complained else 0.0  # until when a gap is damage

    def pieces(self) -> Iterator[Piece]:
        """All of it."""
        import av.logging

        ended = False
        while not ended:
            with av.logging.Capture() as self._errors:  # never across a yield: captures belong to a thread
                ended = self._some()
            ready, self._ready = self._ready, []
            yield from ready

    def _some(self) -> bool:
        """Decodes until there is a piece, or the end; whether it is the end."""
        import av

        errors, decode, index = self._errors, self._context.decode, self._source.track.index
        careful = self._source.block is not None or self._context.name in _ZEROS_ARE_LOST
        stamp = None
        while not self._ready:
            try:
                packet = next(self._packets, None)
            except IndexError:  # PyAV, at the end, of a track that appeared late
                packet = None
            except av.FFmpegError:
                packet = self._go_on()
            if packet is None:
                self._flush()
                self._cut |= bool(errors)
                self._finish()
                return True
            if packet.stream_index != index:
                self._see(packet)
                continue
            size = packet.size
            self._last = packet if size else self._last
            if errors:
                self._warn()
            if careful and size:
                stamp, size = self._look(packet)
            try:
                frames = decode(packet) if size or not packet.size else None
            except av.FFmpegError:
                frames = None
            if errors:
                self._warn()
                if self._context.name in _AMR:
                    frames = None  # a frame that calls itself bad; the decoder makes something up
            if frames is None:
                self._lose(packet)
                continue
            if not self._timed and size:
                if self._lost:
                    self._lost += self._passed_over(packet)
                self._at = packet.pos if self._at is None else self._at
                self._at = None if self._at is None else self._at + size
                self._sizes.append(size)
            for frame in frames:
                self._take(frame, stamp)
        return False

    def _go_on(self) -> Any:
        """The next packet after what cannot be read; None where nothing more can."""
        import av

        packet = None
        for _ in range(_TRIES):
            self._warn()
            self._packets = self._source.container.demux()
            with suppress(av.FFmpegError):
                packet = next(self._packets, None)
                break
        if packet is None or not packet.size:
            self._cut = True
        return packet

    def _see(self, packet: Any) -> None:
        """A packet of another track: how far that goes."""
        if packet.pts is not None and packet.duration:
            self._others_end = max(self._others_end, float((packet.pts + packet.duration) * packet.time_base))

    def _look(self, packet: Any) -> tuple[float | None, int]:
        """The time that a packet of raw FLAC says itself, and its size, 0 for a hole that the decoder would sing."""
        data = memoryview(packet).tobytes()
        if self._source.block is None:
            return None, len(data) if any(data) else 0
        place = flac.position(data[:16], self._source.block)
        return place and place[0] / self._context.sample_rate, len(data)

    def _warn(self) -> None:
        self._errors.clear()
        self._warned = self._place() + _WARNED

    def _lose(self, packet: Any) -> None:
        data = memoryview(packet).tobytes() if packet.size else b""
        if data and not data.startswith(_TAGS):
            self._lost += len(data)
            self._zeros = self._zeros and not any(data)
        if self._at is not None:
            self._at += len(data)

    def _passed_over(self, packet: Any) -> int:
        """Bytes that FFmpeg passed over without a word between lost packets and this one."""
        if self._at is None:
            return 0
        begin = memoryview(packet)[:64].tobytes()
        self._source.bytes.seek(self._at)
        passed = max(0, self._source.bytes.read(_SEARCHED).find(begin))
        self._at += passed
        return passed

    def _place(self) -> float:
        """The length of the result so far, in seconds."""
        return self._timeline.place + (self._held / self._rate if self._held else 0.0)

    def _take(self, frame: Any, stamp: float | None) -> None:
        """A decoded frame into the queue, after the silence that belongs before it. Everything goes through here."""
        samples = frame.samples
        if not samples:
            return
        if self._timed:
            self._pause_until(frame, stamp)
        elif self._lost and self._sizes and self._rate:
            self._pause(self._lost * len(self._sizes) / sum(self._sizes) * self._samples / self._rate, True)
        if frame.layout.nb_channels != self._channels:  # the queue trusts us in this
            self._begin(frame)
        frame.pts = None  # or the queue would check it
        try:
            self._fifo.write(frame)
        except ValueError:  # another rate or sample format
            self._begin(frame)
            self._fifo.write(frame)
        self._samples = samples
        self._held += samples
        if self._held >= self._limit:
            self._flush()

    def _begin(self, frame: Any) -> None:
        import av

        self._flush()
        check_header("", frame.sample_rate, frame.layout.nb_channels)
        self._rate, self._channels = frame.sample_rate, frame.layout.nb_channels
        self._limit, self._fifo = step(self._rate, self._channels), av.AudioFifo()

    def _pause_until(self, frame: Any, stamp: float | None) -> None:
        if self._source.block is None and frame.pts is not None:
            stamp = frame.pts * self._source.tick
        if stamp is not None:
            place = self._place()
            damaged = self._lost > 0 or self._source.block is not None or place < self._warned
            self._pause(self._timeline.gap(stamp, place, damaged), damaged)

    def _pause(self, seconds: float, damaged: bool) -> None:
        """Silence before the next frame; damage where something was lost."""
        lost, self._lost, self._zeros = self._lost, 0, True
        if seconds:
            self._flush()
            if damaged:
                self._note(Damage("unreadable", self._timeline.place, seconds, lost or None))
                self._warned = 0.0
            rate = self._rate or self._context.sample_rate
            self._ready.append(Piece(rate, round(seconds * rate), None))
            self._timeline.place += seconds

    def _flush(self) -> None:
        if self._held:
            frame = self._fifo.read(0, True)
            self._ready.append(Piece(self._rate, self._held, samples_of(frame)))
            self._timeline.place += self._held / self._rate
            self._held = 0

    def _finish(self) -> None:
        """Says what is missing at the end, and takes away what the encoder added there."""
        place, promise = self._timeline.place, self._source.promise
        cut = self._cut or bool(self._last and self._last.is_corrupt) or self._unfinished()
        if promise is not None and promise - place > _PADDING:
            if self._others_end - (self._source.zero or 0.0) < promise - _PADDING:
                self._note(Damage("cut", place, promise - place))
        elif cut or (promise is None and self._lost and not self._zeros):
            self._note(Damage("cut", place, None))
        elif promise is not None and 0 < place - promise <= _PADDING and self._ready:
            piece = self._ready[-1]
            count = piece.count - round((place - promise) * piece.rate)
            if piece.samples is not None and count > 0:
                self._ready[-1] = Piece(piece.rate, count, piece.samples[:count])

    def _unfinished(self) -> bool:
        """Whether the last frame is shorter than it should be, though it was decoded."""
        if self._last is None:
            return False
        if self._context.name in ("ac3", "eac3"):
            return bool(self._last.size < min([*self._sizes][:-1], default=0))
        mp3 = self._context.name.startswith(("mp1", "mp2", "mp3"))
        return bool(mp3 and mpeg.length(memoryview(self._last).tobytes(), 0) > self._last.size)
