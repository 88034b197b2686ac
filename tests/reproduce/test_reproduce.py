"""From an official MSP-Podcast folder to both tables with the paper's encoders, and a kill in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from emorank.audio import load
from emorank.evaluation.embedded import Embedded
from emorank.evaluation.report import measure_ordinality
from emorank.model import EmotionRankCLAP
from tests.cli.conftest import Run, emorank  # noqa: F401
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser

pytestmark = pytest.mark.usefixtures("encoded_bank")

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
    for split, count in (("Train", 25), ("Development", 16), ("Test1", 20), ("Test2", 2)):
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


@pytest.mark.slow
def test_from_the_corpus_to_both_tables(
    emorank: Callable[..., Run],  # noqa: F811
    msp: Path,
    encoders: list[str],
    tmp_path: Path,
) -> None:
    table, out = tmp_path / "msp.parquet", tmp_path / "results"
    assert emorank("corpus", "msp-podcast", msp, "--out", table).status == 0
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    last = pl.col("path").str.ends_with("Train_0024.wav")
    pl.read_parquet(table).with_columns(path=pl.when(last).then(pl.lit(str(broken))).otherwise("path")).write_parquet(
        table
    )
    options = ["--seeds", 2, "--epochs", 2, "--batch-size", 8, "--learning-rates", "1e-3", "--jobs", 2]
    run = emorank("reproduce", "--data", table, "--out", out, *encoders, *options)
    assert run.status == 0, run.err
    assert f"skipped {broken}: " in run.err
    assert run.err.count("broken.wav") == 1
    assert "3 utterances with emotion other or without agreement are left out." in run.err
    assert "14 of 14 trainings: plane" in run.err  # one learning rate is no choice
    assert "Labels are listeners' ratings." in run.out
    assert "19 test clips" in run.out  # Test1 without the class X
    assert "Left out of the corpus: 3 with emotion other or without agreement, 1 whose recording cannot be" in run.out
    assert "*a perfect ranking* | 1.000 | 1.000 | 1.000 |" in run.out
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


@pytest.mark.slow
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
            time.sleep(0.005)

    for pattern in ("runs/*/*/unfinished.pt", "runs/*/*/test.json"):
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


@pytest.mark.slow
def test_strict_trains_to_the_letter(
    emorank: Callable[..., Run],  # noqa: F811
    msp: Path,
    encoders: list[str],
    tmp_path: Path,
) -> None:
    """Raw inputs, Adam, one rate, recordings of 10 s; and the tables say so."""
    assert emorank("corpus", "msp-podcast", msp, "--out", tmp_path / "t.parquet").status == 0
    options = ["--data", tmp_path / "t.parquet", "--out", tmp_path / "out", *encoders, "--seeds", 1, "--jobs", 1]
    run = emorank("reproduce", "--strict", "--rows", "emotionrankclap", *options)
    assert run.status == 0, run.err
    assert "1 of 1 trainings: emotionrankclap" in run.err
    assert (
        "learning rate 0.0001, recordings cropped or zero-padded to 10 s, standardise False, optimizer adam" in run.out
    )
    model = EmotionRankCLAP.from_pretrained(tmp_path / "out" / "runs" / "emotionrankclap" / "lr0.0001-seed0")
    for head in (model.audio, model.text):
        assert not head.center.any()
        assert (head.spread == 1).all()
    test = pl.read_parquet(tmp_path / "out" / "table.parquet").filter(split="test")
    alone = [np.pad(load(path), (0, 160_000))[:160_000] for path in test["path"]]  # 10 s at 16 kHz
    expected = measure_ordinality(Embedded(model, test, model.encode_audio(alone), "test", (), 0, {}))
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    found = results["rows"]["emotionrankclap"]["seeds"][0]["ordinality"]
    differences = np.abs(np.subtract(found["voc"]["taus"], expected.voc.taus))
    assert (differences < 1e-6).mean() > 0.95  # another batch may round two clips that are nearly equal the other way
    assert differences.max() < 0.1
