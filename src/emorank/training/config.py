"""Every choice of a training run, one field each."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emorank.affect import DIMENSIONS
from emorank.captions.assign import Style
from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT
from emorank.errors import EmorankError
from emorank.losses.rank_n_contrast import Anchors, Negatives

LossName = Literal["rank_n_contrast", "symmetric_cross_entropy", "supervised_contrastive"]
CaptionStyle = Literal["plane"] | Style
Schedule = Literal["constant", "cosine"]


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. The defaults make emorank-base.

    Args:
        audio_encoder: Frozen audio encoder, see `emorank.encoders`.
        text_encoder: Frozen text encoder, see `emorank.encoders`.
        dimensions: Dimensions of the labels that the loss compares; the paper's are valence and arousal.
        loss: What is minimised, see `emorank.losses`.
        captions: Where the descriptions come from: all over the plane, without pairs; bank, one for every
            utterance by its valence and arousal; template, clap4emo or paraclap, one by its category; or the
            table's own column.
        negatives: Reading of Rank-N-Contrast's denominator, see `emorank.losses.RankNContrast`.
        anchors: What Rank-N-Contrast ranks against: audio as in the paper, or both sides.
        weights: How much valence, arousal and dominance count in the distance of two labels.
        audio_hidden: Widths of layers before the last in the head of the audios; the paper's heads have none.
        text_hidden: The same in the head of the captions.
        embedding_dim: Width of the shared space.
        epochs: Passes over the utterances at most.
        patience: Epochs without a lower development loss after which training ends.
        batch_size: Utterances in a batch.
        balance: Repeat the utterances of smaller corpora, up to four times, so that corpora count more alike.
        captions_per_batch: Descriptions in a batch, drawn from all over the plane; pairs have one an utterance.
        chunks: Parts that a batch is embedded in, one after the other, to save memory; the loss sees it whole.
        learning_rate: Of AdamW.
        schedule: Constant learning rate, or falling to 0 along a cosine.
        weight_decay: Of AdamW.
        dropout: Share of the encoders' outputs that is blanked while training.
        seed: Fixes initial weights, order and draws.
    """

    audio_encoder: str = DEFAULT_AUDIO
    text_encoder: str = DEFAULT_TEXT
    dimensions: tuple[str, ...] = DIMENSIONS
    loss: LossName = "rank_n_contrast"
    captions: CaptionStyle = "plane"
    negatives: Negatives = "at_least_as_far"
    anchors: Anchors = "both"
    weights: tuple[float, float, float] = (1.2, 1.0, 1.5)
    audio_hidden: tuple[int, ...] = (512,)
    text_hidden: tuple[int, ...] = (512,)
    embedding_dim: int = 512
    epochs: int = 12
    patience: int = 12
    batch_size: int = 64
    balance: bool = True
    captions_per_batch: int = 256
    chunks: int = 1
    learning_rate: float = 3e-3
    schedule: Schedule = "cosine"
    weight_decay: float = 0.01
    dropout: float = 0.5
    seed: int = 0


def read_config(path: Path) -> TrainConfig:
    """A YAML file whose keys are fields of `TrainConfig`.

    Raises:
        EmorankError: the file cannot be read, or a key is not a field.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EmorankError(f"{path}: the config cannot be read ({' '.join(str(error).split())}).") from error
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    if not isinstance(found, dict) or not known.issuperset(found):
        strange = ", ".join(sorted(set(found) - known)) if isinstance(found, dict) else "no mapping"
        raise EmorankError(f"{path}: not fields of a training: {strange}.")
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in found.items()}
    return TrainConfig(**fields)
