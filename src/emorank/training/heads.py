"""The two trainable heads and the temperature (paper sections 3.1 and 4.1)."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from emorank.head import Head
from emorank.model import EmotionRankCLAP, ModelConfig
from emorank.training.config import LARGEST_SCALE, TrainConfig
from emorank.training.dataset import Split, seed_of
from emorank.training.unfrozen import Unfrozen
from emorank.types import Array


class Projection(nn.Module):
    """Standardise, then Linear and ReLU for every width.

    Args:
        features: (n, encoder_dim) training features; their mean and deviation are kept.
        widths: outputs of every layer; the last is the embedding's.
        standardise: whether mean and deviation are taken out; else 0 and 1 are kept.

    Shape:
        (n, encoder_dim) -> (n, embedding_dim)
    """

    center: Tensor
    spread: Tensor

    def __init__(self, features: Tensor, widths: Sequence[int], standardise: bool = True) -> None:
        super().__init__()
        self.sizes = (features.shape[1], *widths)
        size = self.sizes[0]
        self.register_buffer("center", features.mean(0) if standardise else torch.zeros(size))
        self.register_buffer(
            "spread", features.std(0, correction=0).clamp(min=1e-6) if standardise else torch.ones(size)
        )
        self.layers = nn.ModuleList(nn.Linear(*pair) for pair in itertools.pairwise(self.sizes))

    def forward(self, features: Tensor, *masks: Tensor) -> Tensor:
        """Embeddings, not normalised; `masks`, if any, multiply the inputs of every layer."""
        hidden = (features - self.center) / self.spread
        for index, layer in enumerate(self.layers):
            hidden = torch.relu(layer(hidden * masks[index] if masks else hidden))
        return hidden

    def masks(self, rows: int, own: slice, dropout: float, generator: torch.Generator) -> list[Tensor]:
        """What dropout multiplies every layer's inputs with: 0, or 1 / (1 - dropout).

        Drawn for the rows of a whole batch and cut to a process's own, so that several processes blank what one would.
        """
        if not dropout:
            return []
        drawn = [torch.empty(rows, size, device=generator.device) for size in self.sizes[:-1]]
        return [mask.uniform_(generator=generator)[own].ge_(dropout).div_(1 - dropout) for mask in drawn]

    def embed(self, features: Tensor, masks: Sequence[Tensor] = (), chunks: int = 1) -> Tensor:
        """`forward` in chunks whose inner values are forgotten and computed again for the gradient.

        So the loss sees the whole contrastive batch while the memory is that of one chunk.
        """
        if chunks == 1:
            result: Tensor = self(features, *masks)
            return result
        pieces = zip(*(each.chunk(chunks) for each in (features, *masks)), strict=True)
        return torch.cat([checkpoint(self, *piece, use_reentrant=False, preserve_rng_state=False) for piece in pieces])

    def export(self) -> Head:
        """The trained head as arrays."""
        layers = tuple((_array(layer.weight), _array(layer.bias)) for layer in self.layers)
        return Head(_array(self.center), _array(self.spread), layers)


def _array(tensor: Any) -> Array:
    result: Array = tensor.detach().cpu().numpy().astype(np.float32)
    return result


class Heads(nn.Module):
    """Both projections and the learnable temperature, kept as the logarithm of its inverse.

    Args:
        train: the split whose features are standardised.
        config: widths, initial temperature, the seed of the initial weights, and what of the encoder is trained.

    Attributes:
        encoder: the audio encoder with layers to train; None where it is frozen.
    """

    def __init__(self, train: Split, config: TrainConfig) -> None:
        super().__init__()
        last = config.embedding_dim
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed_of(config.seed))
            self.audio = Projection(train.audio.features, (*(config.audio_hidden or ()), last), config.standardise)
            self.text = Projection(train.text.features, (*(config.text_hidden or ()), last), config.standardise)
        self.log_scale = nn.Parameter(torch.tensor(-math.log(config.temperature)))
        self.encoder = Unfrozen(config.audio_encoder, config.unfreeze) if config.unfreeze else None

    @property
    def scale(self) -> Tensor:
        """1 / temperature, at most 100."""
        return self.log_scale.clamp(max=math.log(LARGEST_SCALE)).exp()

    def export(self, train: Split, config: TrainConfig, history: dict[str, Any]) -> EmotionRankCLAP:
        """The model of these heads, with a linear map from its audio embeddings to places of the training split.

        Args:
            train: with features of the encoder that the config names.
            config: of the training.
            history: what the model tells of it.
        """
        audio, text = self.audio.export(), self.text.export()
        if config.centring:
            text = replace(text, origin=config.centring * text(train.text.features.numpy()).mean(0))
        versions = (train.audio.features, *(() if train.damaged is None else train.damaged))
        embeddings = np.concatenate([audio(features.numpy()) for features in versions])
        labels = train.audio.labels[:, list(config.placed.values())].numpy()
        locator = ridge(embeddings, np.tile(labels, (len(versions), 1)))
        about = ModelConfig(config.audio_encoder, config.text_encoder, tuple(config.placed), history)
        return EmotionRankCLAP(audio, text, self.scale.item(), locator, about)


def ridge(embeddings: np.ndarray, labels: np.ndarray, strength: float = 1.0) -> np.ndarray:
    """The linear map from embeddings to labels, (embedding_dim + 1, k); the last row is the constant."""
    center, mean = embeddings.mean(0, dtype=np.float64), labels.mean(0, dtype=np.float64)
    x = embeddings - center
    slope = np.linalg.solve(x.T @ x + strength * np.eye(x.shape[1]), x.T @ (labels - mean))
    return np.vstack([slope, mean - center @ slope]).astype(np.float32)
