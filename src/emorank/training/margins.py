"""How far the places that a model gives may be off, told by speakers that it was not trained on."""

import dataclasses
import math

import numpy as np

from emorank.model import EmotionRankCLAP
from emorank.training.config import TrainConfig
from emorank.training.dataset import Modality

SURE = 0.9  # share of utterances


def with_margins(model: EmotionRankCLAP, development: Modality, config: TrainConfig) -> EmotionRankCLAP:
    """A model that knows how far its places are off.

    Args:
        model: just trained.
        development: utterances that it was not trained on, with features of its encoder.
        config: of the training, which names the dimensions of their labels.
    """
    places = model.locate(model.audio(development.features.numpy()))
    labels = development.labels[:, list(config.placed.values())].numpy()
    model.config = dataclasses.replace(model.config, margins=margins(places, labels))
    return model


def margins(places: np.ndarray, labels: np.ndarray) -> tuple[float, ...] | None:
    """How far from a place the label lies at most, in nine of ten utterances.

    Split conformal prediction (Papadopoulos et al. 2002): of n utterances by their distance, the one in place
    0.9 (n + 1), rounded up. What holds for them holds for others of their kind: the same corpora, other speakers.

    Args:
        places: (n, k) that a model gives utterances that it was not trained on.
        labels: (n, k) of these.

    Returns:
        (k,) points of the scale, rounded up to hundredths; None where n is below nine, which cannot tell.
    """
    rank = math.ceil(SURE * (len(places) + 1))
    if rank > len(places):
        return None
    distances = np.sort(np.abs(places - labels), axis=0)[rank - 1]
    return tuple(math.ceil(float(each) * 100 - 1e-6) / 100 for each in distances)
