"""Whether a description is of a kind that the text encoder was tuned on: English words for how a voice sounds.

Any text gets an embedding, and any embedding ranks an index, so gibberish and other languages find something too. Their
features lie far from those of the bank's training captions, which ship as int8 beside the bank for the default text
encoder. benchmarks/familiar.py writes that file and prints what `LEAST` was chosen by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from emorank.captions.rules import foreign_script
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.types import Array

__all__ = ["FILE", "LEAST", "Described", "Hint", "described", "familiarity", "known"]

FILE = Path(__file__).with_name("bank-minilm-emotion.safetensors")
LEAST = 0.45  # familiarity; what has less gets a hint
_NEAREST = 5  # captions
_SHOWN = 60  # characters of a description that a hint repeats
_EXAMPLES = "'furious, shouting', 'tired and quiet', 'a calm, warm voice'"


@dataclass(frozen=True)
class Hint:
    """That the model hardly understands a description.

    Args:
        text: the description.
        familiarity: -1..1, mean cosine to the five nearest captions.
    """

    text: str
    familiarity: float

    @property
    def message(self) -> str:
        """What to tell a person, on one line if the description is."""
        text = self.text if len(self.text) <= _SHOWN else f"{self.text[: _SHOWN - 1]}…"
        return (
            f"'{text}' says little about a voice that the model knows; results may mean nothing. "
            f"Describe in English how it sounds, such as: {_EXAMPLES}."
        )


@dataclass(frozen=True)
class Described:
    """A description as a model takes it.

    Args:
        embedding: (embedding_dim,) float32, L2-normalised.
        hint: None where the description is familiar, and where the model's text encoder is not the one of `FILE`.
    """

    embedding: Array
    hint: Hint | None


def described(model: EmotionRankCLAP, texts: Sequence[str]) -> list[Described]:
    """Embed descriptions as `model.encode_text` does, each encoded once, and say which are hardly understood.

    Raises:
        EmorankError: a single string instead of a list, an empty description, or a damaged installation.
    """
    if not texts:  # nothing is loaded
        return []
    features = model.text_features(texts)
    vectors = known(model.text_encoder.fingerprint)
    hints = [None] * len(texts) if vectors is None else _hints(texts, familiarity(features, vectors))
    return [Described(embedding, hint) for embedding, hint in zip(model.text(features), hints, strict=True)]


def familiarity(features: Array, vectors: Array) -> Array:
    """Mean cosine to the five nearest of some vectors.

    Args:
        features: (n, dim) outputs of the text encoder.
        vectors: (m, dim) outputs for captions, L2-normalised, m >= 5.

    Returns:
        (n,) float32, -1..1.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    cosines = (features / np.maximum(lengths, 1e-12)) @ vectors.T
    result: Array = np.partition(cosines, -_NEAREST, axis=1)[:, -_NEAREST:].mean(axis=1)
    return result


@lru_cache(maxsize=4)
def known(fingerprint: str) -> Array | None:
    """The bank's training captions in the space of a text encoder; read once.

    Args:
        fingerprint: of the text encoder.

    Returns:
        (captions, dim) float32, L2-normalised, in the order of the bank; None if `FILE` is of another encoder.

    Raises:
        EmorankError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(FILE, "numpy") as file:
            if file.metadata()["fingerprint"] != fingerprint:
                return None
            vectors: Array = file.get_tensor("vectors").astype(np.float32)
    except (OSError, SafetensorError) as error:
        raise EmorankError(f"{FILE} cannot be read ({error}); install emorank again.") from error
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _hints(texts: Sequence[str], familiarities: Array) -> list[Hint | None]:
    return [
        Hint(text, value) if value < LEAST or foreign_script(text) else None
        for text, value in zip(texts, familiarities.tolist(), strict=True)
    ]
