"""Every choice of a training run, one field each."""

from dataclasses import dataclass
from typing import Literal

from emorank.affect import DIMENSIONS
from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT
from emorank.losses.rank_n_contrast import Anchors, Negatives

Schedule = Literal["constant", "cosine"]


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. The defaults make emorank-base.

    Args:
        audio_encoder: Frozen audio encoder, see `emorank.encoders`.
        text_encoder: Frozen text encoder, see `emorank.encoders`.
        dimensions: Dimensions of the labels that the loss compares; the paper's are valence and arousal.
        negatives: Reading of the denominator, see `emorank.losses.RankNContrast`.
        anchors: What is ranked against: audio as in the paper, or both sides.
        weights: How much valence, arousal and dominance count in the distance of two labels.
        hidden: Widths of layers in the heads before the last; the paper's heads have none.
        embedding_dim: Width of the shared space.
        epochs: Passes over the utterances at most.
        patience: Epochs without a lower development loss after which training ends.
        batch_size: Utterances in a batch.
        captions: Descriptions in a batch, drawn from all over the plane.
        learning_rate: Of AdamW.
        schedule: Constant learning rate, or falling to 0 along a cosine.
        weight_decay: Of AdamW.
        dropout: Share of the encoders' outputs that is blanked while training.
        seed: Fixes initial weights, order and draws.
    """

    audio_encoder: str = DEFAULT_AUDIO
    text_encoder: str = DEFAULT_TEXT
    dimensions: tuple[str, ...] = DIMENSIONS
    negatives: Negatives = "at_least_as_far"
    anchors: Anchors = "both"
    weights: tuple[float, float, float] = (1.3, 1.0, 1.3)
    hidden: tuple[int, ...] = (512,)
    embedding_dim: int = 512
    epochs: int = 20
    patience: int = 20
    batch_size: int = 64
    captions: int = 256
    learning_rate: float = 3e-3
    schedule: Schedule = "cosine"
    weight_decay: float = 0.01
    dropout: float = 0.5
    seed: int = 0
