"""wav2vec 2.0 and its kin (WavLM, HuBERT, data2vec-audio) run without their padding.

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

from emorank.encoders.pooling import Piece, batches

SAMPLE_RATE = 16_000  # Hz
WINDOW = 30 * SAMPLE_RATE  # samples; longer clips are encoded in equal windows, because attention grows with the square
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
    """

    def __init__(self, network: Any, layers: Sequence[int], depth: int) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
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

    @torch.inference_mode()
    def __call__(self, pieces: list[Piece]) -> Iterator[tuple[int, Tensor]]:
        """(clip, samples) -> (clip, (frames, width) states of the chosen layers side by side), in any order."""
        for batch in batches(pieces, self.frames, FRAMES_PER_BATCH, equal=self._alone):
            projected = [self._project(wave) for _, wave in batch]
            lengths = torch.tensor([len(states) for states in projected], device=self.device)
            hidden = nn.utils.rnn.pad_sequence(projected, batch_first=True)
            inside = torch.arange(hidden.shape[1], device=self.device) < lengths[:, None]
            states = self._transform(hidden, None if bool(inside.all()) else inside)
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
