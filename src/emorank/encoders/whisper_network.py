"""Whisper's spectrogram and the layers of its encoder that are used, for numpy and for torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.types import Array

HOP = 160  # samples between two mel frames
FFT = 400  # samples in one mel frame
SHORTEST = SAMPLE_RATE // 10  # samples; shorter clips are zero-padded to this


@dataclass(frozen=True)
class WhisperNetwork:
    """The convolutions and the first layers of an encoder.

    Args:
        weights: by transformers' names, but queries, keys and values of a layer in one `self_attn.qkv_proj`.
        heads: of each layer's attention.
        width: of a frame.
        mel_bins: of a frame of the spectrogram.
    """

    weights: Mapping[str, Any]
    heads: int
    width: int = 512
    mel_bins: int = 80

    def __call__(self, ops: ModuleType, mel: Any, layers: Sequence[int], inside: Any = None) -> Any:
        """The forward pass, of one clip in numpy or of a batch in torch, as the weights are.

        Args:
            ops: `numpy_layers` or `torch_layers`.
            mel: (..., mel frames, mel_bins).
            layers: which are wanted, ascending, 1 = the output of the first.
            inside: (batch, mel frames), where clips that are padded have frames; None where none is padded.

        Returns:
            (..., frames, width of all wanted layers side by side), half as many frames as mel frames.
        """

        def weighted(op: Any, name: str, x: Any, *options: int) -> Any:
            return op(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"], *options)

        x = ops.gelu(weighted(ops.convolution, "conv1", mel, 1))
        if inside is not None:  # a lone clip ends in the zeros around a convolution: give it the same end in a batch
            x = x * inside[..., None]
            inside = inside[:, None, None, ::2]
        x = ops.gelu(weighted(ops.convolution, "conv2", x, 2))
        x = x + self.weights["embed_positions.weight"][: x.shape[-2]]
        kept = []
        for number in range(1, layers[-1] + 1):
            layer = f"layers.{number - 1}"
            qkv = weighted(ops.layer_norm, f"{layer}.self_attn_layer_norm", x)
            qkv = weighted(ops.linear, f"{layer}.self_attn.qkv_proj", qkv)
            qkv = qkv.reshape(*qkv.shape[:-1], 3 * self.heads, -1).swapaxes(-2, -3)
            three = (qkv[..., part * self.heads : (part + 1) * self.heads, :, :] for part in range(3))
            mixed = ops.attention(*three, inside).swapaxes(-2, -3).reshape(x.shape)
            x = x + weighted(ops.linear, f"{layer}.self_attn.out_proj", mixed)
            inner = weighted(ops.linear, f"{layer}.fc1", weighted(ops.layer_norm, f"{layer}.final_layer_norm", x))
            x = x + weighted(ops.linear, f"{layer}.fc2", ops.gelu(inner))
            if number in layers:
                kept.append(x)
        return ops.side_by_side(kept)


def log_mel(wave: np.ndarray, bins: int) -> Array:
    """Whisper's log-mel spectrogram of one clip, (frames, bins)."""
    padded = np.pad(wave.astype(np.float32), (0, max(0, SHORTEST - len(wave))))
    padded = np.pad(padded, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    spectrum = np.fft.rfft(frames * hann.astype(np.float32))
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    log = np.log10(np.maximum(power @ mel_filters(bins), np.float32(1e-10)))
    result: Array = (np.maximum(log, log.max() - np.float32(8)) + np.float32(4)) / np.float32(4)
    return result


@lru_cache
def mel_filters(bins: int, factor: float = 1.0) -> Array:
    """(FFT / 2 + 1, bins) triangles of equal area on Slaney's scale: linear up to 1 kHz, logarithmic above.

    Args:
        bins: how many.
        factor: that all frequencies of the sound are multiplied with first.
    """
    ratio = np.log(6.4) / 27  # between two steps of the logarithmic part
    steps = np.linspace(0, 15 + np.log(SAMPLE_RATE / 2000) / ratio, bins + 2)
    edges = np.where(steps < 15, 200 / 3 * steps, 1000 * np.exp(ratio * (steps - 15)))[:, None]
    frequencies = np.linspace(0, SAMPLE_RATE / 2, FFT // 2 + 1) * factor
    rising = (frequencies - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - frequencies) / (edges[2:] - edges[1:-1])
    triangles = np.maximum(0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    return np.ascontiguousarray(triangles.T, np.float32)
