"""Encoder outputs are computed once, follow the content, and survive a kill."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.encoders import audio_encoder
from emorank.errors import AudioError, EmorankError
from emorank.listening.kept import Repaired, repaired
from emorank.listening.recordings import Recording
from emorank.listening.store import FeatureStore, features, text_features
from tests.conftest import voice


class Counting:
    """The tiny encoder, counting what it is asked for."""

    def __init__(self, name: str) -> None:
        self._inner = audio_encoder(name)
        self.name, self.dim, self.clips = self._inner.name, self._inner.dim, 0
        self.fingerprint, self.device = self._inner.fingerprint, self._inner.device

    def __call__(self, waves: list[np.ndarray]) -> np.ndarray:
        self.clips += len(waves)
        return self._inner(waves)


def test_encoded_once_in_order(tiny_whisper: str, recordings: Callable[..., Path]) -> None:
    encoder = Counting(tiny_whisper)
    paths = sorted(str(path) for path in recordings(5).iterdir())
    first, errors = features(paths, encoder)
    again, _ = features(paths[::-1], encoder)
    assert errors == [None] * 5
    assert encoder.clips == 5
    np.testing.assert_array_equal(first, again[::-1])
    np.testing.assert_allclose(first, encoder([audio.load(path) for path in paths]), atol=1e-5)
    soundfile.write(paths[2], voice(0.9, 250), 16_000)
    features(paths, encoder)
    assert encoder.clips == 11


def test_moved_copied_and_touched_recordings_are_not_encoded_again(
    tiny_whisper: str, recordings: Callable[..., Path]
) -> None:
    encoder = Counting(tiny_whisper)
    root = recordings(3)
    before, _ = features([str(root / f"clip00{i}.wav") for i in range(3)], encoder)
    os.utime(root / "clip000.wav")
    (root / "clip001.wav").rename(root / "moved.wav")
    shutil.copy(root / "clip002.wav", root / "copy.wav")
    names = ("clip000.wav", "moved.wav", "clip002.wav", "copy.wav")
    after, errors = features([str(root / name) for name in names], encoder)
    assert errors == [None] * 4
    assert encoder.clips == 3
    np.testing.assert_array_equal(after, before[[0, 1, 2, 2]])


def test_encoders_and_windows_do_not_mix(tiny_whisper: str, recordings: Callable[..., Path]) -> None:
    paths = sorted(str(path) for path in recordings(2, seconds=1.5).iterdir())
    one, other = audio_encoder(tiny_whisper), audio_encoder(tiny_whisper.replace("1+2", "2+3"))
    whole, _ = features(paths, one)
    assert np.abs(features(paths, other)[0] - whole).max() > 1e-3
    np.testing.assert_array_equal(features(paths, one)[0], whole)
    cropped, _ = features(paths, one, window=1.0)
    padded, _ = features(paths, one, window=2.0)
    waves = [audio.load(path) for path in paths]
    np.testing.assert_allclose(cropped, one([wave[:16_000] for wave in waves]), atol=1e-5)
    np.testing.assert_allclose(padded, one([np.pad(wave, (0, 32_000 - len(wave))) for wave in waves]), atol=1e-5)
    np.testing.assert_array_equal(features(paths, one)[0], whole)


def test_broken_recordings_are_told_and_the_others_encoded(tiny_whisper: str, recordings: Callable[..., Path]) -> None:
    root = recordings(3)
    (root / "clip001.wav").write_bytes(b"junk")
    paths = [*sorted(str(path) for path in root.iterdir()), str(root / "gone.wav")]
    progress: list[tuple[int, int]] = []
    vectors, errors = features(
        paths, audio_encoder(tiny_whisper), progress=lambda done, total: progress.append((done, total))
    )
    assert [error is None for error in errors] == [True, False, True, False]
    assert isinstance(errors[3], AudioError)
    assert np.abs(vectors[[0, 2]]).sum() > 0
    assert not vectors[[1, 3]].any()
    assert progress[-1] == (4, 4)


def test_descriptions_are_encoded_once_in_order() -> None:
    class Length:
        name, dim, fingerprint, device, seen = "length", 1, "f", "cpu", 0

        def __call__(self, descriptions: list[str]) -> np.ndarray:
            self.seen += len(descriptions)
            return np.array([[len(text)] for text in descriptions], np.float32)

    encoder = Length()
    assert text_features(["calm", "bored", "calm"], encoder)[:, 0].tolist() == [4, 5, 4]
    assert text_features(["happy!", "calm"], encoder)[:, 0].tolist() == [6, 4]
    assert encoder.seen == 3
    assert text_features([], encoder).shape == (0, 1)


def test_features_of_the_first_store_are_taken_over(recordings: Callable[..., Path], own_cache: Path) -> None:
    encoder = Counting("whisper-base/1:mean")
    paths = sorted(str(path) for path in recordings(3).iterdir())
    (own_cache / "features").mkdir()
    with sqlite3.connect(own_cache / "features" / "whisper-base_1_mean.sqlite") as old:
        old.execute("CREATE TABLE features (key TEXT PRIMARY KEY, vector BLOB NOT NULL)")
        for number, path in enumerate(paths[:2]):
            file = Recording.now(path)
            vector = np.full(512, number, np.float32).tobytes()
            old.execute("INSERT INTO features VALUES (?, ?)", [f"{path}|{file.size}|{file.changed}", vector])
    old.close()
    vectors, _ = features(paths, encoder)
    assert encoder.clips == 1
    assert vectors[:2, 0].tolist() == [0, 1]


def test_old_features_of_weights_that_nobody_noted_are_named(
    tiny_whisper: str, recordings: Callable[..., Path], own_cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    import re

    paths = sorted(str(path) for path in recordings(1).iterdir())
    (own_cache / "features").mkdir()
    sqlite3.connect(own_cache / "features" / (re.sub(r"[^\w.-]+", "_", tiny_whisper) + ".sqlite")).close()
    features(paths, audio_encoder(tiny_whisper))
    assert "of weights that it did not note; they are not used" in caplog.text


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    vectors = {f"key{i}": np.full(4, i, np.float32) for i in range(1200)}
    store.put("one", vectors.items())
    found = FeatureStore(tmp_path).get("one", [*vectors, "unknown"], 4)
    assert found.keys() == vectors.keys()
    np.testing.assert_array_equal(found["key700"], vectors["key700"])
    assert store.get("another", list(vectors), 4) == {}
    assert store.get("one", list(vectors), 8) == {}


def test_a_flipped_bit_is_found_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FeatureStore(tmp_path)
    store.put("one", [("a", np.ones(4, np.float32)), ("b", np.ones(4, np.float32))])
    with sqlite3.connect(store.path) as connection:
        flipped = bytearray(np.ones(4, np.float32).tobytes())
        flipped[5] ^= 4
        connection.execute("UPDATE features SET vector = ? WHERE key = 'a'", [bytes(flipped)])
    connection.close()
    assert set(store.get("one", ["a", "b"], 4)) == {"b"}
    assert "1 features are damaged and are computed again" in caplog.text


def test_a_transaction_that_never_ended_leaves_nothing(tmp_path: Path) -> None:
    store = FeatureStore(tmp_path)
    store.put("one", [("a", np.zeros(2, np.float32))])
    if (pid := os.fork()) == 0:
        connection = sqlite3.connect(store.path)
        connection.execute("INSERT INTO features VALUES ('one', 'b', x'00', 0)")
        os._exit(9)
    os.waitpid(pid, 0)
    assert set(store.get("one", ["a", "b"], 2)) == {"a"}


def test_a_store_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "features.sqlite").write_bytes(b"this is no database, it is something else entirely" * 50)
    with pytest.raises(EmorankError, match=r"is damaged \(file is not a database\); run: emorank index --repair\."):
        FeatureStore(tmp_path)
    assert repaired(tmp_path).structure == "file is not a database"
    assert FeatureStore(tmp_path).get("one", ["a"], 4) == {}


def test_flipped_bits_are_found_or_change_nothing_and_the_rest_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FeatureStore(tmp_path / "good")
    rng = np.random.default_rng(0)
    vectors = {f"{i:032x}": rng.standard_normal(256).astype(np.float32) for i in range(200)}
    store.put("space", vectors.items())
    with sqlite3.connect(store.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = store.path.read_bytes()
    kept_at = [at for key in vectors if (at := content.find(key.encode())) >= 0]
    within = [
        8 * int(at) + int(bit) for at, bit in zip(rng.choice(kept_at, 20), rng.integers(8 * 32, size=20), strict=True)
    ]
    anywhere = rng.integers(8 * len(content), size=20).tolist()
    for trial, bit in enumerate([*within, *anywhere]):
        folder = tmp_path / str(trial)
        folder.mkdir()
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (folder / "features.sqlite").write_bytes(flipped)
        found = repaired(folder)
        kept = FeatureStore(folder).get("space", list(vectors), 256)
        assert all(np.array_equal(vector, vectors[key]) for key, vector in kept.items()), bit
        assert found.damaged or found.structure or trial >= 20, bit
        assert found.damaged or found.structure or kept.keys() == vectors.keys(), bit
        assert len(kept) >= 190 or found.structure, (bit, found)
        assert repaired(folder) == Repaired(len(kept), 0), bit
        FeatureStore(folder).put("space", vectors.items())
        assert FeatureStore(folder).get("space", list(vectors), 256).keys() == vectors.keys()
    assert "damaged" not in caplog.text
