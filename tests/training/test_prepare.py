"""What a table becomes before training: every style of caption, what is left out, and what is refused."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("lightning")

from emorank.captions import bundled, paired
from emorank.errors import EmorankError
from emorank.training.config import CaptionStyle, LossName, TrainConfig
from emorank.training.fit import fit
from emorank.training.prepare import copies, prepare

EMOTIONS = ["anger", "sadness", "happiness", "neutral"]
POINTS = [(1.5, 6.0), (2.0, 2.0), (6.1, 5.4), (4.0, 4.0)]


@pytest.fixture
def table(recordings: Callable[..., Path]) -> pl.DataFrame:
    """Twelve utterances of four categories; one in the development part without a category."""
    paths = sorted(map(str, recordings(12).iterdir()))
    rows = [
        {"path": path, "emotion": EMOTIONS[i % 4], "valence": POINTS[i % 4][0], "arousal": POINTS[i % 4][1]}
        for i, path in enumerate(paths)
    ]
    split = ["train"] * 8 + ["development"] * 4
    return pl.DataFrame(rows).with_columns(pl.Series("split", split), pl.format("said {}", "emotion").alias("caption"))


@pytest.fixture
def config(tiny_whisper: str) -> TrainConfig:
    return TrainConfig(
        audio_encoder=tiny_whisper,
        dimensions=("valence", "arousal"),
        text_hidden=(),
        embedding_dim=16,
        epochs=2,
        batch_size=4,
        captions_per_batch=16,
    )


ROWS: list[tuple[LossName, CaptionStyle]] = [
    ("rank_n_contrast", "plane"),
    ("rank_n_contrast", "bank"),
    ("symmetric_cross_entropy", "bank"),
    ("supervised_contrastive", "bank"),
    ("symmetric_cross_entropy", "template"),
    ("symmetric_cross_entropy", "clap4emo"),
    ("symmetric_cross_entropy", "column"),
]


@pytest.mark.parametrize(("loss", "captions"), ROWS)
def test_every_row_trains(
    table: pl.DataFrame, config: TrainConfig, tmp_path: Path, loss: LossName, captions: CaptionStyle
) -> None:
    chosen = dataclasses.replace(config, loss=loss, captions=captions)
    prepared = prepare(table, chosen)
    assert len(prepared.train.audio) == 8
    assert prepared.train.paired == (captions != "plane")
    losses: list[float] = []
    model = fit(
        prepared.train, prepared.development, chosen, tmp_path / "run", report=lambda *each: losses.append(each[2])
    )
    assert len(losses) == 2
    assert losses[0] != losses[1]
    assert model.config.training["config"]["loss"] == loss
    assert model.config.dimensions == ("valence", "arousal")


def test_paraclap_says_what_is_high_and_low(table: pl.DataFrame, config: TrainConfig) -> None:
    pytest.importorskip("parselmouth")
    captions = paired(table, "paraclap")
    assert captions[0] is not None
    assert captions[0].startswith("speech has anger emotion and pitch is low and ")
    assert captions[11] is not None
    assert " pitch is high " in captions[11]


def test_a_paired_caption_comes_from_the_cell_of_the_label_and_the_part_of_the_split(table: pl.DataFrame) -> None:
    captions = paired(table, "bank")
    assert set(captions[0:8:4]) <= set(bundled("train").cells()[1.5, 6.0])
    assert captions[8] in bundled("development").cells()[1.5, 6.0]
    assert captions[10] in bundled("development").cells()[6.0, 5.5]
    assert captions == paired(table, "bank")


def test_utterances_without_a_caption_are_left_out_and_counted(table: pl.DataFrame, config: TrainConfig) -> None:
    some = table.with_columns(pl.when(pl.int_range(pl.len()) == 1).then(None).otherwise("emotion").alias("emotion"))
    prepared = prepare(some, dataclasses.replace(config, loss="symmetric_cross_entropy", captions="template"))
    assert prepared.uncaptioned == 1
    assert len(prepared.train.audio) == len(prepared.train.text) == 7


def test_what_cannot_be_is_refused_in_one_sentence(table: pl.DataFrame, config: TrainConfig) -> None:
    with pytest.raises(EmorankError, match="needs a caption for every utterance"):
        prepare(table, dataclasses.replace(config, loss="symmetric_cross_entropy"))
    with pytest.raises(EmorankError, match="need the column emotion"):
        prepare(table.drop("emotion"), dataclasses.replace(config, captions="template"))
    with pytest.raises(EmorankError, match="needs the column emotion for every"):
        prepare(table.drop("emotion"), dataclasses.replace(config, loss="supervised_contrastive", captions="bank"))


def test_small_corpora_are_repeated(table: pl.DataFrame, config: TrainConfig) -> None:
    corpora = ["large"] * 6 + ["small"] * 2 + ["large"] * 4
    several = table.with_columns(pl.Series("corpus", corpora))
    assert copies(several[:8]).tolist() == [1] * 6 + [3] * 2
    assert copies(pl.DataFrame({"corpus": ["a"] * 90 + ["b"] * 9})).max() == 4
    balanced = prepare(several, config)
    assert len(balanced.train.audio) == 12
    assert len(balanced.development.audio) == 4
    assert len(prepare(several, dataclasses.replace(config, balance=False)).train.audio) == 8
