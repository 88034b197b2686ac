"""What every frozen encoder offers, whatever is inside."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from emorank.types import Array


@dataclass(frozen=True)
class Spec:
    """What the name of an encoder asks for.

    Args:
        name: as the user wrote it.
        kind: the module of `emorank.encoders` that builds it.
        source: short name of packaged weights, a folder, or a hub id.
        pooling: over time or tokens.
        layers: which, ascending; none where the kind leaves no choice.
    """

    name: str
    kind: str
    source: str
    pooling: str
    layers: tuple[int, ...] = ()


class _Encoder(Protocol):
    """What both kinds say of themselves.

    Attributes:
        name: what the user calls it; two names may mean the same weights.
        fingerprint: hexadecimal hash of the weights and of all that is done to input and output. Encoders of one
            fingerprint give the same vectors, whatever their names and wherever their files: the key of caches.
        dim: length of a vector.
        device: where it computes, as torch names it; "cpu" also where numpy does.
    """

    @property
    def name(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def dim(self) -> int: ...
    @property
    def device(self) -> str: ...


class AudioEncoder(_Encoder, Protocol):
    """Clips -> vectors. The same clip gives the same vector whatever batch it is in."""

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, dim) float32 from mono float32 arrays at 16 kHz of any length; (0, dim) from none."""
        ...


@runtime_checkable
class Locates(AudioEncoder, Protocol):
    """What an audio encoder with a regression head of its own can do besides."""

    def points(self, waves: list[np.ndarray]) -> Array:
        """(n, 3) valence, arousal, dominance on 1..7 from mono float32 arrays at 16 kHz of any length."""
        ...


class TextEncoder(_Encoder, Protocol):
    """Texts -> vectors. The same text gives the same vector whatever batch it is in."""

    def __call__(self, texts: list[str]) -> Array:
        """(n, dim) float32 from any strings; (0, dim) from none."""
        ...
