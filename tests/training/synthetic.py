"""Splits whose features hold the labels under noise, as encoders' outputs do, and a small training on them."""

import numpy as np

from emorank.training.config import TrainConfig
from emorank.training.dataset import Modality, Split

SMALL = TrainConfig(
    embedding_dim=32,
    audio_hidden=(24,),
    text_hidden=(24,),
    centring=0.0,  # what is trained and what is exported are the same numbers then
    epochs=6,
    batch_size=16,
    captions_per_batch=32,
    learning_rate=3e-3,
)


def split(seed: int, clips: int = 96, texts: int = 120, paired: bool = False) -> Split:
    """Pairs share their labels; all have one of three categories."""
    world = np.random.default_rng(7)
    maps = world.normal(size=(3, 24)), world.normal(size=(3, 20))
    rng = np.random.default_rng(seed)
    labels = rng.uniform(1, 7, (clips, 3))
    modalities = []
    for mapping in maps:
        category = labels[:, 0].astype(int) // 3 if paired else None
        noisy = (labels - 4) @ mapping + rng.normal(size=(len(labels), mapping.shape[1]))
        modalities.append(Modality.of(noisy, labels, category))
        labels = labels if paired else rng.uniform(1, 7, (texts, 3))
    return Split(*modalities, paired=paired)
