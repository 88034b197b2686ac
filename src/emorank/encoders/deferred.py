"""An audio encoder that loads its weights when it has something to encode: not where all features are known."""

import numpy as np

from emorank.types import Array


class Deferred:
    """Stands for an encoder whose name and dim are known.

    Args:
        name: see `emorank.encoders`.
        dim: length of its vectors.
    """

    def __init__(self, name: str, dim: int) -> None:
        self.name = name
        self.dim = dim

    @property
    def fingerprint(self) -> str:
        """See `emorank.encoders.base`; nothing is built for it."""
        from emorank.encoders import audio_fingerprint

        return audio_fingerprint(self.name)

    @property
    def device(self) -> str:
        """Where it computes; loads the weights."""
        from emorank.encoders import audio_encoder

        return audio_encoder(self.name).device

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, dim) float32 from mono float32 arrays at 16 kHz."""
        from emorank.encoders import audio_encoder

        return audio_encoder(self.name)(waves)
