"""How much each frame counts where a tuned encoder has learnt it: attentive statistics (Okabe et al. 2018)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.types import Array


@dataclass(frozen=True)
class Attention:
    """Logits of the weights of frames over time.

    Args:
        weight: (hidden, width).
        bias: (hidden,).
        focus: (hidden,).
    """

    weight: Array
    bias: Array
    focus: Array

    def __call__(self, frames: Array) -> Array:
        """(frames, width) -> (frames,)."""
        result: Array = np.tanh(frames @ self.weight.T + self.bias) @ self.focus
        return result


def tuned_layers(config: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The layers that the attention of a tuned encoder was learnt on; None for any other checkpoint."""
    layers = config.get("attentive_layers")
    if not isinstance(layers, list) or not all(isinstance(layer, int) for layer in layers):
        return None
    return tuple(layers)
