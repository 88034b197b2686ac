"""Whether a description is of a kind that the text encoder was tuned on: English words for how a voice sounds.

Any text gets an embedding, and any embedding ranks an index, so gibberish and other languages find something too. Their
features lie far from those of the bank's training captions, which ship as int8 beside the bank for the default text
encoder. benchmarks/familiar.py writes that file and prints what `LEAST` was chosen by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from emorank.captions.bank import bundled
from emorank.captions.hints import Hint
from emorank.captions.languages import strange
from emorank.captions.rules import foreign_script, normalised, words
from emorank.captions.wording import negated, spoken
from emorank.encoders import text_encoder, text_fingerprint, untuned
from emorank.encoders.e5 import is_at_hand
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.types import Array

__all__ = ["FILE", "LEAST", "Described", "described", "familiarity", "known", "nearest"]

FILE = Path(__file__).with_name("bank-minilm-emotion.safetensors")
LANGUAGES = Path(__file__).with_name("languages-multilingual-e5-small.safetensors")
LEAST = 0.45  # familiarity; what has less gets a hint
LEAST_OF_LANGUAGES = 0.88  # the same by `LANGUAGES`; in the space of its encoder all texts lie close together
NEAREST = 5  # captions
_ASKED = 40  # nearest captions, of which suggestions are chosen
_SUGGESTED = 3
_SHORT = 5  # words of a suggestion, at most


@dataclass(frozen=True)
class Described:
    """A description as a model takes it.

    Args:
        text: the description.
        embedding: (embedding_dim,) float32, L2-normalised.
        hint: None where there is nothing to say, and where the model's text encoder is not the one of `FILE`.
        near: place in the bank's training captions and cosine, -1..1, of the five nearest, the nearest first; none
            where another text encoder read it.
        encoder: name of the text encoder that read it.
    """

    text: str
    embedding: Array
    hint: Hint | None
    near: tuple[tuple[int, float], ...] = ()
    encoder: str = ""


def described(model: EmotionRankCLAP, texts: Sequence[str]) -> list[Described]:
    """Embed descriptions, each encoded once, with hints and the nearest captions.

    What is not in English is read by the model's second text encoder, where it has one that is installed; the rest is
    embedded as `model.encode_text` does.

    Raises:
        EmorankError: a single string instead of a list, an empty description, or a damaged installation.
    """
    if not texts:  # nothing is loaded
        return []
    foreign = {text for text in texts if strange(text)} if model.multilingual else set()
    if not foreign:
        return _read(model, texts)
    if not is_at_hand(model.config.multilingual_encoder or ""):
        hints = {text: Hint(text, -1.0, "unread") for text in foreign}
        every = _read(model, texts)
        return [replace(each, hint=hints[each.text], near=()) if each.text in foreign else each for each in every]
    own = [text for text in texts if text not in foreign]
    read = [*(_read(model, own) if own else []), *_read_any(model, list(foreign))]
    by_text = {each.text: each for each in read}
    return [by_text[text] for text in texts]


def _read(model: EmotionRankCLAP, texts: Sequence[str]) -> list[Described]:
    """By the model's own text encoder."""
    features, name = model.text_features(texts), model.config.text_encoder
    embeddings, vectors = model.text(features), known(model.text_encoder.fingerprint)
    if vectors is None:
        return [Described(text, embedding, None, (), name) for text, embedding in zip(texts, embeddings, strict=True)]
    result = []
    for text, embedding, cosines, rows in zip(texts, embeddings, *nearest(features, vectors, _ASKED), strict=True):
        near = tuple(zip(rows[:NEAREST].tolist(), cosines[:NEAREST].tolist(), strict=True))
        hint = _hint(text, float(cosines[:NEAREST].mean()), rows)
        result.append(Described(text, embedding, hint, near, name))
    return result


def _read_any(model: EmotionRankCLAP, texts: Sequence[str]) -> list[Described]:
    """By the one that reads other languages."""
    if model.multilingual is None or model.config.multilingual_encoder is None:
        raise ValueError("the model has no head for other languages")
    features, name = model.multilingual_features(texts), model.config.multilingual_encoder
    # What was tuned on descriptions takes everything for one, so what is familiar is told as it was before.
    before = untuned(name)
    vectors = known(text_fingerprint(before), LANGUAGES)
    if vectors is None:
        familiar = [1.0] * len(texts)
    else:
        heard = features if before == name else text_encoder(before)(list(texts))
        familiar = familiarity(heard, vectors).tolist()
    return [
        Described(text, embedding, _hint_on_foreign(text, value), (), name)
        for text, embedding, value in zip(texts, model.multilingual(features), familiar, strict=True)
    ]


def nearest(features: Array, vectors: Array, count: int = NEAREST) -> tuple[Array, np.ndarray]:
    """The nearest of some vectors, the nearest first.

    Args:
        features: (n, dim) outputs of the text encoder.
        vectors: (m, dim) outputs for captions, L2-normalised, m >= count.
        count: how many.

    Returns:
        (n, count) cosines, -1..1, and (n, count) places among the vectors.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    cosines = (features / np.maximum(lengths, 1e-12)) @ vectors.T
    rows = np.argpartition(cosines, -count, axis=1)[:, -count:]
    order = np.argsort(-np.take_along_axis(cosines, rows, 1), axis=1, kind="stable")
    rows = np.take_along_axis(rows, order, 1)
    nearest_cosines: Array = np.take_along_axis(cosines, rows, 1)
    return nearest_cosines, rows


def familiarity(features: Array, vectors: Array) -> Array:
    """Mean cosine to the five nearest of some vectors: (n,) float32, -1..1; see `nearest`."""
    result: Array = nearest(features, vectors)[0].mean(axis=1)
    return result


@lru_cache(maxsize=4)
def known(fingerprint: str, path: Path = FILE) -> Array | None:
    """Captions in the space of a text encoder, read once: the bank's for training, or the ones in other languages.

    Args:
        fingerprint: of the text encoder.
        path: `FILE` or `LANGUAGES`.

    Returns:
        (captions, dim) float32, L2-normalised, in their order; None if the file is of another encoder.

    Raises:
        EmorankError: the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "numpy") as file:
            if file.metadata()["fingerprint"] != fingerprint:
                return None
            vectors: Array = file.get_tensor("vectors").astype(np.float32)
    except (OSError, SafetensorError) as error:
        raise EmorankError(f"{path} cannot be read ({error}); install emorank again.") from error
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _hint(text: str, familiar: float, rows: np.ndarray) -> Hint | None:
    """The first that there is to say of a description."""
    if familiar < LEAST or foreign_script(text):
        return Hint(text, familiar)
    if parts := negated(text):
        return Hint(text, familiar, "negated", (), *parts)
    if spoken(text):
        return Hint(text, familiar, "spoken", _suggested(text, rows))
    return None


def _hint_on_foreign(text: str, familiar: float) -> Hint:
    return Hint(text, familiar) if familiar < LEAST_OF_LANGUAGES else Hint(text, familiar, "foreign", ())


def _suggested(text: str, rows: np.ndarray) -> tuple[str, ...]:
    """Of the nearest captions some that are short, and descriptions."""
    captions = [bundled("train").texts[row].rstrip(".") for row in rows]
    usable = [each for each in captions if each[0].isalpha() and each[-1] not in "!?" and len(words(each)) <= _SHORT]
    different = {normalised(each): each for each in reversed(usable) if not spoken(each, 1)}
    different.pop(normalised(text), None)
    return tuple(reversed(different.values()))[:_SUGGESTED]
