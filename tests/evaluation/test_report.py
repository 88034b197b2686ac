"""The tests on real models and recordings: which utterances count, whatever the table and the model are like."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emorank.affect import STEPS
from emorank.errors import EmorankError
from emorank.evaluation.embedded import Embedded, embed
from emorank.evaluation.ordinality import description_lists
from emorank.evaluation.report import (
    measure,
    measure_alignment,
    measure_lists,
    measure_retrieval,
    measure_zero_shot,
)
from emorank.model import EmotionRankCLAP

CELLS = {(v, a): [f"a voice of valence {v}"] for v in STEPS for a in STEPS}  # few, because each takes time to encode
LISTS = {"VOC": description_lists(CELLS, "valence", 3), "AOC": description_lists(CELLS, "arousal", 3)}
EMOTIONS = ["Happy", "happiness", "angry", "sad", "pride", "other", "no agreement", None]


@pytest.fixture
def table(recordings: Callable[..., Path]) -> pl.DataFrame:
    """24 recordings of 8 emotions, the labels rising."""
    paths = sorted(map(str, recordings(24, seconds=0.2).iterdir()))
    return pl.DataFrame(
        {
            "path": paths,
            "valence": np.linspace(1, 7, 24),
            "arousal": np.linspace(7, 1, 24) ** 2 / 7,
            "emotion": pl.Series(EMOTIONS * 3, dtype=pl.String),
            "caption": pl.Series(["calm", "loud", "shy"] * 8),
        }
    ).with_columns(pl.col("arousal").clip(1, 7))


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


@pytest.fixture
def embedded(model: EmotionRankCLAP, table: pl.DataFrame) -> Embedded:
    return embed(model, table)


def test_nobody_is_measured_without_agreement_and_nobody_else_is_dropped(embedded: Embedded) -> None:
    about = embedded.about()
    assert (about["clips"], about["no_agreement"], about["split"]) == (18, 6, None)
    assert about["renamed"] == {"Happy": "happiness", "angry": "anger", "sad": "sadness"}
    report = measure_lists(embedded, LISTS)
    assert report.clips == 18  # pride and the unknown too
    assert len(report.voc.taus) == 3


def test_zero_shot_takes_synonyms_and_names_what_it_leaves_out(embedded: Embedded) -> None:
    report = measure_zero_shot(embedded).as_dict()
    assert report["clips"] == 12
    assert list(report["recall"]) == ["anger", "happiness", "sadness"]
    assert (report["left_out"], report["unlabelled"]) == ({"pride": 3}, 3)
    rows = report["probabilities"]
    assert [row["path"] for row in rows] == embedded.table.filter(pl.col("emotion") != "pride")["path"].to_list()
    assert [sum(row[name] for name in report["recall"]) for row in rows] == pytest.approx([1] * 12, abs=1e-5)


def test_ones_own_prompts_decide(embedded: Embedded) -> None:
    prompts = {"pride": ["chest out"], "sadness": ["sobbing", "low and slow"], "envy": ["green"]}
    report = measure_zero_shot(embedded, prompts)
    assert report.prompts == {name: prompts[name] for name in ("pride", "sadness")}
    assert report.left_out == {"anger": 3, "happiness": 6}
    text = embedded.model.encode_text(["chest out", "sobbing", "low and slow"])
    mean = (text[1] + text[2]) / np.linalg.norm(text[1] + text[2])
    audio = embedded.model.encode_audio(report.paths)
    scores = embedded.model.scale * audio @ np.stack([text[0], mean]).T
    expected = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    np.testing.assert_allclose(report.scores.probabilities, expected, rtol=1e-4)
    with pytest.raises(EmorankError, match=r"described: envy, fear\. The table has anger, happiness, pride, sadness"):
        measure_zero_shot(embedded, {"envy": ["green"], "fear": ["x"]})


def test_identical_captions_are_one_query(embedded: Embedded) -> None:
    report = measure_retrieval(embedded, "column")
    assert (report.pairs, report.text_to_audio.queries, report.audio_to_text.items) == (18, 3, 3)
    assert report.audio_to_text.recall[5] == 1
    assert report.text_to_audio.item_ceiling[1] == pytest.approx(1 / 6)


@pytest.mark.parametrize("dimensions", [("arousal",), ("arousal", "valence"), ("dominance", "valence", "arousal"), ()])
def test_the_models_own_dimensions_do_not_matter(
    model: EmotionRankCLAP, table: pl.DataFrame, dimensions: tuple[str, ...]
) -> None:
    config = dataclasses.replace(model.config, dimensions=dimensions)
    other = EmotionRankCLAP(model.audio, model.text, model.scale, model.locator[:, : len(dimensions)], config)
    tests = ("ordinality", "alignment", "retrieval", "zero-shot")
    expected, found = (measure(embed(each, table), tests, lists=LISTS) for each in (model, other))
    assert [found[test] for test in tests] == [expected[test] for test in tests]


def test_a_test_needs_only_its_own_columns(model: EmotionRankCLAP, table: pl.DataFrame) -> None:
    only = embed(model, table.select("path", "emotion", "caption"))
    assert measure_zero_shot(only).scores.clips == 12
    assert measure_retrieval(only, "column").pairs == 18
    assert only.about()["label_source"] == "unknown"
    with pytest.raises(EmorankError, match="no column valence, arousal"):
        measure_lists(only, LISTS)
    with pytest.raises(EmorankError, match="no column valence, arousal; captions of style 'bank'"):
        measure_alignment(only)
    with pytest.raises(EmorankError, match="needs a column emotion"):
        measure_zero_shot(embed(model, table.drop("emotion")))


def test_too_few_are_named(model: EmotionRankCLAP, table: pl.DataFrame) -> None:
    few = table.with_columns(
        valence=pl.when(pl.int_range(pl.len()) < 16).then("valence"),
        caption=pl.when(pl.int_range(pl.len()) < 3).then("caption"),
    )
    with pytest.raises(EmorankError, match="at least 14 clips with labels, the table has 12"):
        measure_lists(embed(model, few), LISTS)
    for test in (measure_alignment, measure_retrieval):
        with pytest.raises(EmorankError, match="3 of 18 utterances have a caption of style 'column'; at least 4"):
            test(embed(model, few), "column")


def test_broken_recordings_and_wrong_splits_are_named(
    model: EmotionRankCLAP, table: pl.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "broken.wav").write_text("no sound")
    broken = table.with_columns(
        path=pl.when(pl.int_range(pl.len()) == 4).then(pl.lit(str(tmp_path / "broken.wav"))).otherwise("path"),
        split=pl.when(pl.int_range(pl.len()) < 8).then(pl.lit("test")).otherwise(pl.lit("train")),
    )
    found = embed(model, broken)
    assert [error.path for error in found.broken] == [str(tmp_path / "broken.wav")]
    assert (len(found.table), len(found.embeddings), found.about()["broken"]) == (5, 5, 1)
    with pytest.raises(EmorankError, match="no split 'tset'; it has test, train"):
        embed(model, broken, "tset")
    with pytest.raises(EmorankError, match=r"None of the 1 recordings can be measured \(.*broken.wav"):
        embed(model, broken[4:5])
    with pytest.raises(EmorankError, match="None of the 0 recordings"):
        embed(model, table.filter(emotion="other"))
