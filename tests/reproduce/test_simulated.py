"""The simulated corpus: what is rated, voted and encoded, and the tables' rows on it."""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("yaml")

from emorank.reproduce.protocol import Protocol
from emorank.reproduce.rows import row_of
from emorank.reproduce.run import train_and_test
from emorank.reproduce.simulated import ENCODER, FULL, MUFFLED, World, elected, simulate

SMALL = World(utterances=1800)
TRUE = ("true_valence", "true_arousal")


def errors(world: World) -> np.ndarray:
    table, _ = simulate(world)
    return table.select("valence", "arousal").to_numpy() - table.select(TRUE).to_numpy()


def test_sizes_and_speakers_are_the_papers_in_proportion() -> None:
    table, features = simulate(SMALL)
    sizes = dict(table.group_by("split").len().iter_rows())
    assert sizes == {split: round(count * 1800 / FULL["train"]) for split, count in FULL.items()}
    assert len(features) == len(table)
    assert table.group_by("speaker").agg(pl.col("split").n_unique())["split"].max() == 1
    assert table["label_source"].unique().to_list() == ["simulated"]
    assert simulate(SMALL)[0].equals(table)


def test_labels_are_means_of_five_whole_answers_that_scatter_as_told() -> None:
    table, _ = simulate(SMALL)
    labels = table.select("valence", "arousal").to_numpy()
    np.testing.assert_allclose(labels * 5, np.round(labels * 5), atol=1e-9)
    assert labels.min() >= 1
    assert labels.max() <= 7
    inside = (abs(simulate(SMALL)[0].select(TRUE).to_numpy() - 4) < 1).all(1)  # where the scale cuts nothing off
    rounding = 1 / 12
    assert errors(SMALL)[inside].std() == pytest.approx(np.sqrt((1 + rounding) / 5), rel=0.1)
    quiet = dataclasses.replace(SMALL, noise=0.0)
    assert abs(errors(quiet)).max() <= 0.5


@pytest.mark.parametrize("telling", [0.0, 0.4, 1.0])
def test_so_much_of_the_places_variance_lies_between_categories(telling: float) -> None:
    world = dataclasses.replace(SMALL, telling=telling, utterances=6000)
    table, _ = simulate(world)
    votes = (
        table.filter(emotion="anger").select(TRUE).to_numpy(),
        table.filter(emotion="happiness").select(TRUE).to_numpy(),
    )
    apart = abs(votes[0].mean(0) - votes[1].mean(0)).max()
    assert (apart < 0.2) == (telling == 0)
    if telling == 1:  # a category has one place; who was outvoted has another's
        assert np.median(abs(votes[0] - np.median(votes[0], axis=0))) < 1e-9


def test_the_category_is_that_of_most_raters() -> None:
    names = np.array(["a", "b", "c"])
    assert elected(np.array([[0, 0, 1, 1, 2], [2, 2, 1, 0, 2], [1, 1, 1, 0, 0]]), names) == ["no agreement", "c", "b"]


def test_the_encoder_tells_places_as_well_as_it_is_muffled() -> None:
    table, features = simulate(dataclasses.replace(SMALL, utterances=4000))
    test = (table["split"] == "test").to_numpy()
    places = table.select(TRUE).to_numpy()
    inputs = np.hstack([features, np.ones((len(features), 1))])
    map_, *_ = np.linalg.lstsq(inputs[~test], places[~test], rcond=None)
    correlations = [np.corrcoef((inputs[test] @ map_)[:, i], places[test, i])[0, 1] for i in (0, 1)]
    assert correlations == pytest.approx([1 / np.sqrt(1 + MUFFLED**2)] * 2, abs=0.06)


@pytest.mark.slow
@pytest.mark.usefixtures("encoded_bank")
def test_rows_are_trained_and_tested_and_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    protocol = Protocol(ENCODER, seeds=1, learning_rates=(1e-3,), epochs=1)
    tests = {row_of(key): ("ordinality",) for key in ("supconclap_av", "plane")}
    world = World(utterances=300)
    first = train_and_test(world, tmp_path, protocol, tests, jobs=1)
    assert {row["seeds"][0]["about"]["label_source"] for row in first["rows"].values()} == {"simulated"}
    assert 0 < first["rows"]["plane"]["seeds"][0]["ordinality"]["voc"]["mean"] < 1
    model = tmp_path / "runs" / "plane" / "lr0.001-seed0" / "model.safetensors"
    written = model.stat().st_mtime_ns
    assert train_and_test(world, tmp_path, protocol, tests, jobs=1) == first
    assert model.stat().st_mtime_ns == written
