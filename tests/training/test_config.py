"""Every choice of a training is checked when it is made, in one sentence, before anything heavy is imported."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest

from emorank.captions import Style
from emorank.errors import EmorankError
from emorank.losses import rank_n_contrast
from emorank.training import config as choices
from emorank.training.config import TrainConfig, read_choices, read_config

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))

WRONG: list[tuple[str, Any, str]] = [
    ("audio_encoder", "", "a name"),
    ("text_encoder", 3, "a name"),
    ("dimensions", (), "one or more of valence, arousal, dominance, unpredictability, each once, not nothing"),
    ("dimensions", ("valence", "valence"), "each once, not valence valence"),
    ("dimensions", ("valence", "tension"), "one or more of valence, arousal, dominance"),
    ("dimensions", "valence", "one or more of"),
    ("dimensions", (["valence"],), "one or more of"),
    ("loss", "mse", "one of rank_n_contrast, symmetric_cross_entropy, supervised_contrastive, not mse"),
    ("captions", "llm", "one of plane, bank"),
    ("negatives", "all", "one of at_least_as_far, farther_and_self, farther"),
    ("anchors", "text", "one of audio, both"),
    ("weights", (1.0, 0.0, 1.0), "positive numbers, one for each of the dimensions, not 1.0 0.0 1.0"),
    ("weights", (1.0, math.nan, 1.0), "positive numbers"),
    ("weights", (1.0, 1.0), r"as many as the dimensions \(valence, arousal, dominance\), not 2"),
    ("weights", (), "as many as the dimensions"),
    ("centring", 1.1, "a number from 0 to 1, not 1.1"),
    ("centring", -0.1, "a number from 0 to 1"),
    ("standardise", "maybe", "true or false"),
    ("audio_hidden", (512, 0), "widths of layers, whole numbers of at least 1, or nothing, not 512 0"),
    ("text_hidden", (1.5,), "widths of layers"),
    ("embedding_dim", 0, "a whole number of at least 1"),
    ("temperature", 0.0, "at least 0.01"),
    ("temperature", math.inf, "at least 0.01"),
    ("epochs", 0, "a whole number of at least 1, not 0"),
    ("epochs", True, "a whole number"),
    ("epochs", 2.5, "a whole number"),
    ("patience", 0, "a whole number of at least 1"),
    ("batch_size", 1, "a whole number of at least 2"),
    ("balance", 1, "true or false"),
    ("mix", "no", "true or false"),
    ("captions_per_batch", 0, "a whole number of at least 2"),
    ("unfreeze", -1, "a whole number of at least 0"),
    ("encoder_learning_rate", 0.0, "a positive number"),
    ("augment", -1, "a whole number of at least 0"),
    ("chunks", 0, "a whole number of at least 1"),
    ("optimizer", "sgd", "one of adamw, adam"),
    ("learning_rate", 0.0, "a positive number"),
    ("learning_rate", math.nan, "a positive number, not nan"),
    ("learning_rate", math.inf, "a positive number"),
    ("keep", "best", "one of last, lowest"),
    ("schedule", "linear", "one of constant, cosine"),
    ("weight_decay", -0.1, "0 or a positive number"),
    ("dropout", 1.0, "a number from 0 to below 1"),
    ("dropout", -0.1, "a number from 0 to below 1"),
    ("seed", -1, "a whole number of at least 0"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_a_choice_that_cannot_be_is_a_sentence_with_its_flag(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(EmorankError, match=f"^--{name.replace('_', '-')} must be .*{sentence}") as caught:
        TrainConfig(**{name: value})
    assert "\n" not in str(caught.value)


def test_every_choice_is_checked() -> None:
    assert {name for name, _, _ in WRONG} == {field.name for field in dataclasses.fields(TrainConfig)}
    assert choices._CHECKS.keys() == {field.name for field in dataclasses.fields(TrainConfig)}


def test_a_loss_over_pairs_needs_captions_in_pairs() -> None:
    with pytest.raises(EmorankError, match="--loss symmetric_cross_entropy needs a caption for every utterance"):
        TrainConfig(loss="symmetric_cross_entropy")


def test_copies_that_are_encoded_once_need_a_frozen_encoder() -> None:
    with pytest.raises(EmorankError, match="--augment keeps what a frozen encoder hears, which --unfreeze changes"):
        TrainConfig(augment=1, unfreeze=1)


def test_places_are_given_in_three_of_the_dimensions() -> None:
    assert TrainConfig(dimensions=("unpredictability", "dominance", "valence")).placed == {"dominance": 1, "valence": 2}
    with pytest.raises(EmorankError, match=r"^--dimensions must have one of valence, arousal, dominance"):
        TrainConfig(dimensions=("unpredictability",))


def test_weights_follow_the_dimensions() -> None:
    assert TrainConfig().label_weights == (1.2, 1.0, 1.2)
    assert TrainConfig(dimensions=("arousal", "valence")).label_weights == (1.0, 1.2)
    assert TrainConfig(dimensions=("dominance",), weights=(2,)).label_weights == (2,)
    assert TrainConfig(dimensions=["valence"], audio_hidden=[3]).audio_hidden == (3,)  # type: ignore[arg-type]


def test_captions_of_the_bank_need_valence_and_arousal_whatever_the_loss_compares() -> None:
    assert TrainConfig(dimensions=("arousal",)).label_columns == ["arousal"]
    assert TrainConfig(dimensions=("dominance", "arousal"), captions="bank").label_columns == [
        "dominance",
        "arousal",
        "valence",
    ]


def test_the_words_are_those_of_the_losses_and_the_captions() -> None:
    assert choices.Negatives == rank_n_contrast.Negatives
    assert choices.Anchors == rank_n_contrast.Anchors
    assert set(get_args(choices.CaptionStyle)) == {"plane", *get_args(Style)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epochs: many", "--epochs must be a whole number of at least 1, not many."),
        ("epochs: [3]", "--epochs must be a whole number of at least 1, not 3."),
        ("epochs:", "--epochs must be a whole number of at least 1, not None."),
        ("dimensions: valence", "--dimensions must be one or more of valence, arousal, dominance"),
        ("weights: [1, x]", "--weights must be positive numbers"),
        ("dropout: {a: 1}", "--dropout must be a number from 0 to below 1"),
        ("learning_rate: fast", "--learning-rate must be a positive number, not fast."),
        ("dimensions: [arousal]\nweights: [1, 1]", "--weights must be as many as the dimensions (arousal), not 2."),
        ("epoch: 3", "not fields of a training: epoch (did you mean epochs?)."),
        ("learning-rate: 3\nzebra: 1", "not fields of a training: learning-rate (did you mean learning_rate?), zebra."),
        ("1: 2", "not fields of a training: 1."),
        ("- epochs", "the config holds no mapping"),
        ("", "the config holds no mapping"),
        ("{", "the config cannot be read"),
    ],
)
def test_a_file_that_cannot_be_is_a_sentence_with_its_name(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(text)
    with pytest.raises(EmorankError) as caught:
        read_config(file)
    assert str(caught.value).startswith(f"{file}: {sentence}")
    assert "\n" not in str(caught.value)


def test_a_file_of_choices(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(
        "learning_rate: 1e-4\naudio_hidden: []\ntext_hidden: null\ndimensions: [arousal, valence]\nepochs: 3\n"
    )
    config = read_config(file)  # YAML takes 1e-4 for text
    assert (config.learning_rate, config.audio_hidden, config.text_hidden) == (1e-4, (), None)
    assert config == TrainConfig(**read_choices(file))
    file.write_text("loss: symmetric_cross_entropy\n")
    assert read_choices(file) == {"loss": "symmetric_cross_entropy"}  # a flag may give it captions


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.stem)
def test_the_files_of_the_paper_are_read(file: Path) -> None:
    config = read_config(file)
    assert (config.dimensions, config.label_weights) == (("valence", "arousal"), (1.0, 1.0))


def test_nothing_heavy_is_imported() -> None:
    heavy = ("torch", "polars", "transformers", "scipy", "pyarrow", "lightning", "wandb")
    code = f"import sys, emorank.training.config; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
