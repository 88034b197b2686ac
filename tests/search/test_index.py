"""The index follows the folder, survives, and ends up the same whatever happened on the way."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.search import Index
from tests.conftest import save_model, voice


@pytest.fixture
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


def same(left: Index, right: Index) -> None:
    one, other = left.segments(), right.segments()
    assert [os.path.basename(p) for p in one.paths] == [os.path.basename(p) for p in other.paths]
    np.testing.assert_array_equal(one.start, other.start)
    np.testing.assert_array_equal(one.end, other.end)
    np.testing.assert_allclose(one.embeddings, other.embeddings, atol=1e-4)


def test_embeddings_are_those_of_the_model(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(4)
    index = Index(tmp_path / "index", model)
    assert index.update(root).added == 4
    kept = index.segments()
    assert kept.paths == sorted(str(path) for path in root.iterdir())
    np.testing.assert_allclose(kept.embeddings, model.encode_audio(kept.paths), atol=2e-3)  # features are kept in fp16
    np.testing.assert_allclose(kept.points, model.locate(kept.embeddings), atol=1e-5)


def test_follows_the_folder(tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]) -> None:
    root = recordings(4)
    index = Index(tmp_path / "index", model)
    index.update(root)
    (root / "clip000.wav").unlink()
    soundfile.write(root / "clip001.wav", voice(0.9, 300), 16_000)
    soundfile.write(root / "new.wav", voice(0.5), 16_000)
    update = Index(tmp_path / "index", model).update(root)
    assert (update.added, update.changed, update.removed, update.kept) == (1, 1, 1, 2)
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    reopened = Index(tmp_path / "index", model)
    same(reopened, fresh)


def test_nothing_is_decoded_when_nothing_changed(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    Index(tmp_path / "index", model).update(root)

    def decode(*args: object) -> None:
        raise AssertionError("a recording was decoded")

    monkeypatch.setattr(audio, "blocks", decode)
    assert Index(tmp_path / "index", model).update(root).kept == 3


def test_another_model_on_the_same_encoder_needs_no_audio(
    tmp_path: Path, model: EmotionRankCLAP, tiny_whisper: str, recordings: Callable[..., Path]
) -> None:
    root = recordings(3)
    Index(tmp_path / "index", model).update(root)
    paths = sorted(str(path) for path in root.iterdir())
    other = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "other", tiny_whisper, seed=1))
    expected = other.encode_audio(paths)
    shutil.rmtree(root)
    np.testing.assert_allclose(Index(tmp_path / "index", other).segments().embeddings, expected, atol=2e-3)


def test_broken_recordings_are_kept_with_their_reason_until_they_change(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(1)
    (root / "bad.wav").write_bytes(b"no audio at all")
    (root / "it's.flac").write_bytes(b"")
    index = Index(tmp_path / "index", model)
    assert [os.path.basename(error.path) for error in index.update(root).broken] == ["bad.wav", "it's.flac"]
    assert len(index.update(root).broken) == 2
    assert index.update(root).kept == 3
    soundfile.write(root / "bad.wav", voice(0.5), 16_000)
    update = index.update(root)
    assert (update.changed, len(update.broken)) == (1, 1)
    assert len(index.segments().paths) == 2


def test_a_folder_of_the_index_does_not_touch_the_others(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    one, other = recordings(2, "one"), recordings(2, "one-more")
    index = Index(tmp_path / "index", model)
    index.update(one)
    assert index.update(other).removed == 0
    assert len(index.segments().paths) == 4
    assert len(index.segments().under(str(one)).paths) == 2


def test_a_damaged_index_is_one_sentence(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(2)
    Index(tmp_path / "index", model).update(root)
    for file in (tmp_path / "index").rglob("*.manifest"):
        file.write_bytes(b"damaged")
    with pytest.raises(EmorankError, match=r"cannot be read .*; remove the folder"):
        Index(tmp_path / "index", model).segments()


def test_a_folder_that_is_no_index_is_left_alone(tmp_path: Path, model: EmotionRankCLAP) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(EmorankError, match="no index, and not empty"):
        Index(tmp_path, model)
    with pytest.raises(EmorankError, match="a folder for the index is needed"):
        Index(tmp_path / "thesis.txt", model)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_killed_while_indexing_ends_like_an_undisturbed_one(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    root = recordings(60)
    code = (
        "import sys; from emorank.model import EmotionRankCLAP; from emorank.search import Index, encode\n"
        "encode._RECORDINGS_AT_ONCE = 4\n"
        "index = Index(sys.argv[1], EmotionRankCLAP.from_pretrained(sys.argv[2]))\n"
        "index.update(sys.argv[3], lambda done, total: print(done, flush=True))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "index"), str(tiny_model), str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 20:
        pass
    time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    index = Index(tmp_path / "index", model)
    update = index.update(root)
    assert update.kept >= 20
    assert update.added + update.kept == 60
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(index, fresh)
