"""What is the same for all rows of the tables: our fair protocol, or the paper's to the letter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emorank.encoders import SMALL_AUDIO, SMALL_TEXT
from emorank.reproduce.rows import Row, config_of
from emorank.training.config import TrainConfig


@dataclass(frozen=True)
class Protocol:
    """What is the same for all rows.

    Args:
        audio_encoder: Frozen audio encoder, see `emorank.encoders`.
        text_encoder: Frozen text encoder, see `emorank.encoders`.
        seeds: How many trainings of every row are averaged.
        learning_rates: The ones that every row may choose from on the development speakers; one is no choice.
        epochs: Passes over the utterances.
        batch_size: Utterances in a batch.
        dropout: Share of the encoders' outputs that is blanked while training.
        window: Seconds that every recording is cropped or zero-padded to; None hears it whole.
        training: Further fields of `TrainConfig`.
    """

    audio_encoder: str = SMALL_AUDIO
    text_encoder: str = SMALL_TEXT
    seeds: int = 5
    learning_rates: tuple[float, ...] = (1e-4, 5e-4, 2.5e-3)
    epochs: int = 15
    batch_size: int = 64
    dropout: float = 0.0
    window: float | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def strict(cls, audio_encoder: str = SMALL_AUDIO, text_encoder: str = SMALL_TEXT, seeds: int = 5) -> "Protocol":
        """The paper's training (section 4.1): windows of 10 s, the encoders' outputs as they are, Adam, one rate."""
        how = {"standardise": False, "optimizer": "adam"}
        return cls(audio_encoder, text_encoder, seeds, learning_rates=(1e-4,), window=10.0, training=how)

    def config(self, row: Row, learning_rate: float, seed: int) -> TrainConfig:
        """The training of a row."""
        return config_of(
            row,
            audio_encoder=self.audio_encoder,
            text_encoder=self.text_encoder,
            learning_rate=learning_rate,
            epochs=self.epochs,
            keep="lowest",
            patience=self.epochs,
            batch_size=self.batch_size,
            dropout=self.dropout,
            seed=seed,
            **self.training,
        )
