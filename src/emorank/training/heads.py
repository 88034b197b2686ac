"""The two trainable heads and the temperature (paper sections 3.1 and 4.1)."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from emorank.model import Head
from emorank.training.data import Part

LARGEST_SCALE = 100.0  # the scale 1 / temperature is clamped here


class Projection(nn.Module):
    """Standardise, Linear, ReLU.

    Args:
        features: (n, encoder_dim) training features; their mean and deviation are kept.
        embedding_dim: width of the result.
        dropout: share of the inputs that is blanked while training.

    Shape:
        (n, encoder_dim) -> (n, embedding_dim)
    """

    center: Tensor
    spread: Tensor

    def __init__(self, features: Tensor, embedding_dim: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("center", features.mean(0))
        self.register_buffer("spread", features.std(0, correction=0).clamp(min=1e-6))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(features.shape[1], embedding_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Embeddings, not normalised."""
        standard = (features - self.center) / self.spread
        result: Tensor = torch.relu(self.linear(self.dropout(standard)))
        return result

    def export(self) -> Head:
        """The trained head as arrays."""
        tensors = (self.center, self.spread, self.linear.weight, self.linear.bias)
        return Head(*(tensor.detach().cpu().numpy().astype(np.float32) for tensor in tensors))


class Heads(nn.Module):
    """Both projections and the learnable temperature, kept as the logarithm of its inverse, 0 at the start."""

    def __init__(self, part: Part, embedding_dim: int, dropout: float) -> None:
        super().__init__()
        self.audio = Projection(part.audio.features, embedding_dim, dropout)
        self.text = Projection(part.text.features, embedding_dim, dropout)
        self.log_scale = nn.Parameter(torch.zeros(()))

    @property
    def scale(self) -> Tensor:
        """1 / temperature, at most 100."""
        return self.log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()
