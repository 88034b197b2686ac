"""The index follows the folder, survives, and ends up the same whatever happened on the way."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.affect import DIMENSIONS
from emorank.errors import EmorankError
from emorank.index import Index, table
from emorank.listening import encode
from emorank.model import EmotionRankCLAP
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
    with pytest.raises(EmorankError, match=r"damaged .*; remove the folder"):
        Index(tmp_path / "index", model).segments()


def test_a_folder_that_is_no_index_is_left_alone(tmp_path: Path, model: EmotionRankCLAP) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(EmorankError, match="no index, and not empty"):
        Index(tmp_path, model)
    with pytest.raises(EmorankError, match="a folder for the index is needed"):
        Index(tmp_path / "thesis.txt", model)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The recordings that are decoded from now on."""
    decoded: list[str] = []
    blocks = audio.Reading.blocks

    def counting(reading: audio.Reading, *arguments: Any) -> Iterator[np.ndarray]:
        decoded.append(os.path.basename(reading.path))
        return blocks(reading, *arguments)

    monkeypatch.setattr(audio.Reading, "blocks", counting)
    return decoded


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


def first_schema(folder: Path, model: EmotionRankCLAP) -> None:
    """Turn an index into what the first emorank wrote: one table, no digests, the encoder by name alone."""
    import json

    import lancedb
    import pyarrow as pa

    database = lancedb.connect(folder)
    name = table.table_name(model)
    rows = database.open_table(name).to_arrow().drop_columns(["digest", "loudness", "peaks", "sums"])
    about = {"schema": 1, "encoder": model.config.audio_encoder, "model": model.fingerprint}
    schema = pa.schema(list(rows.schema), metadata={b"emorank": json.dumps(about).encode()})
    database.create_table("segments", rows.cast(schema), schema=schema, mode="overwrite")
    database.drop_table(name)
    table.ledger_of(folder, name).unlink()


def test_an_index_of_the_first_schema_is_migrated_without_decoding(
    tmp_path: Path, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "model", "whisper-base/1:mean", seed=0, dim=512))
    root = recordings(3)
    index = Index(tmp_path / "index", model)
    index.update(root)
    expected = index.segments()
    first_schema(tmp_path / "index", model)
    os.utime(root / "clip002.wav")
    decoded = counted(monkeypatch)
    migrated = Index(tmp_path / "index", model)
    assert migrated.segments().paths == expected.paths
    np.testing.assert_allclose(migrated.segments().embeddings, expected.embeddings, atol=1e-5)
    assert np.isnan(migrated.segments().loudness).all()
    known = migrated.recordings()
    assert [known[path].digest is not None for path in expected.paths] == [True, True, False]
    assert decoded == []
    assert migrated.update(root).changed == 1
    assert set(decoded) == {"clip002.wav"}
    assert not (tmp_path / "index" / "segments.lance").exists()


def test_an_old_index_of_weights_that_nobody_noted_is_named_and_left(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    root = recordings(2)
    index = Index(tmp_path / "index", model)
    index.update(root)
    first_schema(tmp_path / "index", model)
    assert Index(tmp_path / "index", model).update(root).added == 2
    assert "did not note the weights" in caplog.text
    assert (tmp_path / "index" / "segments.lance").exists()


def test_models_on_two_encoders_share_a_folder_and_nothing_is_encoded_twice(
    tmp_path: Path, tiny_whisper: str, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    two = [
        EmotionRankCLAP.from_pretrained(save_model(tmp_path / "one", tiny_whisper, seed=0)),
        EmotionRankCLAP.from_pretrained(save_model(tmp_path / "two", tiny_whisper.replace("1+2", "3:mean"), 0, dim=16)),
    ]
    expected = [model.encode_audio(sorted(root.iterdir())) for model in two]
    for model in two:
        assert Index(tmp_path / "index", model).update(root).added == 3
    decoded = counted(monkeypatch)
    for model, embeddings in zip((*two, *two), (*expected, *expected), strict=True):
        index = Index(tmp_path / "index", model)
        assert index.update(root).kept == 3
        np.testing.assert_allclose(index.segments().embeddings, embeddings, atol=2e-3)
    assert decoded == []


@pytest.mark.parametrize("dimensions", [("valence", "arousal"), ("dominance", "arousal", "valence"), ("arousal",)])
def test_a_dimension_that_a_model_lacks_is_null_and_the_others_in_their_columns(
    tmp_path: Path, tiny_whisper: str, recordings: Callable[..., Path], dimensions: tuple[str, ...]
) -> None:
    model = EmotionRankCLAP.from_pretrained(save_model(tmp_path / "m", tiny_whisper, 0, dimensions=dimensions))
    index = Index(tmp_path / "index", model)
    index.update(recordings(2))
    segments = index.segments()
    located = model.locate(segments.embeddings)
    assert segments.dimensions == tuple(name for name in DIMENSIONS if name in dimensions)
    for column, name in enumerate(DIMENSIONS):
        if name in dimensions:
            np.testing.assert_allclose(segments.places[:, column], located[:, dimensions.index(name)], atol=1e-5)
        else:
            assert np.isnan(segments.places[:, column]).all()


def test_a_folder_that_is_suddenly_empty_loses_nothing_unless_pruned(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(3)
    index = Index(tmp_path / "index", model)
    index.update(root)
    for path in root.iterdir():
        path.unlink()
    update = index.update(root)
    assert (update.removed, update.missing) == (0, 3)
    assert len(index.segments().paths) == 3
    assert index.update(root, prune=True).removed == 3
    assert index.segments().paths == []


def test_what_lies_in_a_folder_that_cannot_be_read_stays(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(2)
    recordings(2, "recordings/deep")
    index = Index(tmp_path / "index", model)
    index.update(root)
    (root / "clip000.wav").unlink()
    listed = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("deep"):
            raise OSError(5, "Input/output error")
        return listed(path)

    monkeypatch.setattr(os, "scandir", failing)
    update = index.update(root)
    assert update.removed == 1
    assert [error.reason for error in update.broken] == ["the folder cannot be read (Input/output error)."]
    assert len(index.segments().paths) == 3


def test_what_lies_on_a_disk_that_is_not_mounted_stays_unless_pruned(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path]
) -> None:
    root = recordings(1)
    disk = recordings(2, "recordings/disk")
    recordings(1, "elsewhere/disk")
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    index = Index(tmp_path / "index", model)
    index.update(root)
    shutil.rmtree(disk)
    disk.mkdir()
    shutil.rmtree(tmp_path / "elsewhere")
    update = index.update(root)
    assert (update.removed, update.missing, update.kept) == (0, 3, 1)
    assert len(index.segments().paths) == 4
    assert index.update(root, prune=True).removed == 3
    disk.rmdir()
    assert index.update(root).missing == 0


def test_a_file_whose_kind_cannot_be_seen_may_be_a_folder_of_recordings(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(1)
    recordings(2, "recordings/deep")
    index = Index(tmp_path / "index", model)
    index.update(root)
    listed = os.scandir

    class Unseen:
        name, path = "deep", str(root / "deep")

        def is_dir(self) -> bool:
            raise OSError(5, "Input/output error")

    def failing(path: str) -> object:
        found = listed(path)
        return [Unseen() if entry.name == "deep" else entry for entry in found] if path == str(root) else found

    monkeypatch.setattr(os, "scandir", failing)
    update = index.update(root)
    assert (update.removed, update.missing) == (0, 2)


def test_an_index_of_a_newer_emorank_is_left_alone(
    tmp_path: Path, model: EmotionRankCLAP, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(table, "SCHEMA_VERSION", 99)
        Index(tmp_path / "index", model).update(recordings(2))
    with pytest.raises(EmorankError, match="made by a newer emorank; upgrade"):
        Index(tmp_path / "index", model)


UPDATE = (
    "import sys; from emorank.model import EmotionRankCLAP\n"
    "from emorank.index import Index; from emorank.listening import encode\n"
    "encode._RECORDINGS_AT_ONCE = 3\n"
    "index = Index(sys.argv[1], EmotionRankCLAP.from_pretrained(sys.argv[2]))\n"
    "print('ready', flush=True)\n"
    "index.update(sys.argv[3], lambda done, total: print(done, flush=True))\n"
)


def started(folder: Path, model: Path, root: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", UPDATE, str(folder), str(model), str(root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_killed_at_twenty_random_moments_ends_like_an_undisturbed_one(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    rng = random.Random(0)
    root = recordings(90, seconds=0.3)
    index = Index(tmp_path / "index", model)
    survived = 0
    for kill in range(20):
        for path in rng.sample(sorted(root.iterdir()), 8):  # there is always something to do, of every kind
            path.rename(path.with_name(f"{path.stem}m{kill}.wav"))
        for path in rng.sample(sorted(root.iterdir()), 8):
            soundfile.write(path, voice(0.3, 100 + 9 * kill), 16_000)
        process = started(tmp_path / "index", tiny_model, root)
        time.sleep(rng.uniform(0, 1.5))
        survived += process.poll() is not None
        process.kill()
        process.wait()
        index.segments()
        Index(tmp_path / "index", model)
    assert survived < 15
    index.update(root)
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(tmp_path / "index", model), fresh)
    assert index.update(root).kept == 90


def test_killed_while_the_index_is_made(tmp_path: Path, model: EmotionRankCLAP) -> None:
    (tmp_path / "index" / "segments.lance" / "_versions").mkdir(parents=True)
    (tmp_path / "index" / "segments.lance" / "data").mkdir()
    assert Index(tmp_path / "index", model).segments().paths == []


def test_two_indexers_at_once(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    root = recordings(30)
    processes = [started(tmp_path / "index", tiny_model, root) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    done = [len(process.stdout.read().split()) for process in processes if process.stdout]
    assert sorted(done) == [0, 10]  # one did it all, the other found it done
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(tmp_path / "index", model), fresh)


def test_files_that_change_all_the_time_end_like_files_at_rest(
    tmp_path: Path, model: EmotionRankCLAP, tiny_model: Path, recordings: Callable[..., Path]
) -> None:
    root = recordings(40)
    process = started(tmp_path / "index", tiny_model, root)
    rng = random.Random(1)
    while process.poll() is None:
        there = sorted(root.glob("*.wav"))
        path = rng.choice(there)
        match rng.randrange(4):
            case 0 if len(there) > 20:
                path.unlink()
            case 1:
                path.rename(root / f"r{rng.randrange(10**6)}.wav")
            case 2:
                path.write_bytes(path.read_bytes()[: rng.randrange(2000)])
            case _:
                soundfile.write(path, voice(rng.uniform(0.2, 0.8), rng.uniform(90, 300)), 16_000)
        time.sleep(0.02)
    assert process.wait() == 0
    index, fresh = Index(tmp_path / "index", model), Index(tmp_path / "fresh", model)
    broken = index.update(root).broken
    assert [str(error) for error in broken] == [str(error) for error in fresh.update(root).broken]
    same(index, fresh)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; only root may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True
    )
    if not made or made.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_one_sentence_and_loses_nothing(
    small_disk: Path,
    tmp_path: Path,
    model: EmotionRankCLAP,
    recordings: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(encode, "_RECORDINGS_AT_ONCE", 10)
    root = recordings(60, seconds=0.3)
    index = Index(small_disk / "index", model)
    index.update(root / "clip000.wav")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(small_disk).free - 60_000))
    with pytest.raises(EmorankError, match="the index cannot be written") as error:
        index.update(root)
    assert "\n" not in str(error.value)
    reopened = Index(small_disk / "index", model)
    assert str(root / "clip000.wav") in reopened.segments().paths
    filler.unlink()
    reopened.update(root)
    fresh = Index(tmp_path / "fresh", model)
    fresh.update(root)
    same(Index(small_disk / "index", model), fresh)
