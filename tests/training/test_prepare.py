"""What a table becomes before training: every style of caption, what is left out, and what is refused."""

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from emorank.affect import DIMENSIONS, unpredictability
from emorank.captions import bundled, paired
from emorank.encoders import audio_encoder
from emorank.errors import EmorankError
from emorank.training.checkpoint import identity
from emorank.training.config import CaptionStyle, LossName, TrainConfig
from emorank.training.loop import fit
from emorank.training.prepare import copies, groups, prepare, split_by_speaker
from tests.encoders.checkpoints import tiny_distilroberta

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


@pytest.fixture(scope="module")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared-cache")


@pytest.fixture(autouse=True)
def own_cache(shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One cache for this file, so that the bank's captions are encoded once; recordings lie elsewhere in every test."""
    monkeypatch.setenv("EMORANK_CACHE", str(shared_cache))
    return shared_cache


@pytest.fixture(scope="module")
def tiny_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"{tiny_distilroberta(tmp_path_factory.mktemp('text'))}/first"


@pytest.fixture
def config(tiny_whisper: str, tiny_text: str) -> TrainConfig:
    return TrainConfig(
        audio_encoder=tiny_whisper,
        text_encoder=tiny_text,
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
    assert {why: count for why, count in prepared.left_out.items() if count} == {
        "have no caption of the kind template": 1
    }
    assert len(prepared.table) == 11
    assert len(prepared.train.audio) == len(prepared.train.text) == 7


def test_synonyms_are_one_category(table: pl.DataFrame, config: TrainConfig) -> None:
    other = table.with_columns(pl.col("emotion").replace({"anger": "angry"}))
    chosen = dataclasses.replace(config, loss="supervised_contrastive", captions="template")
    prepared = prepare(other, chosen)
    assert prepared.renamed == {"angry": "anger"}
    assert prepared.table["emotion"].equals(prepare(table, chosen).table["emotion"])


def test_what_cannot_be_is_refused_in_one_sentence(table: pl.DataFrame, config: TrainConfig) -> None:
    with pytest.raises(EmorankError, match="no column dominance; it is needed for every utterance"):
        prepare(table, dataclasses.replace(config, dimensions=("dominance",)))
    with pytest.raises(EmorankError, match="no column arousal; it is needed for every utterance"):
        prepare(table.drop("arousal"), dataclasses.replace(config, dimensions=("valence",), captions="bank"))
    with pytest.raises(EmorankError, match="no utterance with split 'development'"):
        prepare(table.filter(split="train"), config)
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


def test_corpora_share_batches_or_not(table: pl.DataFrame, config: TrainConfig) -> None:
    several = table.with_columns(pl.Series("corpus", ["large"] * 6 + ["small"] * 2 + ["large"] * 4))
    assert prepare(several, config).train.groups is None
    apart = dataclasses.replace(config, mix=False, batch_size=4)
    assert prepare(table, apart).train.groups is None
    prepared = prepare(several, apart)
    assert prepared.development.groups is None  # so that losses compare
    assert (prepared.train.groups == torch.tensor([0] * 6 + [1] * 6)).all()
    rows = pl.DataFrame({"corpus": ["a"] * 5 + ["b"] * 2 + [None] + ["c"] * 4})
    assert (groups(rows, 4) == torch.tensor([1] * 5 + [0] * 3 + [2] * 4)).all()  # what would fill no batch
    assert groups(rows, 64) is None


def test_runs_that_began_before_this_could_be_chosen_stay_the_same(table: pl.DataFrame, config: TrainConfig) -> None:
    several = table.with_columns(pl.Series("corpus", ["a"] * 4 + ["b"] * 4 + ["a"] * 4))
    mixed, apart = config, dataclasses.replace(config, mix=False, batch_size=2)
    runs = []
    for each in (mixed, dataclasses.replace(mixed, mix=False, batch_size=64), apart):
        prepared = prepare(several, each)
        runs.append(identity(prepared.train, prepared.development, dataclasses.replace(each, batch_size=4)))
    assert runs[0] == runs[1] != runs[2]


def test_training_utterances_are_heard_damaged_too(
    table: pl.DataFrame, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = table.with_columns(pl.Series("corpus", ["large"] * 6 + ["small"] * 2 + ["large"] * 4))
    assert prepare(several, dataclasses.replace(config, augment=0)).train.damaged is None
    prepared = prepare(several, dataclasses.replace(config, augment=2))
    heard, copied = prepared.train.audio.features, prepared.train.damaged
    assert copied is not None
    assert copied.shape == (2, *heard.shape) == (2, 12, heard.shape[1])
    assert all((one != other).any(1).all() for one, other in itertools.combinations((heard, *copied), 2))
    assert torch.equal(copied[:, 6], copied[:, 8])  # the utterances of small corpora are there more than once
    assert prepared.development.damaged is None
    assert prepared.unheard == 0
    monkeypatch.setattr("emorank.listening.store.listen", None)  # all is known
    again = prepare(several, dataclasses.replace(config, augment=2)).train.damaged
    assert again is not None
    assert torch.equal(again, copied)


def test_a_copy_that_cannot_be_heard_is_the_utterance_as_it_is(
    table: pl.DataFrame, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(table, dataclasses.replace(config, augment=0))
    monkeypatch.setattr("emorank.training.damaged.damaged", lambda wave, *_: np.full_like(wave, np.nan))
    prepared = prepare(table, dataclasses.replace(config, augment=1, balance=False, seed=1))
    assert prepared.train.damaged is not None
    assert torch.equal(prepared.train.damaged[0], prepared.train.audio.features)
    assert prepared.unheard == len(prepared.train.audio)


ORDERS = [order for k in (1, 2, 3) for order in itertools.permutations(DIMENSIONS, k)]


@pytest.mark.parametrize("captions", ["plane", "bank"])
@pytest.mark.parametrize("dimensions", ORDERS, ids="-".join)
def test_any_dimensions_in_any_order(
    table: pl.DataFrame, config: TrainConfig, tmp_path: Path, captions: CaptionStyle, dimensions: tuple[str, ...]
) -> None:
    """Labels of both modalities are those columns in that order; captions of the bank go by valence and arousal."""
    three = table.with_columns(pl.Series("dominance", np.linspace(1, 7, len(table))))
    chosen = dataclasses.replace(config, dimensions=dimensions, captions=captions, epochs=1, balance=False)
    prepared = prepare(three, chosen)
    train = three.filter(split="train")
    np.testing.assert_allclose(prepared.train.audio.labels, train.select(dimensions), rtol=1e-6)
    if captions == "plane":
        bank = bundled("train")
        columns = [("valence", "arousal", "dominance").index(name) for name in dimensions]
        np.testing.assert_array_equal(prepared.train.text.labels, bank.points[:, columns])
    else:
        np.testing.assert_array_equal(prepared.train.text.labels, prepared.train.audio.labels)
    model = fit(prepared.train, prepared.development, chosen, tmp_path / "run")
    assert model.config.dimensions == dimensions
    assert model.locate(model.audio(prepared.train.audio.features.numpy())).shape == (8, len(dimensions))


def test_labels_that_are_missing_or_nan_leave_their_utterance_out(table: pl.DataFrame, config: TrainConfig) -> None:
    valence = table["valence"].to_list()
    valence[0], valence[1] = None, float("nan")
    some = table.with_columns(pl.Series("valence", valence))
    prepared = prepare(some, config)
    assert prepared.left_out["lack a label in valence, arousal"] == 2
    assert prepared.table["path"].to_list() == table["path"].to_list()[2:]
    arousal = prepare(some, dataclasses.replace(config, dimensions=("arousal",)))
    assert arousal.left_out["lack a label in arousal"] == 0


def test_unpredictability_is_derived_from_the_category_unless_it_is_stated(
    table: pl.DataFrame, config: TrainConfig
) -> None:
    four = dataclasses.replace(config, dimensions=("unpredictability", "valence"))
    some = table.with_columns(pl.col("emotion").replace({"anger": "Angry", "sadness": "nostalgia"}))
    prepared = prepare(some, four)
    assert prepared.left_out["lack a label in unpredictability, valence"] == 3
    rows = prepared.table.filter(split="train")
    derived = [unpredictability(name) for name in rows["emotion"]]
    np.testing.assert_allclose(sorted(set(prepared.train.audio.labels[:, 0].tolist())), sorted(set(derived)))
    np.testing.assert_array_equal(
        prepared.train.text.labels.numpy(), bundled("train").labels(("unpredictability", "valence"))
    )
    sources = {row["unpredictability_source"] for row in prepared.about()["utterances"]}
    assert sources == {"derived"}  # whatever the source of the other labels
    stated = prepare(table.with_columns(pl.lit(6.25).alias("unpredictability")), four)
    assert stated.train.audio.labels[:, 0].tolist() == [6.25] * len(stated.train.audio)
    some = [6.25, None, float("nan"), *[6.25] * 9]  # a corpus that states it beside one that does not
    mixed = prepare(table.with_columns(pl.Series("unpredictability", some)), four)
    assert mixed.train.audio.labels[:3, 0].tolist() == [6.25, *map(unpredictability, EMOTIONS[1:3])]
    counts = {
        row["unpredictability_source"]: row["utterances"]
        for row in mixed.about()["utterances"]
        if row["split"] == "train"
    }
    assert counts == {"stated": 6, "derived": 2}
    assert (mixed.derived, prepare(table, config).derived) == (2, 0)
    with pytest.raises(EmorankError, match="no column unpredictability, or emotion, which it is derived from"):
        prepare(table.drop("emotion"), four)


def test_a_recording_that_is_broken_or_has_no_finite_features_is_named(
    table: pl.DataFrame, config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = table["path"].to_list()
    Path(paths[2]).write_bytes(b"no sound")
    encoder = audio_encoder(config.audio_encoder)

    class Broken:  # as a checkpoint whose weights overflow for some recordings
        name, dim, fingerprint = "broken", encoder.dim, "broken"

        def __call__(self, waves: list[np.ndarray]) -> np.ndarray:
            vectors = encoder(waves)
            vectors[[len(wave) == round(16_000 * 0.7) for wave in waves]] = np.nan
            return vectors

    monkeypatch.setattr("emorank.training.prepare.audio_encoder", lambda name: Broken())
    prepared = prepare(table, config)
    assert [error.path for error in prepared.broken] == [paths[1], paths[2], paths[4], paths[7], paths[10]]
    assert "gives NaN or infinity for it" in prepared.broken[0].reason
    assert prepared.table["path"].to_list() == [path for i, path in enumerate(paths) if i % 3 != 1 and i != 2]


def test_a_table_without_a_split_is_divided_by_speaker() -> None:
    table = pl.DataFrame({"path": [f"{i}.wav" for i in range(100)], "speaker": [f"s{i % 20}" for i in range(100)]})
    divided = table.with_columns(split_by_speaker(table))
    parts = divided.group_by("speaker").agg(pl.col("split").n_unique())
    assert parts["split"].to_list() == [1] * 20
    assert divided.filter(split="development")["speaker"].n_unique() == 3
    lone = pl.DataFrame({"path": [f"{i}.wav" for i in range(40)]})
    assert split_by_speaker(lone).value_counts().sort("split")["count"].to_list() == [6, 34]
