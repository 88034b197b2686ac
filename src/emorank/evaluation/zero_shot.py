"""Zero-shot classification: an utterance gets the category whose descriptions are nearest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax


@dataclass(frozen=True)
class ZeroShot:
    """Result of a classification.

    Args:
        uar: unweighted average recall: the mean of the recalls of the categories.
        macro_f1: the mean of their F1 scores.
        accuracy: share of the utterances that are right.
        recall: of every category.
        clips: how many utterances were classified.
        chance: UAR of guessing.
        probabilities: (clips, categories) of every utterance, in the order of `recall`; each row sums to 1.
    """

    uar: float
    macro_f1: float
    accuracy: float
    recall: dict[str, float]
    clips: int
    chance: float
    probabilities: np.ndarray

    def as_dict(self) -> dict[str, Any]:
        """The scores as plain data for JSON."""
        return {name: value for name, value in vars(self).items() if name != "probabilities"}


def zero_shot(similarity: np.ndarray, names: Sequence[str], truth: Sequence[str], scale: float = 1.0) -> ZeroShot:
    """Classify by the highest similarity.

    Args:
        similarity: (clips, categories) cosine of every utterance and every category.
        names: the categories, in the order of the columns; each is the truth of at least one utterance.
        truth: the category of every utterance.
        scale: 1 / temperature of the model, for the probabilities: softmax of `scale` times the similarities.
    """
    answer = np.asarray(similarity).argmax(1)
    index = {name: position for position, name in enumerate(names)}
    right = np.array([index[name] for name in truth])
    recall, f1 = [], []
    for position in range(len(names)):
        hits = np.sum((answer == position) & (right == position))
        recall.append(hits / np.sum(right == position))
        f1.append(2 * hits / (np.sum(answer == position) + np.sum(right == position)))
    return ZeroShot(
        float(np.mean(recall)),
        float(np.mean(f1)),
        float(np.mean(answer == right)),
        dict(zip(names, map(float, recall), strict=True)),
        len(right),
        1 / len(names),
        softmax(scale * np.asarray(similarity, np.float64), axis=1),
    )


def ensembled(embeddings: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """The embedding of every category: the mean of those of its descriptions, L2-normalised again.

    Args:
        embeddings: (descriptions, dim) L2-normalised, those of a category one after the other.
        sizes: how many descriptions every category has, at least 1.

    Returns:
        (categories, dim)
    """
    means = np.stack([part.mean(0) for part in np.split(embeddings, np.cumsum(sizes)[:-1])])
    result: np.ndarray = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return result
