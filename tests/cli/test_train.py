"""From an official corpus folder to a trained model that measures and searches."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import soundfile
from scipy.stats import kendalltau

from emorank import EmotionRankCLAP
from emorank.affect import STEPS
from emorank.evaluation.ordinality import retrieve
from tests.captions.loopback import Server, serving
from tests.cli.conftest import Run
from tests.conftest import voice
from tests.encoders.checkpoints import tiny_distilroberta, tiny_wavlm_ser

pytest.importorskip("lightning")

Emorank = Callable[..., Run]
TESTS = ["ordinality", "alignment", "retrieval", "zero-shot"]


@pytest.fixture
def ravdess(tmp_path: Path) -> Path:
    """A miniature RAVDESS whose anger is high and fast."""
    for actor in (1, 2, 17, 21, 22):
        for emotion, pitch in (("01", 120), ("02", 100), ("04", 90), ("05", 300)):
            for take in ("01", "02"):
                path = tmp_path / "ravdess" / f"Actor_{actor:02d}" / f"03-01-{emotion}-01-01-{take}-{actor:02d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, voice(0.4, pitch + 3 * actor, actor), 16_000)
    return tmp_path / "ravdess"


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
    pytest.importorskip({"llm": "httpx2", "paraclap": "parselmouth"}.get(style, "lightning"))
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


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("path,valence\na.wav,3\n", "no column arousal, dominance"),
        ("path,valence,arousal,dominance,split\na.wav,3,3,3,train\n", "no utterance with split 'train'"),
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
