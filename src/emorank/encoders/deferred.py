"""An audio encoder that loads its weights when it has something to encode: not where all features are known."""

import numpy as np

from emorank.encoders.base import Array


class Deferred:
    """Stands for an encoder whose name and dim are known.

    Args:
        name: see `emorank.encoders`.
        dim: length of its vectors.
    """

    def __init__(self, name: str, dim: int) -> None:
        self.name = name
        self.dim = dim

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, dim) float32 from mono float32 arrays at 16 kHz."""
        from emorank.encoders import audio_encoder

        return audio_encoder(self.name)(waves)
