"""A trained head: a few matrices, so numpy alone is needed once it is trained (paper section 3.1)."""

from dataclasses import dataclass

import numpy as np

from emorank.types import Array

_ROWS = 4096  # at a time: what lies between the layers stays in the processor's cache


@dataclass(frozen=True)
class Head:
    """A trained projection: standardise, then Linear and ReLU once (the paper's head) or more often.

    Args:
        center: (encoder_dim,) mean of the encoder's outputs over the training data.
        spread: (encoder_dim,) their standard deviation.
        layers: weight (outputs, inputs) and bias (outputs,) of every Linear, in order.
        origin: (embedding_dim,) what is taken out of embeddings, which are normalised once more; None is nothing.
    """

    center: Array
    spread: Array
    layers: tuple[tuple[Array, Array], ...]
    origin: Array | None = None

    def __call__(self, features: Array) -> Array:
        """(n, encoder_dim) -> (n, embedding_dim), L2-normalised."""
        result = np.empty((len(features), self.embedding_dim), np.float32)
        for start in range(0, len(features), _ROWS):
            hidden = (features[start : start + _ROWS] - self.center) / self.spread
            for weight, bias in self.layers:
                hidden = np.maximum(hidden @ weight.T + bias, 0)
            hidden = _normalised(hidden)
            result[start : start + _ROWS] = hidden if self.origin is None else _normalised(hidden - self.origin)
        return result

    @property
    def encoder_dim(self) -> int:
        """Length of what it takes."""
        return len(self.center)

    @property
    def embedding_dim(self) -> int:
        """Length of what it gives."""
        return len(self.layers[-1][1])

    def arrays(self, name: str) -> dict[str, Array]:
        """Its arrays by the names they are saved under, each beginning with `name`."""
        numbered = {
            f"{name}.{index}.{array}": values
            for index, layer in enumerate(self.layers)
            for array, values in zip(("weight", "bias"), layer, strict=True)
        }
        origin = {} if self.origin is None else {f"{name}.origin": self.origin}
        return {f"{name}.center": self.center, f"{name}.spread": self.spread, **numbered, **origin}

    @classmethod
    def of(cls, name: str, arrays: dict[str, Array]) -> "Head":
        """What `arrays` gave, read back."""
        count = sum(key.startswith(f"{name}.") and key.endswith(".weight") for key in arrays)
        layers = ((arrays[f"{name}.{index}.weight"], arrays[f"{name}.{index}.bias"]) for index in range(max(count, 1)))
        origin = arrays.get(f"{name}.origin")
        return cls(arrays[f"{name}.center"], arrays[f"{name}.spread"], tuple(layers), origin)


def _normalised(rows: Array) -> Array:
    result: Array = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return result
