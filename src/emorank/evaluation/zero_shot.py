"""Zero-shot classification: an utterance gets the category whose description is nearest."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

#: How a voice of each category is described to the model.
PROMPTS = {
    "anger": "an angry voice",
    "boredom": "a bored voice",
    "calm": "a calm voice",
    "contempt": "a contemptuous voice",
    "disgust": "a disgusted voice",
    "fear": "a fearful voice",
    "happiness": "a happy voice",
    "neutral": "a neutral voice",
    "sadness": "a sad voice",
    "surprise": "a surprised voice",
}


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
    """

    uar: float
    macro_f1: float
    accuracy: float
    recall: dict[str, float]
    clips: int
    chance: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def zero_shot(similarity: np.ndarray, names: Sequence[str], truth: Sequence[str]) -> ZeroShot:
    """Classify by the highest similarity.

    Args:
        similarity: (clips, categories) of every utterance to the description of every category.
        names: the categories, in the order of the columns; each is the truth of at least one utterance.
        truth: the category of every utterance.
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
    )
