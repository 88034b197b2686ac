"""A second text head for a trained model, so that it understands descriptions in other languages.

The text encoder that reads them places translations beside each other. Its head is taught to give, for English
captions, the embeddings that the model's own text side gives; what is said in another language then lies where its
translation does.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from emorank.captions import Captions
from emorank.encoders import text_encoder
from emorank.encoders.e5 import TUNED
from emorank.errors import EmorankError
from emorank.head import Head
from emorank.model import EmotionRankCLAP
from emorank.training.heads import Projection
from emorank.types import Array

__all__ = ["DEFAULT", "taught", "translated", "with_languages"]

DEFAULT = TUNED
_BATCH = 256
_LEARNING_RATE = 1e-3
_WEIGHT_DECAY = 1e-2
_DROPOUT = 0.1
_NEAR = 60  # English captions around a place
_SHARPNESS = 0.02  # of cosines, which lie close together in this encoder


def with_languages(
    model: EmotionRankCLAP,
    captions: Captions,
    others: Captions | None = None,
    encoder: str = DEFAULT,
    epochs: int = 60,
    seed: int = 0,
    progress: Callable[[int, float], None] | None = None,
) -> EmotionRankCLAP:
    """The same model with a head for descriptions in other languages; its own heads stay as they are.

    Args:
        model: a trained model.
        captions: English captions to learn from, such as `emorank.captions.bundled("train")`.
        others: descriptions in other languages, such as `languages.bundled("train")`; what each shall give
            is made of those English captions whose places lie nearest to its own, by how alike the encoder finds them.
        encoder: the text encoder that reads other languages, see `emorank.encoders`.
        epochs: passes over the captions.
        seed: of initial weights, order and dropout.
        progress: called with the epoch, from 1, and its mean loss.

    Raises:
        EmorankError: no captions, an empty one, or the encoder cannot be had.
    """
    if not captions.texts:
        raise EmorankError("There are no captions to learn from.")
    plain = dataclasses.replace(model.text, origin=None)
    wanted = plain(model.text_features(captions.texts))
    read = text_encoder(encoder)
    features = read(list(captions.texts))
    if others is not None and others.texts:
        foreign = read(list(others.texts))
        told = translated(foreign, others.points, features, captions.points, wanted)
        features, wanted = np.concatenate([features, foreign]), np.concatenate([wanted, told])
    head = dataclasses.replace(taught(features, wanted, epochs, seed, progress), origin=model.text.origin)
    config = dataclasses.replace(model.config, multilingual_encoder=encoder)
    return EmotionRankCLAP(model.audio, model.text, model.scale, model.locator, config, head, model.encoder_folder)


def translated(foreign: Array, places: Array, english: Array, english_places: Array, embeddings: Array) -> Array:
    """What descriptions shall give that have no embedding: that of the English captions which say the like.

    Args:
        foreign: (n, encoder_dim) their features, L2-normalised.
        places: (n, 3) valence, arousal, dominance.
        english: (m, encoder_dim) features of the captions, L2-normalised.
        english_places: (m, 3).
        embeddings: (m, embedding_dim) of the captions, L2-normalised.

    Returns:
        (n, embedding_dim) float32, L2-normalised: the mean of the captions nearest in place, weighed by their cosine.
    """
    result = np.empty((len(foreign), embeddings.shape[1]), np.float32)
    for row, (feature, place) in enumerate(zip(foreign, places, strict=True)):
        near = np.argsort(np.square(english_places - place).sum(1), kind="stable")[:_NEAR]
        weights = np.exp((english[near] @ feature - 1) / _SHARPNESS)
        mean = weights @ embeddings[near]
        result[row] = mean / np.linalg.norm(mean)
    return result


def taught(
    features: Array,
    embeddings: Array,
    epochs: int,
    seed: int = 0,
    progress: Callable[[int, float], None] | None = None,
) -> Head:
    """A head, one Linear and ReLU, that gives embeddings like those wanted: 1 - cosine, along a cosine to 0.

    Args:
        features: (n, encoder_dim) outputs of the other text encoder, n >= 1.
        embeddings: (n, embedding_dim) what the head shall give for them, L2-normalised.
        epochs: passes.
        seed: of initial weights, order and dropout.
        progress: see `with_languages`.
    """
    inputs, wanted = torch.from_numpy(np.asarray(features)), torch.from_numpy(np.asarray(embeddings))
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        head = Projection(inputs, (wanted.shape[1],))
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(head.parameters(), lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    steps = epochs * -(-len(inputs) // _BATCH)
    schedule: Any = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    for epoch in range(1, epochs + 1):
        total = 0.0
        for rows in torch.split(torch.randperm(len(inputs), generator=generator), _BATCH):
            masks = head.masks(len(rows), slice(None), _DROPOUT, generator)
            apart = 1 - torch.nn.functional.cosine_similarity(head(inputs[rows], *masks), wanted[rows])
            optimizer.zero_grad()
            apart.mean().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            total += apart.sum().item()
        if progress:
            progress(epoch, total / len(inputs))
    return head.export()
