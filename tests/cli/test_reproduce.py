"""The options of emorank reproduce; what it does is in tests/reproduce."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emorank.cli import make_app
from tests.cli.conftest import Run, heavy_imports

pytestmark = pytest.mark.usefixtures("encoded_bank")

MISTAKES = [
    (["--seeds", "0"], "--seeds must be at least 1, not 0."),
    (["--epochs", "0"], "--epochs must be at least 1, not 0."),
    (["--batch-size", "1"], "--batch-size must be at least 2, not 1."),
    (["--dropout", "1"], "--dropout must be a number from 0 to below 1, not 1.0."),
    (["--dropout", "nan"], "--dropout must be a number from 0 to below 1, not nan."),
    (["--jobs", "0"], "--jobs must be at least 1, not 0."),
    (["--learning-rates", "1e-3", "0"], "--learning-rates must be different numbers above 0, not 0.001 0.0."),
    (["--learning-rates", "nan"], "--learning-rates must be different numbers above 0, not nan."),
    (["--learning-rates", "inf"], "--learning-rates must be different numbers above 0, not inf."),
    (["--learning-rates", "1e-3", "1e-3"], "--learning-rates must be different numbers"),
    (["--strict", "--epochs", "3"], "--strict fixes learning rate, epochs"),
    (["--strict", "--learning-rates", "1e-3"], "--strict fixes learning rate"),
    (["--rows", "plane", "clap"], "There is no row 'clap'; the rows are clap_template, clap4emo"),
    (["--rows", "plane"], "t.parquet: there is no such table"),
]


@pytest.mark.parametrize(("options", "sentence"), MISTAKES)
def test_mistakes_are_one_sentence(
    emorank: Callable[..., Run], tmp_path: Path, options: list[str], sentence: str
) -> None:
    run = emorank("reproduce", "--data", tmp_path / "t.parquet", "--out", tmp_path / "out", *options)
    assert (run.status, run.out, run.err.count("\n")) == (1, "", 0)
    assert sentence in run.err
    assert not (tmp_path / "out").exists()


def test_out_is_a_folder(emorank: Callable[..., Run], tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    run = emorank("reproduce", "--data", tmp_path / "t.parquet", "--out", tmp_path / "out")
    assert "--out must be a folder, not" in run.err


def test_mistakes_are_found_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    always = ["reproduce", "--data", str(tmp_path / "t.parquet"), "--out", str(tmp_path / "out")]
    assert heavy_imports([[*always, *options] for options, _ in MISTAKES]) == []


def test_flags_with_several_values_work_as_they_are_typed() -> None:
    words = ["--data", "a.csv", "b.csv", "--out", "x", "--rows", "plane", "emotionrankclap"]
    words += ["--learning-rates", "1e-3", "1e-4", "--seeds", "2"]
    _, bound, _ = make_app().parse_args(["reproduce", *words], exit_on_error=False, print_error=False)
    assert bound.arguments["data"] == [Path("a.csv"), Path("b.csv")]
    assert bound.arguments["rows"] == ["plane", "emotionrankclap"]
    assert bound.arguments["learning_rates"] == (1e-3, 1e-4)
    assert bound.arguments["seeds"] == 2
