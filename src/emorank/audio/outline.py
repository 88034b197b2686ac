"""How a recording looks: its highest and lowest samples and its spectrum, of a part or, as it is decoded, of the whole.

Both are of the file's own samples at its own rate, of one of its channels or of all.
"""

import os
import threading
from dataclasses import dataclass

import numpy as np

from emorank.audio.bins import BANDS, WINDOW, Array, bands_of, peaks_of, reduced
from emorank.audio.decoder import Piece, Samples
from emorank.audio.excerpts import excerpts
from emorank.audio.opening import open_decoder
from emorank.audio.pcm import Pcm
from emorank.audio.sndfile import SndFile

_STEP = 0.25  # seconds from spectrum to spectrum, as long as they fit
_SHARE = 8  # peaks for every spectrum
_MOST = 1 << 17  # spectra that are kept of a recording; when they are, two and two become one
_TOGETHER = 8.0  # seconds that are outlined at once
_VALUES = 1 << 24  # samples times channels of a part that is decoded at once
_SOON = 300.0  # seconds into a compressed recording that are decoded fast enough to be waited for


@dataclass(frozen=True)
class Outline:
    """What is drawn of a recording, of stretches of equal length.

    Args:
        peaks: (bins, 2) int16, the lowest and the highest sample; full scale is 32767.
        bands: (bins, BANDS) uint8, level from low to high frequency; 0 is `FLOOR` dB or less, 255 is 0 dB.
    """

    peaks: Array
    bands: Array

    def bytes(self) -> bytes:
        """All peaks, then all bands, little-endian."""
        return self.peaks.astype("<i2").tobytes() + self.bands.tobytes()


def reachable(path: str | os.PathLike[str], start: float) -> bool:
    """Whether a part of a recording can be decoded without all that is before it, or that is short.

    Raises:
        AudioError: the file cannot be read as audio.
    """
    return start <= _SOON or isinstance(open_decoder(os.fspath(path)), Pcm | SndFile)


def of_part(path: str | os.PathLike[str], start: float, end: float, bins: int, channel: int | None = None) -> Outline:
    """The outline of a part of a recording, decoded for it.

    Args:
        path: the file.
        start: in seconds.
        end: in seconds; what is behind the end of the recording is silence.
        bins: how many stretches.
        channel: number of one channel, from 1; None is all of them.

    Raises:
        AudioError: it cannot be decoded, or its rate changes there.
        TooLong: it would take more memory than is allowed.
    """
    lead = max(0.0, start - WINDOW)
    (part,) = excerpts(path, [(lead, end + WINDOW)], channel, _VALUES)
    edges = (np.linspace(start, end, bins + 1) - lead) * part.rate
    samples = _sound(part.samples)
    return Outline(peaks_of(samples, edges), bands_of(samples, edges, part.rate))


class Growing:
    """The outline of a whole recording, while it is decoded; may be read meanwhile from another thread.

    It takes the same memory however long the recording is: what does not fit is drawn half as finely.

    Args:
        channel: number of one channel, from 1; None is all of them.
    """

    def __init__(self, channel: int | None = None) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._peaks = np.zeros((64 * _SHARE, 2), np.int16)
        self._bands = np.zeros((64, BANDS), np.uint8)
        self._count, self._step = 0, _STEP  # spectra that are there, and how many seconds each is of
        self._rate = 0  # of the first piece; others are brought to it
        self._held: list[Samples] = []  # what has no place in the outline yet
        self._waiting = 0  # samples of it
        self._first = 0  # its first sample, counted from the beginning
        self._added = 0  # samples in all

    @property
    def seconds(self) -> float:
        """How much of the recording is outlined."""
        return self._count * self._step

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return self._peaks.nbytes + self._bands.nbytes

    @property
    def length(self) -> float:
        """Seconds of what was added."""
        return self._added / self._rate if self._rate else 0.0

    def add(self, piece: Piece) -> None:
        """Go on by a piece."""
        self._rate = self._rate or piece.rate
        samples = np.zeros((piece.count, 1), np.float32) if piece.samples is None else piece.samples
        if self._channel and self._channel <= samples.shape[1]:
            samples = samples[:, self._channel - 1 : self._channel]
        samples = _sound(samples)
        if piece.rate != self._rate:
            samples = _at_rate(samples, piece.rate, self._rate)
        self._held.append(samples)
        self._waiting += len(samples)
        self._added += len(samples)
        if self._waiting >= _TOGETHER * self._rate:
            self._outline()

    def end(self) -> None:
        """Nothing more will come; what is left is outlined as well."""
        if self._waiting:
            self._outline()
        if self._waiting:
            missing = round((self._count + 1) * self._step * self._rate) - self._first - self._waiting
            self._held.append(np.zeros((missing, 1), np.float32))
            self._waiting += missing
            self._outline()

    def of(self, start: float, end: float, bins: int) -> Outline:
        """What is known of a part; silence where nothing is yet. Stretches may be shorter than what is kept."""
        edges = np.linspace(start, end, bins + 1)
        with self._lock:
            count, step = self._count, self._step
            first, last = _places(edges / step * _SHARE, count * _SHARE)
            low, high = (self._peaks[:, side] for side in (0, 1))
            peaks = np.stack(
                [reduced(np.minimum, low, first, last), reduced(np.maximum, high, first, last)], 1, dtype=np.int16
            )
            first, last = _places(edges / step, count)
            bands = np.zeros((bins, BANDS), np.uint8)
            heard = np.flatnonzero(last > first)
            if len(heard):
                since, until = first[heard], last[heard]
                sums = np.zeros((until.max() - since[0] + 1, BANDS), np.uint32)
                np.cumsum(self._bands[since[0] : until.max()], 0, np.uint32, out=sums[1:])
                bands[heard] = (sums[until - since[0]] - sums[since - since[0]]) // (until - since)[:, None]
        return Outline(peaks, bands)

    def _outline(self) -> None:
        """Outline what is held, as far as it fills whole stretches."""
        widest = max(samples.shape[1] for samples in self._held)
        held = [_wide(samples, widest) for samples in self._held]
        samples = held[0] if len(held) == 1 else np.concatenate(held)
        while count := min(int((self._first + len(samples)) / (self._step * self._rate)) - self._count, self._left):
            spectra = (self._count + np.arange(count + 1)) * (self._step * self._rate) - self._first
            peaks = np.linspace(spectra[0], spectra[-1], count * _SHARE + 1)
            outline = Outline(peaks_of(samples, peaks), bands_of(samples, spectra, self._rate))
            taken = round(spectra[-1])
            samples, self._first = samples[taken:], self._first + taken
            with self._lock:
                self._append(outline)
        self._held, self._waiting = [samples], len(samples)

    @property
    def _left(self) -> int:
        return _MOST - self._count

    def _append(self, outline: Outline) -> None:
        count = self._count + len(outline.bands)
        while count > len(self._bands):
            self._bands = np.concatenate([self._bands, np.zeros_like(self._bands)])
            self._peaks = np.concatenate([self._peaks, np.zeros_like(self._peaks)])
        self._bands[self._count : count] = outline.bands
        self._peaks[self._count * _SHARE : count * _SHARE] = outline.peaks
        self._count = count
        if count == _MOST:
            half = count // 2
            pairs = self._peaks.reshape(-1, 2, 2)
            self._peaks[: half * _SHARE] = np.stack([pairs[:, :, 0].min(1), pairs[:, :, 1].max(1)], 1)
            self._bands[:half] = (self._bands[::2].astype(np.uint16) + self._bands[1::2]) // 2
            self._count, self._step = half, 2 * self._step


def _places(edges: Array, count: int) -> tuple[Array, Array]:
    """First and behind the last of `count` things that stretches between edges take in; at least one of those there."""
    first = np.floor(edges[:-1] + 1e-6).astype(np.int64)
    last = np.maximum(first + 1, np.ceil(edges[1:] - 1e-6).astype(np.int64))
    return np.clip(first, 0, count), np.clip(last, 0, count)


def _sound(samples: Samples) -> Samples:
    """Silence where a sample is no number or beyond everything."""
    flat = samples.ravel(order="K")
    with np.errstate(over="ignore", invalid="ignore"):
        fine = np.dot(flat, flat) < np.inf
    return samples if fine else np.nan_to_num(samples, posinf=0.0, neginf=0.0).clip(-1, 1)


def _at_rate(samples: Samples, rate: int, wanted: int) -> Samples:
    """Good enough to be drawn: joined recordings alone change their rate."""
    places = np.arange(round(len(samples) * wanted / rate)) * (rate / wanted)
    there = np.arange(len(samples))
    return np.stack([np.interp(places, there, samples[:, i]) for i in range(samples.shape[1])], 1).astype(np.float32)


def _wide(samples: Samples, channels: int) -> Samples:
    """With so many channels; those that it lacks are its first."""
    lacking = channels - samples.shape[1]
    return samples if not lacking else np.concatenate([samples, samples[:, :1].repeat(lacking, 1)], 1)
