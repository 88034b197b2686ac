"""From an official MSP-Podcast folder to both tables with the paper's encoders, and a kill in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import soundfile

from tests.cli.conftest import Run, emorank  # noqa: F401
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser

pytest.importorskip("parselmouth")

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"
CLASSES = {"A": (5.5, 2.1, 5.2), "S": (2.4, 2.2, 3.0), "H": (5.0, 5.8, 4.9), "N": (3.9, 4.1, 4.2)}


@pytest.fixture(scope="module")
def msp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature MSP-Podcast in its official layout: loud anger, low sadness, and classes that the paper drops."""
    root = tmp_path_factory.mktemp("msp")
    (root / "Audios").mkdir()
    (root / "Labels").mkdir()
    lines = [HEADER]
    for split, count in (("Train", 24), ("Development", 16), ("Test1", 20), ("Test2", 2)):
        for i in range(count):
            letter = "ASHN"[i % 4] if i else "X"
            act, val, dom = CLASSES.get(letter, (4.0, 4.0, 4.0))
            name = f"MSP-PODCAST_{split}_{i:04d}.wav"
            lines.append(f"{name},{letter},{act + i / 50:.4f},{val + i / 40:.4f},{dom},{split}{i % 3},Female,{split}")
            soundfile.write(root / "Audios" / name, voice(0.3, 90 + 40 * act, i), 16_000)
    (root / "Labels" / "labels_consensus.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="module")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The paper's encoders in miniature, as a user with local folders names them."""
    audio = tiny_wavlm_ser(tmp_path_factory.mktemp("ser"))
    text = tiny_distilroberta(tmp_path_factory.mktemp("text"))
    return ["--encoders", "paper", "--audio-encoder", f"{audio}/ser:mean", "--text-encoder", f"{text}/first"]


def test_from_the_corpus_to_both_tables(
    emorank: Callable[..., Run],  # noqa: F811
    msp: Path,
    encoders: list[str],
    tmp_path: Path,
) -> None:
    table, out = tmp_path / "msp.parquet", tmp_path / "results"
    assert emorank("corpus", "msp-podcast", msp, "--out", table).status == 0
    options = ["--seeds", 2, "--epochs", 2, "--batch-size", 8, "--learning-rates", "1e-3", "--jobs", 2]
    run = emorank("reproduce", "--data", table, "--out", out, *encoders, *options)
    assert run.status == 0, run.err
    assert "21 of 21 trainings: plane" in run.err
    assert "Labels are listeners' ratings." in run.out
    assert "19 test clips" in run.out  # Test1 without the class X
    table_1, table_2 = run.out.split("## Table 2")
    assert table_1.count("\n| ") == 4 + 1
    assert "ParaCLAP" in table_2
    results = json.loads((out / "results.json").read_text())
    assert len(results["rows"]) == 7
    assert {len(row["seeds"]) for row in results["rows"].values()} == {2}
    for seed in results["rows"]["emotionrankclap"]["seeds"]:
        assert (seed["about"]["clips"], seed["about"]["label_source"]) == (19, "rated")
        assert len(seed["ordinality"]["voc"]["taus"]) == 100
        assert len(seed["alignment"]["trials"]) == 30
    names = {"tables.md", "tables.tex", "retrieved.png", "spaces.png", "curves.png", "results.json"}
    assert names <= {path.name for path in out.iterdir()}
    models = {path.parent.parent.name for path in out.glob("runs/*/*/model.safetensors")}
    assert len(models) == 7


def test_killed_at_any_moment_it_ends_with_the_same_tables(msp: Path, encoders: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emorank"]
    subprocess.run([*command, "corpus", "msp-podcast", str(msp), "--out", str(tmp_path / "t.parquet")], check=True)
    options = ["--rows", "emotionrankclap", "clap_sce_av", "--seeds", "2", "--epochs", "3", "--batch-size", "8"]
    options += ["--learning-rates", "1e-3", "--jobs", "1", *encoders]

    def start(name: str) -> subprocess.Popen[bytes]:
        arguments = ["reproduce", "--data", str(tmp_path / "t.parquet"), "--out", str(tmp_path / name), *options]
        return subprocess.Popen([*command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def wait_for(pattern: str, process: subprocess.Popen[bytes]) -> None:
        while not list((tmp_path / "killed").glob(pattern)):
            assert process.poll() is None, process.stderr and process.stderr.read().decode()
            time.sleep(0.02)

    for pattern in ("runs/*/*/state/last.ckpt", "runs/*/*/test.json"):
        process = start("killed")
        wait_for(pattern, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "killed" / "results.json").exists()
    assert start("killed").wait() == 0
    assert start("calm").wait() == 0
    read = [(tmp_path / name / "tables.md").read_text() for name in ("killed", "calm")]
    assert read[0] == read[1]
    tables = [pl.read_parquet(tmp_path / name / "table.parquet") for name in ("killed", "calm")]
    assert tables[0].equals(tables[1])
