"""How well what was found fits a description at all, in one word: as well as such descriptions can, or worse.

A percentile says who fits best, not whether anyone does. How close recordings come to a description, in cosines,
depends on what it asks for: extreme voices are rarer than mild ones. So what was found is held against how close the
recordings of many speakers come to the bank's captions nearest to the description. benchmarks/fit.py measures that on
speakers who were not trained on, writes it beside the bank, and prints what the bounds were chosen by.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from emorank.captions.familiar import Described
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.types import Array

#: well: as close as such descriptions come; partly: less; little: hardly anything that is like it.
Fit = Literal["well", "partly", "little"]

FILE = Path(__file__).with_name("reached-emorank-base.safetensors")
BEST = 5  # hits whose mean cosine counts
PARTLY, LITTLE = 0.05, 0.11  # by so much less they come near than usual

WORDS: dict[Fit, str] = {"well": "fits well", "partly": "fits partly", "little": "little here fits"}


def fit(model: EmotionRankCLAP, descriptions: Sequence[Described], embeddings: Array) -> Fit | None:
    """How well the best hits fit the description that they fit worst.

    Args:
        model: that embedded both.
        descriptions: that shall fit.
        embeddings: (n, embedding_dim) of the hits, the best first; five of them count.

    Returns:
        None where nothing was found or described, where a description is hardly understood, and for models that
        nothing is known of.

    Raises:
        EmorankError: a damaged installation.
    """
    usual = reached(identity(model)) if descriptions and len(embeddings) else None
    if usual is None or any(not each.near or (each.hint and each.hint.kind == "unknown") for each in descriptions):
        return None
    worst = max(short_of(each, embeddings, usual) for each in descriptions)
    return "well" if worst <= PARTLY else "partly" if worst <= LITTLE else "little"


def short_of(description: Described, embeddings: Array, usual: Array) -> float:
    """By how much the best hits come less near to a description than recordings come to such captions.

    Args:
        description: with its nearest captions.
        embeddings: (n, embedding_dim), n >= 1, the best first.
        usual: (captions,) see `reached`.
    """
    cosine = float(np.mean(embeddings[:BEST].astype(np.float32) @ description.embedding))
    return float(np.mean([usual[row] for row, _ in description.near])) - cosine


def identity(model: EmotionRankCLAP) -> str:
    """Tells models apart that give other cosines; the encoders are not loaded."""
    digest = hashlib.sha256(f"{model.fingerprint} {model.config.text_encoder}".encode())
    for array in model.text.arrays("text").values():
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=4)
def reached(identity: str) -> Array | None:
    """How close recordings come to each of the bank's training captions; read once.

    Args:
        identity: of a model.

    Returns:
        (captions,) float32, mean cosine of the best five; None if `FILE` is of another model.

    Raises:
        EmorankError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(FILE, "numpy") as file:
            if file.metadata()["model"] != identity:
                return None
            cosines: Array = file.get_tensor("cosines").astype(np.float32)
    except (OSError, SafetensorError) as error:
        raise EmorankError(f"{FILE} cannot be read ({error}); install emorank again.") from error
    return cosines
