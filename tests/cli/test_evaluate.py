"""emorank evaluate as a user drives it; with the models of emorank train, see test_train."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Run, heavy_imports

pytestmark = pytest.mark.usefixtures("encoded_bank")

Emorank = Callable[..., Run]
MISTAKES = [
    (["--trials", "1"], "--trials must be at least 2, not 1."),
    (["--pairs", "1"], "--pairs must be at least 2, not 1."),
    (["--jobs", "0"], "--jobs must be at least 1, not 0."),
    (["--prompts", "p.yaml"], "--prompts goes with --test zero-shot, not ordinality."),
    (
        ["--lists", "l.csv", "--tests", "retrieval", "alignment"],
        "--lists goes with --test ordinality, not retrieval alignment.",
    ),
    (["--lists", "gone.csv"], "gone.csv: the lists cannot be read"),
    (["--prompts", "gone.json", "--test", "zero-shot"], "gone.json: the prompts cannot be read"),
]


@pytest.fixture
def table(recordings: Callable[..., Path], tmp_path: Path) -> Path:
    """16 recordings with four categories by other names, one of them a user's own, and two without agreement."""
    paths = sorted(map(str, recordings(16, seconds=0.2).iterdir()))
    emotions = ["happy", "angry", "pride", "sad"] * 3 + ["happy", "angry", "other", "no agreement"]
    pl.DataFrame({"path": paths, "emotion": emotions}).with_columns(
        valence=pl.int_range(pl.len()) / 3 + 1, arousal=6 - pl.int_range(pl.len()) / 4, label_source=pl.lit("derived")
    ).write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_what_was_left_out_is_said(emorank: Emorank, table: Path, tiny_model: Path) -> None:
    tests = ["--tests", "zero-shot", "retrieval", "zero-shot"]
    run = emorank("evaluate", "--model", tiny_model, "--data", table, *tests)
    assert run.status == 0, run.err
    assert "14 clips. Labels: derived." in run.out
    assert "2 clips of emotion other or without agreement are left out." in run.out
    assert "Emotions by another name: angry is anger, happy is happiness, sad is sadness." in run.out
    assert "left out for want of a description, see --prompts: pride (3 clips)" in run.out
    assert run.out.count("Zero-shot: 11 clips, 3 categories:") == 1
    assert "in brackets what a perfect ranking reaches" in run.out
    assert "(1.000)" in run.out


def test_prompts_of_ones_own_and_probabilities(emorank: Emorank, table: Path, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("category,description\nenvy,x\npride,chest out\nhappy,beaming\npride,swelling\n")
    options = ["--test", "zero-shot", "--prompts", tmp_path / "p.csv", "--json"]
    found = emorank("evaluate", "--model", tiny_model, "--data", table, *options).json["zero-shot"]
    assert found["prompts"] == {"happiness": ["beaming"], "pride": ["chest out", "swelling"]}
    assert found["left_out"] == {"anger": 4, "sadness": 3}
    assert len(found["probabilities"]) == found["clips"] == 7
    assert found["probabilities"][0].keys() == {"path", "happiness", "pride"}


def test_alignment_takes_as_many_trials_as_asked_for(emorank: Emorank, table: Path, tiny_model: Path) -> None:
    pytest.importorskip("ot")
    options = ["--test", "alignment", "--trials", 3]
    assert "3 trials of 7 pairs out of 14" in emorank("evaluate", "--model", tiny_model, "--data", table, *options).out
    options += ["--pairs", 5, "--jobs", 2]
    assert "3 trials of 5 pairs out of 14" in emorank("evaluate", "--model", tiny_model, "--data", table, *options).out


@pytest.mark.parametrize(("options", "sentence"), MISTAKES)
def test_mistakes_are_one_sentence(emorank: Emorank, table: Path, options: list[str], sentence: str) -> None:
    run = emorank("evaluate", "--data", table, *options)
    assert (run.status, run.out, run.err.count("\n")) == (1, "", 0)
    assert sentence in run.err


def test_mistakes_are_found_before_anything_heavy_is_imported(table: Path) -> None:
    mistakes = [["evaluate", "--data", str(table), *options] for options, _ in MISTAKES]
    assert heavy_imports(mistakes) == []
