"""Whisper's encoder as a frozen audio encoder: its own window, only the layers that are used.

The stock pipeline pads every clip to 30 s. Here the window ends with the clip, padding within a batch is masked,
and the layers above the highest chosen one are never built. Every clip is brought to one level first, so that the
distance of the microphone does not count as feeling.
"""

import dataclasses
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from emorank.audio import SAMPLE_RATE
from emorank.encoders import numpy_layers, packaged
from emorank.encoders.attentive import Attention, tuned_layers
from emorank.encoders.base import AudioEncoder, Spec
from emorank.encoders.checkpoint import complete_folder, read_config, read_network, transformers_config, weight_files
from emorank.encoders.device import inference, torch_device
from emorank.encoders.pooling import Moments, Piece, batches, pieces_of
from emorank.encoders.tuned import is_tuned, read_tuned
from emorank.encoders.whisper_network import HOP, WhisperNetwork, log_mel
from emorank.errors import EmorankError
from emorank.types import Array

LEVEL = 10 ** (-25 / 20)  # root mean square that every clip is scaled to, -25 dB of full scale
SILENCE = 1e-4  # root mean square below which a clip is not raised any further
FRAMES_PER_BATCH = 3000  # of 20 ms; bounds the memory of one forward pass
FRAMES_PER_CORE, FEWEST_FRAMES = 1000, 500  # in a batch, where each core has one; smaller matrices are slower
WITHOUT_TORCH = 60.0  # seconds of sound that numpy has encoded before torch is worth the seconds of its import


class WhisperEncoder:
    """Mean, and standard deviation if asked for, over time of hidden layers of Whisper's encoder.

    Args:
        network: with numpy's weights of the layers up to the highest wanted one.
        spec: its name, layers and pooling, `mean_std`, `mean`, or `attentive`, both with the weights of `attention`.
        fingerprint: see `emorank.encoders.base`.
        on: the device, None is the best there is.
        attention: how much each frame counts.

    Attributes:
        network: as given.
        spec: as given.
        attention: as given where it is the pooling, else None.
    """

    def __init__(
        self,
        network: WhisperNetwork,
        spec: Spec,
        fingerprint: str = "",
        on: str | None = None,
        attention: Attention | None = None,
    ) -> None:
        self.name = spec.name
        self.fingerprint = fingerprint
        self._width = network.width * len(spec.layers)
        self.dim = self._width * (1 if spec.pooling == "mean" else 2)
        self.network = network
        self.spec = spec
        self._on = on
        self.attention = attention if spec.pooling == "attentive" else None
        self._heard = 0.0  # seconds of sound

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """Encode clips; order is kept, and a clip's vector does not depend on the others.

        Args:
            waves: mono float32 arrays at 16 kHz, any length; longer than 30 s is pooled over windows.

        Returns:
            (n, dim) float32: for all layers the mean over time, then for all the standard deviation if it is pooled.
        """
        self._heard += sum(map(len, waves)) / SAMPLE_RATE
        early = self._on in (None, "cpu") and self._heard <= WITHOUT_TORCH and "torch" not in sys.modules
        pieces = pieces_of([levelled(wave) for wave in waves])
        moments = Moments(len(waves), self._width)
        for clip, frames in self._in_numpy(pieces) if early else self._in_torch(pieces):
            moments.add(clip, frames, None if self.attention is None else self.attention(frames))
        return moments.pooled(self.spec.pooling)

    @property
    def device(self) -> str:
        """Where torch computes; the first seconds of sound are encoded in numpy, before torch is imported."""
        return str(torch_device(self._on))

    @cached_property
    def _placed(self) -> WhisperNetwork:
        """The network with its weights in torch, on the device."""
        import torch

        there = torch_device(self._on)
        weights = {name: torch.from_numpy(array).to(there) for name, array in self.network.weights.items()}
        return dataclasses.replace(self.network, weights=weights)

    def _in_numpy(self, pieces: list[Piece]) -> Iterator[tuple[int, Array]]:
        for clip, wave in pieces:
            yield clip, self.network(numpy_layers, log_mel(wave, self.network.mel_bins), self.spec.layers)

    def _in_torch(self, pieces: list[Piece]) -> Iterator[tuple[int, Array]]:
        import torch

        from emorank.encoders import torch_layers
        from emorank.encoders.cores import cores_of, side_by_side

        there, network = torch_device(self._on), self._placed

        def states(batch: list[Piece]) -> list[tuple[int, Array]]:
            mels = [torch.from_numpy(log_mel(wave, network.mel_bins)) for _, wave in batch]
            lengths = torch.tensor([len(mel) for mel in mels])
            with inference(there):
                padded = torch.nn.utils.rnn.pad_sequence(mels, batch_first=True).to(there)
                inside = torch.arange(padded.shape[1]) < lengths[:, None]
                mask = None if bool(inside.all()) else inside.to(there)
                found = network(torch_layers, padded, self.spec.layers, mask).cpu().numpy()
            each = zip(batch, found, lengths.tolist(), strict=True)
            return [(clip, frames[: (length + 1) // 2]) for (clip, _), frames, length in each]

        cores = cores_of(there)
        frames = sum(_frames(len(wave)) for _, wave in pieces)
        share = min(FRAMES_PER_CORE, max(FEWEST_FRAMES, frames // (2 * cores)))
        together = batches(pieces, _frames, FRAMES_PER_BATCH if cores == 1 else share)
        for some in side_by_side(states, list(together), cores):
            yield from some


def _frames(samples: int) -> int:
    """Of a clip, as the layers see it."""
    return samples // (2 * HOP) + 1


def load(spec: Spec, fingerprint: str, on: str | None) -> AudioEncoder:
    """The encoder of the packaged weights, a local folder or a hub id.

    Raises:
        EmorankError: it cannot be had, has no such layer, or lacks weights.
    """
    attention = None
    if spec.source != "whisper-base" and (found := _tuned(spec.source)):
        file, config = found
        weights, attention = read_tuned(file, tuned_layers(config) is not None)
        network = WhisperNetwork(
            weights,
            config.get("encoder_attention_heads", 8),
            weights["conv2.bias"].shape[0],
            weights["conv1.weight"].shape[1],
        )
    elif spec.source in packaged.PACKAGED:
        network = WhisperNetwork(packaged.whisper_base(max(spec.layers)), heads=8)
    else:
        network = _read(spec)
    return WhisperEncoder(network, spec, fingerprint, on, attention)


def _tuned(source: str) -> tuple[Path, dict[str, Any]] | None:
    """The weights and the config of an encoder that emorank tuned, packaged or in a folder; None for any other."""
    if source in packaged.PACKAGED:
        files = packaged.files(source)
        return next(file for file in files if file.suffix == ".safetensors"), packaged.CONFIGS[source]
    config = read_config(source)
    return (weight_files(complete_folder(source))[0], config) if is_tuned(config) else None


def _read(spec: Spec) -> WhisperNetwork:
    """Of a checkpoint in transformers' format, with or without a head on top."""
    config = transformers_config(spec.source)
    if config.activation_function != "gelu":
        raise EmorankError(f"{spec.source} is a Whisper with {config.activation_function}; gelu is needed.")
    config.encoder_layers, config.decoder_layers = max(spec.layers), 1
    network = read_network(spec.source, config, unused="decoder.").encoder
    arrays = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    for index in range(max(spec.layers)):
        attention = f"layers.{index}.self_attn"
        arrays[f"{attention}.k_proj.bias"] = np.zeros(config.d_model, np.float32)  # Whisper has none
        for kind in ("weight", "bias"):
            three = [arrays.pop(f"{attention}.{part}_proj.{kind}") for part in "qkv"]
            arrays[f"{attention}.qkv_proj.{kind}"] = np.concatenate(three)
    return WhisperNetwork(arrays, config.encoder_attention_heads, config.d_model, config.num_mel_bins)


def levelled(wave: np.ndarray) -> np.ndarray:
    """The clip at one level, whatever the distance of the microphone."""
    level = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if len(wave) else 0.0
    scaled: np.ndarray = wave * np.float32(LEVEL / max(level, SILENCE))
    return scaled
