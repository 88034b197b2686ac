"""A model whose encoder was trained with the heads: the encoder is written beside it, and named by its place there."""

import dataclasses
from pathlib import Path
from typing import Any

import torch

from emorank.encoders import audio_encoder
from emorank.listening.store import features
from emorank.model import ENCODER_FOLDER, EmotionRankCLAP
from emorank.training.config import TrainConfig
from emorank.training.dataset import Split
from emorank.training.heads import Heads
from emorank.training.margins import with_margins


def with_own_encoder(
    heads: Heads, train: Split, development: Split, config: TrainConfig, folder: Path, history: dict[str, Any]
) -> EmotionRankCLAP:
    """The model of heads with an encoder, which is written to `folder` first and hears both splits once more.

    Args:
        heads: with layers of their encoder trained.
        train: with the paths of its recordings.
        development: the same.
        config: of the training.
        folder: of the model; `save` it there.
        history: what the model tells of its training.

    Raises:
        EmorankError: a recording cannot be read any more.
    """
    assert heads.encoder is not None
    inside = folder.absolute() / ENCODER_FOLDER
    name = heads.encoder.write(inside)
    model = heads.export(_heard(train, name), dataclasses.replace(config, audio_encoder=name), history)
    model.encoder_folder = inside
    return with_margins(model, _heard(development, name).audio, config)


def _heard(split: Split, encoder: str) -> Split:
    """A split with the features of another encoder."""
    assert split.audio.paths is not None
    found, errors = features(split.audio.paths, audio_encoder(encoder))
    for error in errors:
        if error is not None:
            raise error
    return dataclasses.replace(split, audio=dataclasses.replace(split.audio, features=torch.from_numpy(found)))
