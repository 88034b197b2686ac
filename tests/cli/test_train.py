"""From an official corpus folder to a trained model that measures and searches."""

from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.cli.conftest import Run
from tests.conftest import voice

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
