"""Samples as they are drawn: the lowest and highest of each stretch, and how loud each band of its spectrum is.

The bands are a mel apart, as an ear tells them, from 60 Hz to 8 kHz; at a lower rate what it cannot
hold is silence.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np

from emorank.audio.decoder import Samples

BANDS = 64
LOWEST, HIGHEST = 60.0, 8_000.0  # Hz
FLOOR = -96.0  # dB of full scale, the level 0; 255 is 0 dB
WINDOW = 0.032  # seconds that a spectrum is of
_EACH = 3  # windows that a stretch is heard in, at most
_AT_ONCE = 1 << 20  # samples in windows

Array = np.ndarray[Any, np.dtype[Any]]


def reduced(reduce: np.ufunc, values: Array, first: Array, last: Array) -> Array:
    """(bins,) the values from first to last as one; 0 where there are none."""
    found = np.zeros(len(first), values.dtype)
    heard = np.flatnonzero(last > first)
    if len(heard):
        bounds = np.stack([first[heard], last[heard]], 1).ravel()
        if bounds.max() == len(values):  # an end has to be a place, too
            values = np.append(values, values[-1:])
        found[heard] = reduce.reduceat(values, bounds)[::2]
    return found


def peaks_of(samples: Samples, edges: Array) -> Array:
    """(bins, 2) lowest and highest sample between edges, which are counted in samples; 0 where there are none."""
    low, high = samples.min(1), samples.max(1)
    first = np.clip(np.round(edges[:-1]), 0, len(samples)).astype(np.int64)
    last = np.clip(np.maximum(np.round(edges[1:]), np.round(edges[:-1]) + 1), 0, len(samples)).astype(np.int64)
    both = [reduced(np.minimum, low, first, last), reduced(np.maximum, high, first, last)]
    peaks: Array = np.round(np.stack(both, 1).clip(-1, 1) * 32767).astype(np.int16)
    return peaks


def bands_of(samples: Samples, edges: Array, rate: int) -> Array:
    """(bins, BANDS) levels: of spectra spread over each stretch, or of one around its middle where it is short."""
    size = 1 << round(np.log2(WINDOW * rate))
    each = max(1, min(_EACH, int((edges[1] - edges[0]) / size)))
    window, weights = np.hanning(size).astype(np.float32), _weights(rate, size)
    levels = np.zeros((len(edges) - 1, BANDS), np.uint8)
    middles = edges[:-1, None] + (edges[1:] - edges[:-1])[:, None] * ((np.arange(each) + 0.5) / each)
    starts = np.round(middles - size / 2).astype(np.int64)
    at_once = max(1, _AT_ONCE // (each * size))
    channels = [np.pad(samples[:, i], (size, 2 * size)) for i in range(samples.shape[1])]
    for begin in range(0, len(levels), at_once):
        part = starts[begin : begin + at_once].clip(-size, len(samples)) + size  # beyond is silence
        power = np.zeros((part.size, size // 2 + 1), np.float32)
        for channel in channels:
            frames = np.lib.stride_tricks.sliding_window_view(channel, size)[part.ravel()]
            spectrum = np.fft.rfft(frames * window)
            power += spectrum.real**2 + spectrum.imag**2
        heard = (power @ weights).reshape(len(part), each, BANDS).mean(1) / len(channels)
        decibels = 10 * np.log10(np.maximum(heard, 1e-12))
        levels[begin : begin + at_once] = np.round((decibels - FLOOR) / -FLOOR * 255).clip(0, 255)
    return levels


@lru_cache(8)
def _weights(rate: int, size: int) -> Array:
    """(size // 2 + 1, BANDS) how much of the power at each frequency a band takes in.

    A sine of full scale gives about 0 dB.
    """
    mel = np.linspace(_mel(LOWEST), _mel(HIGHEST), BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    step = rate / size
    frequencies = np.arange(size // 2 + 1)[:, None] * step
    wide = np.maximum(np.maximum(edges[2:] - edges[1:-1], edges[1:-1] - edges[:-2]), step)
    triangles = np.maximum(0, 1 - np.abs(frequencies - edges[1:-1]) / wide)
    weights: Array = (triangles * (4 / np.hanning(size).sum() ** 2)).astype(np.float32)
    return weights


def _mel(frequency: float) -> float:
    """Of a frequency in Hz."""
    return 2595 * math.log10(1 + frequency / 700)
