"""Options of emorank train as people type them, and what is said of those that cannot be."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emorank import EmotionRankCLAP
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("encoded_bank")

Emorank = Callable[..., Run]


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("path,valence\na.wav,3\n", "no column arousal, dominance"),
        (
            "path,valence,arousal,dominance,split\na.wav,3,3,3,train\nb.wav,3,3,3,development\n",
            "a.wav: there is no such file",
        ),
    ],
)
def test_tables_that_cannot_be_trained_on(
    emorank: Emorank, tiny_whisper: str, tmp_path: Path, table: str, sentence: str
) -> None:
    (tmp_path / "t.csv").write_text(table)
    run = emorank("train", "--data", tmp_path / "t.csv", "--out", tmp_path / "run", "--audio-encoder", tiny_whisper)
    assert run.status == 1
    assert sentence in run.err
    assert not (tmp_path / "run").exists()


def test_a_row_of_the_paper_from_its_file_with_a_flag_over_it(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    file = Path(__file__).parents[2] / "configs" / "supconclap_av.yaml"
    options = ["--config", file, "--audio-encoder", tiny_whisper, "--epochs", 1]
    run = emorank("train", "--data", table, "--out", out, *options)
    assert run.status == 0, run.err
    config = json.loads((out / "config.json").read_text())["training"]["config"]
    assert (config["loss"], config["captions"], config["dimensions"]) == (
        "supervised_contrastive",
        "bank",
        ["valence", "arousal"],
    )
    assert (config["epochs"], config["learning_rate"]) == (1, 1e-4)
    (tmp_path / "bad.yaml").write_text("los: x\n")
    bad = emorank("train", "--data", table, "--out", tmp_path / "no", "--config", tmp_path / "bad.yaml")
    assert (bad.status, bad.err.count("\n")) == (1, 0)
    assert "not fields of a training: los" in bad.err
    missing = emorank("train", "--data", table, "--out", tmp_path / "no", f"--config={tmp_path}/gone.yaml")
    assert "gone.yaml: the config cannot be read" in missing.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--epochs", 0], "--epochs must be a whole number of at least 1, not 0."),
        (["--dropout", 2], "--dropout must be a number from 0 to below 1, not 2.0."),
        (["--batch-size", 0], "--batch-size must be a whole number of at least 2, not 0."),
        (["--captions-per-batch", 0], "--captions-per-batch must be a whole number of at least 2, not 0."),
        (["--dimensions", "valence", "tension"], "--dimensions must be one or more of valence, arousal, dominance"),
        (["--dimensions", "valence", "arousal", "--weights", 1, 1, 1], "--weights must be as many as the dimensions"),
        (["--audio-hidden", 512, 0], "--audio-hidden must be widths of layers"),
        (["--loss", "symmetric_cross_entropy"], "--loss symmetric_cross_entropy needs a caption for every utterance"),
    ],
)
def test_an_option_out_of_range_is_one_sentence(
    emorank: Emorank, tmp_path: Path, flags: list[object], sentence: str
) -> None:
    run = emorank("train", "--data", tmp_path / "t.csv", "--out", tmp_path / "run", *flags)
    assert run.status == 1
    assert run.err.startswith(f"emorank: {sentence}")
    assert "\n" not in run.err


def test_an_option_out_of_range_is_found_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("epochs: many\n")
    code = (
        "import sys; from emorank.cli import main\n"
        "sys.argv = ['emorank', *sys.argv[1:]]\n"
        "try: main()\n"
        "except SystemExit as stop: print(stop)\n"
        "print([name for name in ('torch', 'polars', 'transformers', 'scipy', 'pyarrow') if name in sys.modules])"
    )
    for flags in (["--epochs", "0"], ["--config", str(tmp_path / "c.yaml")]):
        command = [sys.executable, "-c", code, "train", "--data", "t.csv", "--out", "x", *flags]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert "--epochs must be a whole number of at least 1" in out
        assert out.endswith("\n[]\n")


def test_flags_with_several_values_as_people_type_them(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", tiny_whisper, "--epochs", 1, "--embedding-dim", 16, "--captions", "bank"]
    several = ["--dimensions", "arousal", "valence", "--weights", 1, 2, "--audio-hidden", 24, 20, "--text-hidden"]
    run = emorank("train", "--data", table, "--out", out, *several, *options)
    assert run.status == 0, run.err
    model = EmotionRankCLAP.from_pretrained(out)
    assert model.config.dimensions == ("arousal", "valence")
    assert [weight.shape[0] for weight, _ in model.audio.layers] == [24, 20, 16]
    assert [weight.shape[0] for weight, _ in model.text.layers] == [16]
    assert model.config.training["config"]["weights"] == [1, 2]


def test_workers_are_those_of_a_cluster(emorank: Emorank, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,valence,arousal\n")
    data = ["--data", tmp_path / "t.csv", "--out", tmp_path / "run"]
    assert "--workers is for --ray" in emorank("train", *data, "--workers", 2).err
    assert "--workers must be at least 1, not 0." in emorank("train", *data, "--ray", "--workers", 0).err
