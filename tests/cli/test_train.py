"""From an official corpus folder to a trained model that measures and searches."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import kendalltau

from emorank import EmotionRankCLAP
from emorank.affect import STEPS
from emorank.encoders import audio_fingerprint
from emorank.evaluation.ordinality import retrieve
from tests.captions.loopback import Server, serving
from tests.cli.conftest import Run
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser
from tests.training.test_processes import together

pytestmark = pytest.mark.usefixtures("encoded_bank")

Emorank = Callable[..., Run]
_EXTRAS = {"llm": "openai", "paraclap": "parselmouth"}
TESTS = ["ordinality", "alignment", "retrieval", "zero-shot"]


@pytest.mark.slow
def test_corpus_train_evaluate_search(emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    read = emorank("corpus", "ravdess", ravdess, "--out", table)
    assert read.status == 0
    assert "40 utterances of 5 speakers" in read.err
    assert "labels: derived 40" in read.err
    options = ["--audio-encoder", tiny_whisper, "--epochs", 2, "--embedding-dim", 16, "--captions-per-batch", 64]
    trained = emorank("train", "--data", table, "--out", out, *options)
    assert trained.status == 0, trained.err
    assert "Training on 16 utterances, developing on 8." in trained.err
    assert {path.name for path in out.iterdir()} == {"config.json", "model.safetensors"}
    found = emorank("evaluate", "--model", out, "--data", table, "--test", *TESTS, "--json").json
    about, report = found["about"], found["ordinality"]
    assert (about["clips"], about["speakers"], about["label_source"]) == (16, 2, "derived")
    assert (found["alignment"]["pairs"], len(found["alignment"]["trials"])) == (8, 30)
    recall = found["retrieval"]["text_to_audio"]["recall"]
    assert 0 <= recall["1"] <= recall["5"] <= recall["10"] <= 1
    assert set(found["zero-shot"]["recall"]) == {"neutral", "calm", "sadness", "anger"}
    assert -1 <= report["voc"]["mean"] <= report["oracle"]["voc"] <= 1
    spoken = emorank("evaluate", "--model", out, "--data", table, "--test", *TESTS).out
    assert "Alignment with captions of style bank: 30 trials of 8 pairs out of 16" in spoken
    assert f"UAR {found['zero-shot']['uar']:.3f} (chance 0.250)" in spoken
    assert "Labels: derived." in spoken
    assert f"VOC {report['voc']['mean']:.3f}" in spoken
    assert len(emorank("search", "calm", ravdess, "--model", out, "--json", "--top", 3).json) == 3


@pytest.mark.parametrize("style", ["bank", "template", "clap4emo", "paraclap", "llm"])
def test_a_captioned_table_trains_and_is_evaluated(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path, style: str
) -> None:
    """Captions of every style, through the column caption and without a further step."""
    if style in _EXTRAS:
        pytest.importorskip(_EXTRAS[style])
    table, captioned, out = tmp_path / "t.parquet", tmp_path / "captioned.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    with serving(Server()) as server:
        how = ["--llm", server.url, "--model", "tiny"] if style == "llm" else ["--style", style]
        assert emorank("caption", table, *how, "--out", captioned).status == 0
    options = ["--audio-encoder", tiny_whisper, "--epochs", 1, "--embedding-dim", 16, "--captions", "column"]
    trained = emorank("train", "--data", captioned, "--out", out, *options)
    assert trained.status == 0, trained.err
    assert "Training on 16 utterances, developing on 8." in trained.err
    tests = ["--test", "alignment", "retrieval", "--captions", "column"]
    found = emorank("evaluate", "--model", out, "--data", captioned, *tests, "--json").json
    assert found["alignment"]["captions"] == found["retrieval"]["captions"] == "column"
    assert found["alignment"]["pairs"] == 8


def test_lists_of_ones_own_are_the_ordinality_tests_descriptions(
    emorank: Emorank, ravdess: Path, tiny_model: Path, tmp_path: Path
) -> None:
    table, lists = tmp_path / "t.parquet", tmp_path / "lists.csv"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    assert emorank("caption", "--grid", "--lists", 2, "--out", lists).status == 0
    found = emorank("evaluate", "--model", tiny_model, "--data", table, "--lists", lists, "--json").json["ordinality"]
    model, clips = EmotionRankCLAP.from_pretrained(str(tiny_model)), pl.read_parquet(table).filter(split="test")
    similarity = model.similarity(
        model.encode_audio(clips["path"].to_list()), model.encode_text(pl.read_csv(lists)["caption"].to_list())
    )
    first = [int(clip) for clip in retrieve(similarity.T[:14])]
    assert found["voc"]["taus"][0] == pytest.approx(kendalltau(STEPS, clips["valence"].to_numpy()[first]).statistic)
    assert found["lists"] == 2


def test_a_model_on_the_kinds_of_encoders_of_the_paper(emorank: Emorank, ravdess: Path, tmp_path: Path) -> None:
    audio = f"{tiny_wavlm_ser(tmp_path / 'ser')}/ser:mean"
    text = f"{tiny_distilroberta(tmp_path / 'text')}/first"
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", audio, "--text-encoder", text, "--epochs", 1, "--embedding-dim", 16]
    options += ["--captions-per-batch", 64]
    trained = emorank("train", "--data", table, "--out", out, *options)
    assert trained.status == 0, trained.err
    assert (json.loads((out / "config.json").read_text())["audio_encoder"]) == audio
    assert emorank("evaluate", "--model", out, "--data", table).status == 0
    assert len(emorank("search", "calm", ravdess, "--model", out, "--json", "--top", 3).json) == 3


def test_a_loss_that_is_not_finite_ends_the_command(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", tiny_whisper, "--embedding-dim", 16, "--captions", "bank", "--learning-rate", 1e38]
    run = emorank("train", "--data", table, "--out", out, *options)
    assert run.status == 1
    assert "loss is not finite" in run.err
    assert "try a --learning-rate below 1e+38." in run.err
    assert not out.exists()


def test_what_is_left_out_is_counted_and_named(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    rows = pl.read_parquet(table)
    train = (rows["split"] == "train").arg_true()
    broken = rows["path"][int(train[0])]
    Path(broken).write_bytes(b"no sound")
    first, second = int(train[1]), int(train[2])
    number = pl.int_range(pl.len())
    rows.with_columns(
        pl.when(number == first).then(None).otherwise("arousal").alias("arousal"),
        pl.when(number == second).then(None).otherwise("emotion").alias("emotion"),
    ).write_parquet(table)
    options = ["--audio-encoder", tiny_whisper, "--embedding-dim", 16, "--epochs", 1]
    how = ["--captions", "template", "--loss", "symmetric_cross_entropy", "--dimensions", "valence", "arousal"]
    run = emorank("train", "--data", table, "--out", out, *options, *how)
    assert run.status == 0, run.err
    assert f"skipped {broken}" in run.err
    assert "1 utterances lack a label in valence, arousal and are left out." in run.err
    assert "1 utterances have no caption of the kind template and are left out." in run.err
    assert "Training on 13 utterances, developing on 8." in run.err


def torchrun(*command: str) -> tuple[int, str]:
    """Exit status and standard error of `torchrun --standalone --nproc-per-node 2 COMMAND`."""
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command]
    run = subprocess.run(started, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    return run.returncode, run.stderr


@pytest.mark.slow
def test_torchrun_trains_the_model_of_one_process(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table, alone, shared = tmp_path / "t.parquet", tmp_path / "alone", tmp_path / "shared"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", tiny_whisper, "--embedding-dim", "16", "--captions", "bank", "--epochs", "2"]
    options += ["--batch-size", "5", "--data", str(table)]
    status, said = torchrun("-m", "emorank", "train", *options, "--out", str(shared))
    assert status == 0, said
    assert said.count("epoch   2 of 2") == 1  # the first process alone reports
    assert emorank("train", *options, "--out", alone).status == 0
    mine, theirs = (EmotionRankCLAP.from_pretrained(folder) for folder in (alone, shared))
    losses = [model.config.training["development_losses"] for model in (mine, theirs)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-4)
    for (weight, _), (other, _) in zip(mine.audio.layers, theirs.audio.layers, strict=True):
        # Adam divides by the size of a gradient: where that is rounding alone, a weight may step elsewhere.
        assert (np.abs(weight - other) > 1e-5).mean() < 1e-3


@pytest.mark.slow
def test_an_encoder_that_is_trained_too(emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path) -> None:
    """By one process and by torchrun's two; the model measures and searches like any other, also where it is moved."""
    table, alone, shared = tmp_path / "t.parquet", tmp_path / "alone", tmp_path / "shared"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", tiny_whisper, "--embedding-dim", "16", "--captions", "bank", "--epochs", "2"]
    options += ["--unfreeze", "1", "--encoder-learning-rate", "1e-3", "--batch-size", "5", "--data", str(table)]
    trained = emorank("train", *options, "--out", alone)
    assert trained.status == 0, trained.err
    status, said = torchrun("-m", "emorank", "train", *options, "--device", "cpu", "--out", str(shared))
    assert status == 0, said
    models = [EmotionRankCLAP.from_pretrained(folder) for folder in (alone, shared)]
    losses = [model.config.training["development_losses"] for model in models]
    assert losses[1] == pytest.approx(losses[0], abs=1e-2)  # Adam makes steps of rounding where a gradient is small
    assert models[0].encoder_fingerprint != audio_fingerprint(tiny_whisper)
    alone.rename(tmp_path / "moved")
    assert emorank("evaluate", "--model", tmp_path / "moved", "--data", table).status == 0
    assert len(emorank("search", "calm", ravdess, "--model", tmp_path / "moved", "--json", "--top", 3).json) == 3


def test_an_encoder_that_cannot_be_trained_is_refused(emorank: Emorank, ravdess: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.parquet"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    audio = f"{tiny_wavlm_ser(tmp_path / 'ser')}/ser:mean"
    options = ["--data", table, "--out", tmp_path / "run", "--audio-encoder", audio]
    run = emorank("train", *options, "--unfreeze", 2)
    assert run.status == 1
    assert f"--unfreeze trains layers of a Whisper; {audio} is none, so leave the flag out." in run.err
    assert "--unfreeze must be a whole number of at least 0, not -1." in emorank("train", *options, "--unfreeze=-1").err


@pytest.mark.slow
def test_where_the_first_process_fails_the_others_end_with_a_sentence(
    emorank: Emorank, ravdess: Path, tiny_whisper: str, tmp_path: Path
) -> None:
    table = tmp_path / "t.parquet"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    pl.read_parquet(table).filter(split="train").write_parquet(table)
    options = ["--data", str(table), "--out", str(tmp_path / "run"), "--audio-encoder", tiny_whisper]
    (first, why), (second, other) = together("-m", "emorank", "train", *options)
    assert (first, second) == (1, 1)
    assert "no utterance with split 'development'" in why
    assert "Another process of this training has ended" in other
    assert "Traceback" not in why + other
