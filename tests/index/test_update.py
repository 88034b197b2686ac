"""The index follows the folder and knows recordings by their content."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.errors import EmorankError
from emorank.index import Index
from emorank.model import EmotionRankCLAP
from emorank.types import SoFar
from tests.conftest import save_model, voice
from tests.index.conftest import counted, same


def test_embeddings_are_those_of_the_model(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(4)
    index = Index(tmp_path / "index", model)
    assert index.update(root).added == 4
    kept = index.segments()
    assert kept.paths == sorted(str(path) for path in root.iterdir())
    np.testing.assert_allclose(kept.embeddings, model.encode_audio(kept.paths), atol=2e-3)  # features are kept in fp16
    np.testing.assert_allclose(kept.places, model.locate(kept.embeddings), atol=1e-5)


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

    monkeypatch.setattr(audio.Reading, "blocks", decode)
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
    told: list[SoFar] = []
    first = index.update(root, told.append)
    assert [os.path.basename(error.path) for error in first.broken] == ["bad.wav", "it's.flac"]
    assert (first.added, first.changed, first.kept, first.skipped) == (1, 0, 0, 2)
    assert (told[-1].done, told[-1].total, told[-1].skipped) == (3, 3, 2)
    again = index.update(root)
    assert (again.added, again.changed, again.kept, again.skipped) == (0, 0, 1, 2)
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
    with pytest.raises(EmorankError, match=r"damaged .*; remove the folder"):
        Index(tmp_path / "index", model).segments()


def test_a_folder_that_is_no_index_is_left_alone(tmp_path: Path, model: EmotionRankCLAP) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(EmorankError, match="no index, and not empty"):
        Index(tmp_path, model)
    with pytest.raises(EmorankError, match="a folder for the index is needed"):
        Index(tmp_path / "thesis.txt", model)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_moved_copied_and_touched_recordings_are_known_by_their_content(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(5)
    index = Index(tmp_path / "index", model)
    index.update(root)
    before = dict(zip(index.segments().paths, index.segments().embeddings, strict=True))
    (root / "deep" / "er").mkdir(parents=True)
    (root / "clip000.wav").rename(root / "deep" / "er" / "moved.wav")
    shutil.copy(root / "clip001.wav", root / "it's a copy.wav")
    os.utime(root / "clip002.wav")
    soundfile.write(root / "clip003.wav", voice(0.5, 400), 16_000)
    decoded = counted(monkeypatch)
    update = index.update(root)
    assert set(decoded) == {"clip003.wav"}
    assert (update.added, update.changed, update.moved, update.removed, update.kept) == (2, 2, 3, 1, 2)
    after = dict(zip(index.segments().paths, index.segments().embeddings, strict=True))
    np.testing.assert_array_equal(after[str(root / "deep" / "er" / "moved.wav")], before[str(root / "clip000.wav")])
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(index, fresh)
    assert index.update(root).kept == 6


def test_recordings_that_change_places(tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]) -> None:
    root = recordings(3, seconds=0.6)
    for clip in (0, 1, 2):
        soundfile.write(root / f"clip00{clip}.wav", voice(0.6, 120 + 60 * clip), 16_000)  # of one size
    index = Index(tmp_path / "index", model)
    index.update(root)
    (root / "clip000.wav").rename(root / "x")
    (root / "clip001.wav").rename(root / "clip000.wav")
    (root / "clip002.wav").rename(root / "clip001.wav")
    (root / "x").rename(root / "clip002.wav")
    assert index.update(root).changed == 3
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(index, fresh)


def test_a_recording_that_changes_while_it_is_read_is_read_again(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    blocks = audio.Reading.blocks

    def growing(reading: audio.Reading, *arguments: Any) -> Iterator[np.ndarray]:
        yield from blocks(reading, *arguments)
        if reading.path.endswith("clip001.wav"):
            soundfile.write(reading.path, voice(0.9, 250), 16_000)

    index = Index(tmp_path / "index", model)
    with monkeypatch.context() as patched:
        patched.setattr(audio.Reading, "blocks", growing)
        update = index.update(root)
    assert [str(error) for error in update.broken] == [
        f"{root}/clip001.wav: it changed while it was read; the next update reads it again."
    ]
    assert (index.update(root).changed, index.update(root).broken) == (1, ())
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(index, fresh)


def test_loudness_and_waveforms_are_kept(tmp_path: Path, model: EmotionRankCLAP) -> None:
    time = np.arange(16_000) / 16_000
    wave = 0.5 * np.sin(2 * np.pi * 200 * time) * (time < 0.5)
    soundfile.write(tmp_path / "tone.wav", wave, 16_000, subtype="FLOAT")
    index = Index(tmp_path / "index", model)
    index.update(tmp_path / "tone.wav")
    assert index.segments().loudness[0] == pytest.approx(20 * np.log10(0.5 / np.sqrt(2) * np.sqrt(0.5)), abs=0.01)
    (peaks,) = index.peaks(str(tmp_path / "tone.wav"))
    assert peaks is not None
    assert list(peaks[:47]) == [255] * 47
    assert list(peaks[49:]) == [0] * 47
