"""How much each frame counts where a tuned encoder has learnt it: attentive statistics (Okabe et al. 2018)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emorank.encoders.checkpoint import refuse_infinite
from emorank.errors import EmorankError
from emorank.types import Array

PREFIX = "pool."


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


def read_tuned(file: Path) -> tuple[dict[str, Array], Attention]:
    """The weights of a tuned encoder as `WhisperNetwork` names them, in float32, and its attention.

    Raises:
        EmorankError: the file is damaged, or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = {name: array.astype(np.float32) for name, array in load_file(file).items()}
        weigh = (weights.pop(f"{PREFIX}weigh.weight"), weights.pop(f"{PREFIX}weigh.bias"))
        attention = Attention(*weigh, weights.pop(f"{PREFIX}focus.weight")[0])
    except (OSError, KeyError, SafetensorError) as error:
        raise EmorankError(f"{file} is no tuned encoder that can be read ({error}); get it again.") from error
    refuse_infinite(str(file), weights)
    return weights, attention


def tuned_layers(config: Mapping[str, Any]) -> tuple[int, ...] | None:
    """The layers that the attention of a tuned encoder was learnt on; None for any other checkpoint."""
    layers = config.get("attentive_layers")
    if not isinstance(layers, list) or not all(isinstance(layer, int) for layer in layers):
        return None
    return tuple(layers)
