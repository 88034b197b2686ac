"""The layers that are tuned: Whisper's as they were, low-rank updates beside their matrices, and a way to read them.

After the tuning the updates are added to the matrices, so that a tuned encoder costs what the untuned one does.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from emorank.affect import NEUTRAL
from emorank.encoders.pooling import SMALLEST_VARIANCE
from emorank.tuning.config import TuneConfig
from emorank.types import Array

HEADS = 8  # of every layer's attention in Whisper-base
ATTENTION = 128  # width of what weighs the frames
_MATRICES = ("self_attn.qkv_proj", "self_attn.out_proj", "fc1", "fc2")
_FIXED = ("conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "embed_positions.weight")
_NORMS = ("self_attn_layer_norm", "final_layer_norm")
JOINT = 256  # width of the space of voices and descriptions while tuning
POOL = "pool"


class _Linear(nn.Module):
    """A matrix that stays, its bias that does not, and a low-rank update."""

    weight: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, rank: int, update: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.bias = nn.Parameter(bias)
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1]) / math.sqrt(weight.shape[1]))
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank))
        self._update = update

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.merged(), self.bias)

    def merged(self) -> Tensor:
        """The matrix with its update: one product of small matrices a batch, nothing more for every frame."""
        return torch.addmm(self.weight, self.up, self.down, alpha=self._update)


class _Layer(nn.Module):
    def __init__(self, weights: Mapping[str, Tensor], name: str, config: TuneConfig) -> None:
        super().__init__()
        self.linear = nn.ModuleList(
            _Linear(weights[f"{name}.{each}.weight"], weights[f"{name}.{each}.bias"], config.rank, config.update)
            for each in _MATRICES
        )
        self.norms = nn.ModuleList(nn.LayerNorm(weights[f"{name}.{each}.weight"].shape) for each in _NORMS)
        for norm, each in zip(self.norms, _NORMS, strict=True):
            norm.load_state_dict({kind: weights[f"{name}.{each}.{kind}"] for kind in ("weight", "bias")})

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        batch, frames, width = x.shape
        three = self.linear[0](self.norms[0](x)).view(batch, frames, 3, HEADS, -1).transpose(1, 3)
        query, key, value = three.unbind(2)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=inside[:, None, None])
        x = x + self.linear[1](mixed.transpose(1, 2).reshape(batch, frames, width))
        changed: Tensor = self.linear[3](functional.gelu(self.linear[2](self.norms[1](x))))
        return x + changed

    def named(self) -> Iterator[tuple[str, nn.Module]]:
        """Its parts by transformers' names."""
        yield from zip((*_MATRICES, *_NORMS), (*self.linear, *self.norms), strict=True)


class TunedWhisper(nn.Module):
    """Spectrograms -> pooled vectors.

    Args:
        weights: of the convolutions and the layers, as `emorank.encoders.whisper_network.WhisperNetwork` names them.
        config: the layers and the rank.
    """

    def __init__(self, weights: Mapping[str, Array], config: TuneConfig) -> None:
        super().__init__()
        tensors = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in weights.items()}
        self._fixed = nn.ParameterDict(
            {
                name.replace(".", "_"): nn.Parameter(tensor, False)
                for name, tensor in tensors.items()
                if "layer" not in name
            }
        )
        self._chosen = config.layers
        self.layers = nn.ModuleList(_Layer(tensors, f"layers.{index}", config) for index in range(max(config.layers)))
        self.width = tensors["embed_positions.weight"].shape[1] * len(config.layers)
        self.weigh = nn.Linear(self.width, ATTENTION)
        self.focus = nn.Linear(ATTENTION, 1, bias=False)
        nn.init.zeros_(self.focus.weight)  # begins with the plain mean

    @property
    def dim(self) -> int:
        """Length of a pooled vector."""
        return 2 * self.width

    def frames(self, mel: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, mel frames, bins) and where clips are -> (batch, frames, width) of the layers, and where they are."""
        fixed = self._fixed
        x = functional.conv1d(mel.mT, fixed["conv1_weight"], fixed["conv1_bias"], padding=1)
        x = functional.gelu(x) * inside[:, None]
        x = functional.gelu(functional.conv1d(x, fixed["conv2_weight"], fixed["conv2_bias"], 2, 1)).mT
        x = x + fixed["embed_positions_weight"][: x.shape[1]]
        inside = inside[:, ::2]
        kept = []
        for number, layer in enumerate(self.layers, 1):
            x = layer(x, inside)
            if number in self._chosen:
                kept.append(x)
        return torch.cat(kept, -1), inside

    def forward(self, mel: Tensor, inside: Tensor) -> Tensor:
        """The same -> (batch, dim): the mean over time of all layers, then the deviation, of weighed frames."""
        x, inside = self.frames(mel, inside)
        x = x.float()
        logits = self.focus(torch.tanh(self.weigh(x)))[..., 0].float()
        weights = logits.masked_fill(~inside, -torch.inf).softmax(1)[..., None]
        mean = (weights * x).sum(1)
        variance = (weights * x.square()).sum(1) - mean.square()
        return torch.cat([mean, variance.clamp(min=SMALLEST_VARIANCE).sqrt()], -1)

    @torch.no_grad()
    def absorb(self, merged: Mapping[str, Array]) -> None:
        """Take the weights that `merged` gave, with no update beside them."""
        for name, part in self._parts():
            for kind, own in ("weight", part.weight), ("bias", part.bias):
                if isinstance(own, Tensor):
                    own.copy_(torch.from_numpy(merged[f"{name}.{kind}"]))
            if isinstance(part, _Linear):
                part.up.zero_()

    def merged(self) -> dict[str, Array]:
        """The weights with the updates in them and those of the pooling, as `WhisperNetwork` names them."""
        found: dict[str, Any] = {name: self._fixed[name.replace(".", "_")] for name in _FIXED}
        for name, part in self._parts():
            weight = part.merged() if isinstance(part, _Linear) else part.weight
            found[f"{name}.weight"] = weight
            if part.bias is not None:
                found[f"{name}.bias"] = part.bias
        return {name: value.detach().float().cpu().numpy() for name, value in found.items()}

    def _parts(self) -> Iterator[tuple[str, Any]]:
        layers: Any = self.layers
        for index, layer in enumerate(layers):
            yield from ((f"layers.{index}.{name}", part) for name, part in layer.named())
        yield from ((f"{POOL}.weigh", self.weigh), (f"{POOL}.focus", self.focus))


class Readout(nn.Module):
    """A pooled vector -> dimensions of affect, one logit a category, and an embedding for descriptions.

    Linear, so that what is learnt stands in the vector in a form that heads can take up.

    Args:
        untuned: (n, dim) pooled vectors of training clips before the tuning; their mean and deviation are taken out.
        dimensions: of affect.
        categories: how many.
        text_dim: of a description's vector; 0 for a readout without them.
        dropout: share of the vector that is blanked in training.
    """

    center: Tensor
    spread: Tensor

    def __init__(self, untuned: Tensor, dimensions: int, categories: int, text_dim: int, dropout: float) -> None:
        super().__init__()
        dim = untuned.shape[1]
        self.register_buffer("center", untuned.mean(0))
        self.register_buffer("spread", untuned.std(0) + 1e-5)
        self._dropout = nn.Dropout(dropout)
        self.places = nn.Linear(dim, dimensions)
        self.kinds = nn.Linear(dim, categories)
        self.audio = nn.Linear(dim, JOINT) if text_dim else None
        self.text = nn.Sequential(nn.Dropout(0.3), nn.Linear(text_dim, JOINT), nn.ReLU(), nn.Linear(JOINT, JOINT))
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """(batch, dim) -> places 1..7, logits, embeddings or None."""
        x = self._dropout((pooled - self.center) / self.spread)
        return NEUTRAL + self.places(x), self.kinds(x), None if self.audio is None else self.audio(x)
