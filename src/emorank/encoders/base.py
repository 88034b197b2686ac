"""What every frozen encoder offers, whatever is inside."""

from typing import Any, Protocol, runtime_checkable

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]


class AudioEncoder(Protocol):
    """Clips -> vectors. The same clip gives the same vector whatever batch it is in.

    Attributes:
        name: identifies weights, layer and pooling; part of every cache key.
        dim: length of a vector.
    """

    name: str
    dim: int

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, dim) float32 from mono float32 arrays at 16 kHz of any length."""
        ...


@runtime_checkable
class Locates(Protocol):
    """What an audio encoder with a regression head of its own can do besides."""

    def points(self, waves: list[np.ndarray]) -> Array:
        """(n, 3) valence, arousal, dominance on 1..7 from mono float32 arrays at 16 kHz of any length."""
        ...


class TextEncoder(Protocol):
    """Texts -> vectors. The same text gives the same vector whatever batch it is in."""

    name: str
    dim: int

    def __call__(self, texts: list[str]) -> Array:
        """(n, dim) float32 from any strings."""
        ...
