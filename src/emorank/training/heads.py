"""The two trainable heads and the temperature (paper sections 3.1 and 4.1)."""

import itertools
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emorank.model import Head
from emorank.training.config import TrainConfig
from emorank.training.data import Part
from emorank.types import Array

LARGEST_SCALE = 100.0  # the scale 1 / temperature is clamped here


class Projection(nn.Module):
    """Standardise, then Linear and ReLU for every width.

    Args:
        features: (n, encoder_dim) training features; their mean and deviation are kept.
        widths: outputs of every layer; the last is the embedding's.
        dropout: share of every layer's inputs that is blanked while training.

    Shape:
        (n, encoder_dim) -> (n, embedding_dim)
    """

    center: Tensor
    spread: Tensor

    def __init__(self, features: Tensor, widths: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.register_buffer("center", features.mean(0))
        self.register_buffer("spread", features.std(0, correction=0).clamp(min=1e-6))
        self.dropout = nn.Dropout(dropout)
        sizes = (features.shape[1], *widths)
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(sizes))

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings, not normalised."""
        hidden = (features - self.center) / self.spread
        for layer in self.layers:
            hidden = torch.relu(layer(self.dropout(hidden)))
        return hidden

    def export(self) -> Head:
        """The trained head as arrays."""
        layers = tuple((_array(layer.weight), _array(layer.bias)) for layer in self.layers)
        return Head(_array(self.center), _array(self.spread), layers)


def _array(tensor: Any) -> Array:
    result: Array = tensor.detach().cpu().numpy().astype(np.float32)
    return result


class Heads(nn.Module):
    """Both projections and the learnable temperature, kept as the logarithm of its inverse, 0 at the start."""

    def __init__(self, part: Part, config: TrainConfig) -> None:
        super().__init__()
        last = config.embedding_dim
        self.audio = Projection(part.audio.features, (*config.audio_hidden, last), config.dropout)
        self.text = Projection(part.text.features, (*config.text_hidden, last), config.dropout)
        self.log_scale = nn.Parameter(torch.zeros(()))

    @property
    def scale(self) -> Tensor:
        """1 / temperature, at most 100."""
        return self.log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()
