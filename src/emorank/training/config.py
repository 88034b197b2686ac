"""Every choice of a training run, one field each, checked when it is made. Imports nothing heavy."""

import contextlib
import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from emorank.affect import DIMENSIONS, LABELS
from emorank.encoders import DEFAULT_AUDIO, DEFAULT_TEXT
from emorank.errors import EmorankError
from emorank.training import checks

# Said again here and not imported: their homes import torch and polars. A test holds them together.
LossName = Literal["rank_n_contrast", "symmetric_cross_entropy", "supervised_contrastive"]
Negatives = Literal["at_least_as_far", "farther_and_self", "farther"]
Anchors = Literal["audio", "both"]
CaptionStyle = Literal["plane", "bank", "template", "clap4emo", "paraclap", "column"]
Optimizer = Literal["adamw", "adam"]
Schedule = Literal["constant", "cosine"]
Keep = Literal["last", "lowest"]

# Where and how a run is made, not what it learns.
Device = Literal["auto", "cpu", "cuda", "mps"]
Logger = Literal["none", "tensorboard", "wandb"]

#: How much each dimension counts in the distance of two labels where no weights are given; emorank-base's.
_WEIGHTS = {"valence": 1.2, "arousal": 1.0, "dominance": 1.2, "unpredictability": 0.8}

LARGEST_SCALE = 100.0  # the scale 1 / temperature is clamped here


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. The defaults make emorank-base, which learnt all of `emorank.affect.LABELS`.

    Args:
        audio_encoder: Frozen audio encoder, see `emorank.encoders`.
        text_encoder: Frozen text encoder, see `emorank.encoders`.
        dimensions: Dimensions of the labels that the loss compares, in any order; the paper's are valence and arousal.
            Unpredictability, derived from the category where no column states it, let everyday queries find more on
            development speakers (docs/model.md).
        loss: What is minimised, see `emorank.losses`.
        captions: Where the descriptions come from: plane, from anywhere on the plane, without pairs; bank, one for
            every utterance by its valence and arousal; template, clap4emo or paraclap, one by its category; or the
            table's own column.
        negatives: Reading of Rank-N-Contrast's denominator, see `emorank.losses.RankNContrast`.
        anchors: What Rank-N-Contrast ranks against: audio as in the paper, or both sides.
        weights: How much each of the dimensions counts in the distance of two labels, in their order; where none are
            given, valence 1.2, arousal 1, dominance 1.2, unpredictability 0.8.
        centring: Share of the captions' mean embedding that is taken out of every description's, 0 as in the paper.
            Some voices are like nearly any description, and would come up too often.
        standardise: Bring every input of the heads to mean 0 and deviation 1 over the training data; the paper takes
            the encoders' outputs as they are.
        audio_hidden: Widths of layers before the last in the head of the audios; none as in the paper.
        text_hidden: The same in the head of the captions.
        embedding_dim: Width of the shared space.
        temperature: Where the learnt temperature starts, 0.01 or more.
        epochs: Passes over the utterances at most.
        keep: The heads of the last epoch, or of that with the lowest development loss as in the paper. Along a cosine
            the last order speakers better who were not heard, though their development loss is higher.
        patience: Epochs without a lower development loss after which training ends, where the lowest is kept.
        batch_size: Utterances in a batch at most, over all processes.
        balance: Repeat the utterances of smaller corpora, up to four times, so that corpora count more alike.
        mix: Put utterances of several corpora into a batch, as they come. Else all of a batch are of one corpus, so
            that what tells corpora apart helps nothing: others are ordered better then, and these a little less well.
        captions_per_batch: Descriptions in a batch, drawn from all over the plane; pairs have one an utterance.
        unfreeze: Layers of the audio encoder that are trained with the heads, counted down from the highest that is
            used; 0 as in the paper. Of a Whisper; the model's folder then holds the encoder.
        encoder_learning_rate: Of the optimizer for those layers; it falls as that of the heads.
        augment: Damaged copies of every training utterance (telephones, rooms, noise, other voices, small files). In an
            epoch an utterance is heard as it is or as one of them, half of the time each. Every copy is encoded once.
        chunks: Parts that a batch is embedded in, one after the other, to save memory; the loss sees it whole.
        optimizer: AdamW, or Adam as in the paper.
        learning_rate: Of the optimizer.
        schedule: Constant learning rate, or falling to 0 along a cosine.
        weight_decay: Of the optimizer; the temperature is not decayed.
        dropout: Share of every layer's inputs that is blanked while training.
        seed: Fixes initial weights, order and draws.

    Raises:
        EmorankError: a choice that cannot be; the sentence names its flag.
    """

    audio_encoder: str = DEFAULT_AUDIO
    text_encoder: str = DEFAULT_TEXT
    dimensions: tuple[str, ...] = DIMENSIONS
    loss: LossName = "rank_n_contrast"
    captions: CaptionStyle = "plane"
    negatives: Negatives = "at_least_as_far"
    anchors: Anchors = "both"
    weights: tuple[float, ...] | None = None
    centring: float = 0.25
    standardise: bool = True
    audio_hidden: tuple[int, ...] | None = (512,)
    text_hidden: tuple[int, ...] | None = None
    embedding_dim: int = 512
    temperature: float = 1.0
    epochs: int = 20
    keep: Keep = "last"
    patience: int = 12
    batch_size: int = 64
    balance: bool = True
    mix: bool = True
    captions_per_batch: int = 256
    unfreeze: int = 0
    encoder_learning_rate: float = 3e-5
    augment: int = 0
    chunks: int = 1
    optimizer: Optimizer = "adamw"
    learning_rate: float = 3e-3
    schedule: Schedule = "cosine"
    weight_decay: float = 0.01
    dropout: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        for name in _CHECKS:
            value = getattr(self, name)
            if isinstance(value, list):
                object.__setattr__(self, name, value := tuple(value))
            _check(name, value)
        if self.weights is not None and len(self.weights) != len(self.dimensions):
            raise EmorankError(
                f"--weights must be as many as the dimensions ({', '.join(self.dimensions)}), not {len(self.weights)}."
            )
        if not self.placed:
            raise EmorankError(f"--dimensions must have one of {', '.join(DIMENSIONS)}, which places are given in.")
        if self.captions == "plane" and self.loss != "rank_n_contrast":
            raise EmorankError(
                f"--loss {self.loss} needs a caption for every utterance; choose --captions other than plane."
            )
        if self.unfreeze and self.augment:
            raise EmorankError(
                "--augment keeps what a frozen encoder hears, which --unfreeze changes; leave one of them out."
            )

    @property
    def label_weights(self) -> tuple[float, ...]:
        """The weight of every dimension in the distance of two labels, in the order of the dimensions."""
        return self.weights or tuple(_WEIGHTS[name] for name in self.dimensions)

    @property
    def placed(self) -> dict[str, int]:
        """The dimensions that the model will give places in -> which of the dimensions they are."""
        return {name: column for column, name in enumerate(self.dimensions) if name in DIMENSIONS}

    @property
    def label_columns(self) -> list[str]:
        """The columns of labels that an utterance needs: the dimensions first, then what its caption is chosen by."""
        return list(dict.fromkeys((*self.dimensions, *(("valence", "arousal") if self.captions == "bank" else ()))))


def read_config(path: Path) -> TrainConfig:
    """The training that a YAML file describes; see `read_choices`."""
    choices = read_choices(path)
    try:
        return TrainConfig(**choices)
    except EmorankError as error:
        raise EmorankError(f"{path}: {error}") from error


def read_choices(path: Path) -> dict[str, Any]:
    """What a YAML file says, each key a field of `TrainConfig`, each value one that the field may have.

    Raises:
        EmorankError: the file cannot be read, a key is not a field, or a value cannot be.
    """
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EmorankError(f"{path}: the config cannot be read ({' '.join(str(error).split())}).") from error
    if not isinstance(found, dict):
        raise EmorankError(f"{path}: the config holds no mapping; write lines such as 'epochs: 15'.")
    strange = [_with_nearest(str(key)) for key in found if key not in _CHECKS]
    if strange:
        raise EmorankError(f"{path}: not fields of a training: {', '.join(strange)}.")
    choices = {name: _typed(name, value) for name, value in found.items()}
    for name, value in choices.items():
        try:
            _check(name, value)
        except EmorankError as error:
            raise EmorankError(f"{path}: {error}") from error
    return choices


def _typed(name: str, value: Any) -> Any:
    """What YAML gave, as the field has it: lists are tuples, and 1e-4 is a number, which YAML takes for text."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, str) and isinstance(getattr(TrainConfig, name), float):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _check(name: str, value: Any) -> None:
    allowed, what = _CHECKS[name]
    if not allowed(value):
        raise EmorankError(f"--{name.replace('_', '-')} must be {what}, not {checks.shown(value)}.")


def _with_nearest(key: str) -> str:
    nearest = difflib.get_close_matches(key.replace("-", "_"), _CHECKS, n=1)
    return f"{key} (did you mean {nearest[0]}?)" if nearest else key


_WIDTHS = checks.several(checks.whole(1), "widths of layers, whole numbers of at least 1, or nothing")
_CHECKS: dict[str, checks.Check] = {
    "audio_encoder": checks.text,
    "text_encoder": checks.text,
    "dimensions": checks.distinct(LABELS),
    "loss": checks.one_of(get_args(LossName)),
    "captions": checks.one_of(get_args(CaptionStyle)),
    "negatives": checks.one_of(get_args(Negatives)),
    "anchors": checks.one_of(get_args(Anchors)),
    "weights": checks.several(
        checks.number(lambda value: value > 0, ""), "positive numbers, one for each of the dimensions"
    ),
    "centring": checks.number(lambda value: 0 <= value <= 1, "a number from 0 to 1"),
    "standardise": checks.switch,
    "audio_hidden": _WIDTHS,
    "text_hidden": _WIDTHS,
    "embedding_dim": checks.whole(1),
    "temperature": checks.number(lambda value: value >= 1 / LARGEST_SCALE, f"at least {1 / LARGEST_SCALE:g}"),
    "epochs": checks.whole(1),
    "keep": checks.one_of(get_args(Keep)),
    "patience": checks.whole(1),
    "batch_size": checks.whole(2),
    "balance": checks.switch,
    "mix": checks.switch,
    "captions_per_batch": checks.whole(2),
    "unfreeze": checks.whole(0),
    "encoder_learning_rate": checks.number(lambda value: value > 0, "a positive number"),
    "augment": checks.whole(0),
    "chunks": checks.whole(1),
    "optimizer": checks.one_of(get_args(Optimizer)),
    "learning_rate": checks.number(lambda value: value > 0, "a positive number"),
    "schedule": checks.one_of(get_args(Schedule)),
    "weight_decay": checks.number(lambda value: value >= 0, "0 or a positive number"),
    "dropout": checks.number(lambda value: 0 <= value < 1, "a number from 0 to below 1"),
    "seed": checks.whole(0),
}
