"""Every choice of a fine-tuning, one field each. Imports nothing heavy."""

from dataclasses import dataclass

from emorank.errors import EmorankError


@dataclass(frozen=True)
class TuneConfig:
    """How an encoder is tuned.

    Args:
        layers: of Whisper's encoder, pooled side by side; those above the highest are not built.
        rank: of the low-rank update of every matrix of the layers.
        update: what the low-rank product is multiplied with.
        steps: batches in all.
        batch_size: clips in a batch.
        seconds: that a clip is cut to at most.
        learning_rate: of the updates; the readout has three times as much. Both fall to 0 along a cosine.
        warmup: steps until the learning rate is reached.
        weight_decay: of AdamW.
        dropout: share of the pooled vector that is blanked before the readout.
        evenness: 0 draws clips alike, 1 draws corpora alike, whatever their sizes.
        categories: weight of the cross-entropy of the categories against the agreement in the dimensions.
        contrast: weight of Rank-N-Contrast against descriptions from all over the plane.
        align: weight of the distance between the corpora's means and covariances of the pooled vector.
        augment: share of the clips whose sound is changed; see `emorank.training.augment`.
        mix: share of the clips whose spectrogram takes on the mean and deviation over time of another clip.
        mask: share of the clips of whose spectrogram stripes are hidden.
        average: decay of the running average of the weights, which is what is kept.
        every: steps between two looks at the development speakers.
        seed: fixes initial weights, order and draws.

    Raises:
        EmorankError: a choice that cannot be.
    """

    layers: tuple[int, ...] = (3, 4)
    rank: int = 16
    update: float = 2.0
    steps: int = 600
    batch_size: int = 64
    seconds: float = 4.0
    learning_rate: float = 5e-4
    warmup: int = 60
    weight_decay: float = 0.01
    dropout: float = 0.3
    evenness: float = 0.5
    categories: float = 0.5
    contrast: float = 0.0
    align: float = 0.0
    augment: float = 0.8
    mix: float = 0.0
    mask: float = 0.5
    average: float = 0.995
    every: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rank", "steps", "batch_size", "every"):
            if getattr(self, name) < 1:
                raise EmorankError(f"{name} must be a whole number of at least 1, not {getattr(self, name)}.")
        for name in ("dropout", "average"):
            if not 0 <= getattr(self, name) < 1:
                raise EmorankError(f"{name} must be a number from 0 to below 1, not {getattr(self, name)}.")
        for name in ("augment", "mix", "mask", "evenness"):
            if not 0 <= getattr(self, name) <= 1:
                raise EmorankError(f"{name} must be a number from 0 to 1, not {getattr(self, name)}.")
