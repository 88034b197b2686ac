"""Any WavLM, HuBERT, wav2vec 2.0 or data2vec-audio as a frozen audio encoder, run without its padding.

The convolutions see one clip at a time: their group norm, where they have it, would take padding for speech, and
padding costs most of their time. The transformer sees clips of like length together, padding masked.
"""

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoFeatureExtractor

from emorank.audio import SAMPLE_RATE
from emorank.encoders.base import AudioEncoder, Spec
from emorank.encoders.checkpoint import PREPROCESSOR, complete_folder, read_network, readable, transformers_config
from emorank.encoders.device import inference, torch_device
from emorank.encoders.pooling import Moments, Piece, batches, pieces_of
from emorank.errors import EmorankError
from emorank.types import Array

FRAMES_PER_BATCH = 1500  # of 20 ms; bounds the memory of one forward pass

# WavLM hands torch a boolean padding mask beside its float position bias: right, and worth no line to the user.
warnings.filterwarnings("ignore", message="Support for mismatched key_padding_mask and attn_mask")

_LEAKS = frozenset({"data2vec-audio"})  # their stacked positional convolutions carry padding into the clip


class Backbone:
    """A speech network as a function from clips to frames; the same clip gives the same frames in any batch.

    Args:
        network: a transformers model with `feature_extractor`, `feature_projection` and `encoder`, perhaps cut
            after some layer.
        layers: which layers' outputs are wanted, 1 = the first transformer layer.
        depth: layers that the checkpoint has; the norm on top of the last belongs to the output of that one alone.
        on: the device, None is the best there is.
    """

    def __init__(self, network: Any, layers: Sequence[int], depth: int, on: str | None = None) -> None:
        self.device = torch_device(on)
        self.config: Any = network.config
        self.width = int(self.config.hidden_size) * len(layers)
        self._network: Any = network.eval().requires_grad_(False).to(self.device)
        self._layers = layers
        self._depth = depth
        self._alone = self.config.model_type in _LEAKS
        self._shapes = list(zip(self.config.conv_kernel, self.config.conv_stride, strict=True))
        self._shortest = 1
        for kernel, stride in reversed(self._shapes):
            self._shortest = (self._shortest - 1) * stride + kernel

    def frames(self, samples: int) -> int:
        """How many frames a clip of so many samples has, at least one."""
        length = max(samples, self._shortest)
        for kernel, stride in self._shapes:
            length = (length - kernel) // stride + 1
        return length

    def __call__(self, pieces: list[Piece]) -> Iterator[tuple[int, Tensor]]:
        """(clip, samples) -> (clip, (frames, width) states of the wanted layers side by side), in any order."""
        for batch in batches(pieces, self.frames, FRAMES_PER_BATCH, equal=self._alone):
            with inference(self.device):
                projected = [self._project(wave) for _, wave in batch]
                lengths = torch.tensor([len(states) for states in projected])
                hidden = nn.utils.rnn.pad_sequence(projected, batch_first=True)
                inside = torch.arange(hidden.shape[1]) < lengths[:, None]
                states = self._transform(hidden, None if bool(inside.all()) else inside.to(self.device))
            for (clip, _), frames, length in zip(batch, states, lengths.tolist(), strict=True):
                yield clip, frames[:length]

    def _project(self, wave: np.ndarray) -> Tensor:
        """One clip -> (frames, hidden_size), what the transformer takes."""
        samples = torch.from_numpy(np.ascontiguousarray(wave, np.float32)).to(self.device)
        samples = functional.pad(samples, (0, max(0, self._shortest - len(samples))))
        features = self._network.feature_extractor(samples[None]).transpose(1, 2)
        projected = self._network.feature_projection(features)
        states: Tensor = (projected[0] if isinstance(projected, tuple) else projected)[0]
        return states

    def _transform(self, hidden: Tensor, inside: Tensor | None) -> Tensor:
        """(batch, frames, hidden_size) -> (batch, frames, width)."""
        kept: dict[int, Tensor] = {}

        def keep(layer: int) -> Any:
            def hook(module: nn.Module, inputs: Any, output: Any) -> None:
                kept[layer] = output[0] if isinstance(output, tuple) else output

            return hook

        hooks = [self._network.encoder.layers[layer - 1].register_forward_hook(keep(layer)) for layer in self._layers]
        try:
            top = self._network.encoder(hidden, attention_mask=inside).last_hidden_state
        finally:
            for hook in hooks:
                hook.remove()
        if self._depth in kept:
            kept[self._depth] = top
        return torch.cat([kept[layer] for layer in self._layers], dim=2)


class SpeechEncoder:
    """Mean, and standard deviation if asked for, over time of hidden layers of a speech network.

    Args:
        backbone: gives the wanted layers.
        normalise: whether the network was trained on clips of mean 0 and variance 1.
        spec: its name and pooling, `mean_std` or `mean`.
        fingerprint: see `emorank.encoders.base`.
    """

    def __init__(self, backbone: Backbone, normalise: bool, spec: Spec, fingerprint: str = "") -> None:
        self.name = spec.name
        self.fingerprint = fingerprint
        self.dim = backbone.width * (2 if spec.pooling == "mean_std" else 1)
        self.device = str(backbone.device)
        self._backbone = backbone
        self._normalise = normalise
        self._pooling = spec.pooling

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """Encode clips; order is kept, and a clip's vector does not depend on the others.

        Args:
            waves: mono float32 arrays at 16 kHz, any length; longer than 30 s is pooled over windows.

        Returns:
            (n, dim) float32: for all layers the mean over time, then for all the standard deviation if it is pooled.
        """
        moments = Moments(len(waves), self._backbone.width)
        for clip, frames in self._backbone(pieces_of([_normal(wave) for wave in waves] if self._normalise else waves)):
            moments.add(clip, frames.cpu().numpy())
        return moments.pooled(self._pooling)


def load(spec: Spec, fingerprint: str, on: str | None) -> AudioEncoder:
    """The encoder of a local folder or hub id; layers above the highest wanted one are never built.

    Raises:
        EmorankError: it does not say how sound is prepared for it, or lacks weights.
    """
    source = spec.source
    config = transformers_config(source)
    depth = config.num_hidden_layers
    folder = complete_folder(source)
    if not (folder / PREPROCESSOR).is_file():
        raise EmorankError(f"{source} does not say how sound is prepared for it; its {PREPROCESSOR} is missing.")
    with readable(source):
        preparation = AutoFeatureExtractor.from_pretrained(folder, trust_remote_code=False)
    if preparation.sampling_rate != SAMPLE_RATE:
        raise EmorankError(f"{source} is for {preparation.sampling_rate} Hz; emorank hears 16000 Hz.")
    config.num_hidden_layers = max(spec.layers)
    config.mask_time_prob = config.mask_feature_prob = 0.0  # the embedding of masked frames serves training alone
    config.add_adapter = False
    backbone = Backbone(read_network(source, config), spec.layers, depth, on)
    return SpeechEncoder(backbone, preparation.do_normalize, spec, fingerprint)


def _normal(wave: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1, as Wav2Vec2FeatureExtractor does it."""
    if not len(wave):
        return wave
    exact = wave.astype(np.float64)
    normal: np.ndarray = ((exact - exact.mean()) / np.sqrt(exact.var() + 1e-7)).astype(np.float32)
    return normal
