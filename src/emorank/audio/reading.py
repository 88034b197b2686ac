"""One recording, from its file to mono blocks at 16 kHz, and what was lost on the way."""

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from emorank.audio.channels import Channel, Likeness, Policy, decide, single
from emorank.audio.damage import Damage, Damages, Note
from emorank.audio.decoder import NOT_AUDIO, Piece, skipping
from emorank.audio.offset import CELL, without_offset
from emorank.audio.opening import open_decoder
from emorank.audio.resample import SAMPLE_RATE, cut, resampled
from emorank.errors import AudioError

_KEPT = 1 << 23  # values (samples x channels) of a short recording that are kept, so that it is decoded once
_LOUDEST = 1e10  # of full scale; what is larger was never sound
_REMEMBERED = 4096  # recordings whose channels need not be decided again while the process lives
_decided: dict[tuple[str, int, int, str], tuple[Channel, ...]] = {}


class Reading:
    """A recording that is read: as often as one likes, a channel at a time, never held whole.

    Opening it looks at its header only. It may be dropped at any time, half-read or not, and its file is closed.

        recording = Reading("call.wav", channels="auto")
        for channel in recording.channels:
            for block in recording.blocks(channel):
                ...
        for damage in recording.damage:
            print(damage)

    Args:
        path: the file.
        channels: which channels are heard. "auto": channels that hold the same are one, different speech is heard
            each on its own; "mix": all are one, aligned; "each": every one on its own; a number from 1: that one.
        strict: refuse a recording of which anything is missing, instead of naming it in `damage`.
        longest: refuse a longer one, in seconds; nothing much beyond is decoded. None: any length.

    Attributes:
        path: the file.
        duration: in seconds, where the file tells it and bears it out; None where only decoding can.

    Raises:
        AudioError: it cannot be read as audio, or has no such channel; the message says why.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        channels: Policy = "auto",
        *,
        strict: bool = False,
        longest: float | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self._decoder = open_decoder(self.path)
        self._policy, self._strict, self._longest = channels, strict, longest
        self._damage: dict[tuple[str, float], Damage] = {}
        self._short: list[Piece] | None = None
        self.duration = self._decoder.seconds
        if isinstance(channels, int) and not 1 <= channels <= self._decoder.channels:
            count = self._decoder.channels
            has = "one channel" if count == 1 else f"{count} channels"
            raise AudioError(self.path, f"it has {has}; there is no channel {channels}.")

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """What is heard of it, at least one; see `channels.Channel`.

        With "auto" and "mix", a recording of several channels is decoded once for this, from beginning to end.

        Raises:
            AudioError: it cannot be decoded.
        """
        count = self._decoder.channels
        if isinstance(self._policy, int):
            return (single(count, self._policy),)
        if count == 1:
            return (Channel((1.0,)),)
        if self._policy == "each":
            return tuple(single(count, number) for number in range(1, count + 1))
        status = os.stat(self.path)
        key = self.path, status.st_size, status.st_mtime_ns, self._policy
        if key not in _decided:
            if len(_decided) >= _REMEMBERED:
                _decided.clear()
            _decided[key] = decide(self._likeness(), self._policy)
        return _decided[key]

    @property
    def damage(self) -> tuple[Damage, ...]:
        """What could not be heard of it, in order; whole once its blocks were read to the end, of any channel.

        The seconds that were heard and those that are named here are the seconds that are there.
        """
        return tuple(sorted(self._damage.values(), key=lambda damage: damage.at))

    def blocks(
        self, channel: Channel | None = None, start: float = 0.0, end: float | None = None
    ) -> Iterator[np.ndarray]:
        """Its sound in blocks of at most about 30 s, which follow each other without a gap.

        Silence stands where sound was lost or the file pauses, so that times are those of a player. An offset (DC) is
        taken away. The same sample is the same whatever span it is read in, within rounding.

        Args:
            channel: one of `channels`; None is the first of them.
            start: in seconds.
            end: in seconds; None is the end of the recording.

        Yields:
            (samples,) mono float32 at 16 kHz; at least one block that is not empty.

        Raises:
            AudioError: nothing can be decoded of it; with `strict`, at the first damage; it is longer than `longest`.
        """
        if not 0 <= start < (math.inf if end is None else end):
            raise AudioError(self.path, f"the span {start} s to {end} s is empty or negative.")
        channel = channel or self.channels[0]
        first = max(0, int(start // CELL) - 1) * CELL  # the offset of a cell depends on that of the one before
        damages = Damages()
        mono = without_offset(self._mono(self._pieces(first, damages), channel))
        begin = round(start * SAMPLE_RATE) - first * SAMPLE_RATE
        last = None if end is None else round(end * SAMPLE_RATE) - first * SAMPLE_RATE
        produced = False
        try:
            for block in cut(resampled(mono), begin, last):
                produced = True
                yield block
        finally:
            self._keep(damages)
        if not produced:
            raise AudioError(self.path, "it holds no samples" + ("." if start == 0 else f" after {start:g} s."))

    def load(self, channel: Channel | None = None, start: float = 0.0, end: float | None = None) -> np.ndarray:
        """The same as `blocks`, in one piece."""
        pieces = list(self.blocks(channel, start, end))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def length(self) -> float:
        """Its length in seconds: `duration` where that is known, else counted by decoding it.

        Raises:
            AudioError: nothing can be decoded of it.
        """
        if self.duration:
            return self.duration
        damages = Damages()
        try:
            return sum(piece.count / piece.rate for piece in self._pieces(0, damages))
        finally:
            self._keep(damages)

    def _pieces(self, start: int, damages: Damages) -> Iterator[Piece]:
        """What the decoder gives from `start` seconds on; at least some sound of it."""
        if self._short is not None:
            yield from skipping(iter(self._short), start)
            return
        if self._longest is not None and (self.duration or 0.0) > self._longest:
            raise TooLong(self.path, f"it is longer than {self._longest:g} s.")
        heard, place = False, float(start)
        note = self._refusing(damages.note) if self._strict else damages.note
        for piece in self._decoder.read(start, note):
            place += piece.count / piece.rate
            if self._longest is not None and place > self._longest:
                raise TooLong(self.path, f"it is longer than {self._longest:g} s.")
            piece = self._sound(piece, place - piece.count / piece.rate, note)
            heard = heard or piece.samples is not None
            yield piece
        if not heard and start == 0:
            raise AudioError(self.path, NOT_AUDIO if damages.all() else "it holds no samples.")

    def _sound(self, piece: Piece, place: float, note: Note) -> Piece:
        """Silence instead of what is no number."""
        if piece.samples is None:
            return piece
        flat = piece.samples.ravel(order="K")
        with np.errstate(over="ignore", invalid="ignore"):
            if np.dot(flat, flat) < _LOUDEST * _LOUDEST:  # the quickest way to see that there is no NaN or infinity
                return piece
        bad = ~(np.abs(piece.samples) < _LOUDEST)
        if not bad.any():
            return piece
        rows = np.flatnonzero(bad.any(axis=1))
        note(Damage("unreadable", place + rows[0] / piece.rate, len(rows) / piece.rate))
        return replace(piece, samples=None if bad.all() else np.where(bad, np.float32(0), piece.samples))

    def _mono(self, pieces: Iterator[Piece], channel: Channel) -> Iterator[Piece]:
        for piece in pieces:
            yield piece if piece.samples is None else replace(piece, samples=channel.of(piece.samples))

    def _likeness(self) -> Likeness:
        """Of its channels, from all of it; a short recording is kept on the way."""
        likeness, damages = Likeness(self._decoder.channels), Damages()
        pieces: list[Piece] = []
        kept = 0
        try:
            for piece in self._pieces(0, damages):
                if piece.samples is not None:
                    likeness.add(piece.rate, piece.samples)
                kept += 0 if piece.samples is None else piece.samples.size
                pieces = [*pieces, piece] if kept <= _KEPT else []
        finally:
            self._keep(damages)
        if kept <= _KEPT:
            self._short = pieces
        return likeness

    def _keep(self, damages: Damages) -> None:
        for damage in damages.all():
            key = damage.kind, round(damage.at, 3)
            known = self._damage.get(key)
            if known is None or (damage.seconds or 0) >= (known.seconds or 0):
                self._damage[key] = damage

    def _refusing(self, note: Note) -> Note:
        def refuse(damage: Damage) -> None:
            note(damage)
            raise AudioError(self.path, f"{damage}.")

        return refuse


class TooLong(AudioError):
    """A recording that is longer than was allowed."""
