"""Encoder outputs are computed once, follow the file, and survive a kill."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.encoders import audio_encoder
from emorank.errors import AudioError, EmorankError
from emorank.listening import store as features
from emorank.listening.store import FeatureStore
from tests.conftest import voice


class Counting:
    """The tiny encoder, counting what it is asked for."""

    def __init__(self, name: str) -> None:
        self._inner = audio_encoder(name)
        self.name, self.dim, self.clips = self._inner.name, self._inner.dim, 0

    def __call__(self, waves: list[np.ndarray]) -> np.ndarray:
        self.clips += len(waves)
        return self._inner(waves)


def test_encoded_once_in_order(tiny_whisper: str, recordings: Callable[..., Path]) -> None:
    encoder = Counting(tiny_whisper)
    paths = sorted(str(path) for path in recordings(5).iterdir())
    first, errors = features.recordings(paths, encoder)
    again, _ = features.recordings(paths[::-1], encoder)
    assert errors == [None] * 5
    assert encoder.clips == 5
    np.testing.assert_array_equal(first, again[::-1])
    soundfile.write(paths[2], voice(0.9, 250), 16_000)
    features.recordings(paths, encoder)
    assert encoder.clips == 6


def test_broken_recordings_are_told_and_the_others_encoded(tiny_whisper: str, recordings: Callable[..., Path]) -> None:
    root = recordings(3)
    (root / "clip001.wav").write_bytes(b"junk")
    paths = [*sorted(str(path) for path in root.iterdir()), str(root / "gone.wav")]
    progress: list[tuple[int, int]] = []
    vectors, errors = features.recordings(
        paths, audio_encoder(tiny_whisper), progress=lambda done, total: progress.append((done, total))
    )
    assert [error is None for error in errors] == [True, False, True, False]
    assert isinstance(errors[3], AudioError)
    assert np.abs(vectors[[0, 2]]).sum() > 0
    assert not vectors[[1, 3]].any()
    assert progress[-1] == (4, 4)


def test_descriptions_are_encoded_once_in_order() -> None:
    class Length:
        name, dim, seen = "length", 1, 0

        def __call__(self, descriptions: list[str]) -> np.ndarray:
            self.seen += len(descriptions)
            return np.array([[len(text)] for text in descriptions], np.float32)

    encoder = Length()
    assert features.texts(["calm", "bored", "calm"], encoder)[:, 0].tolist() == [4, 5, 4]
    assert features.texts(["happy!", "calm"], encoder)[:, 0].tolist() == [6, 4]
    assert encoder.seen == 3


def test_what_was_put_is_got(tmp_path: Path) -> None:
    store = FeatureStore("some/encoder", tmp_path)
    vectors = {f"key{i}": np.full(4, i, np.float32) for i in range(1200)}
    store.put(vectors.items())
    found = FeatureStore("some/encoder", tmp_path).get([*vectors, "unknown"])
    assert found.keys() == vectors.keys()
    np.testing.assert_array_equal(found["key700"], vectors["key700"])


def test_a_transaction_that_never_ended_leaves_nothing(tmp_path: Path) -> None:
    store = FeatureStore("e", tmp_path)
    store.put([("a", np.zeros(2, np.float32))])
    if (pid := os.fork()) == 0:
        connection = sqlite3.connect(store.path)
        connection.execute("INSERT INTO features VALUES ('b', x'00')")
        os._exit(9)
    os.waitpid(pid, 0)
    assert set(store.get(["a", "b"])) == {"a"}


def test_a_store_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "e.sqlite").write_bytes(b"this is no database, it is something else entirely" * 50)
    with pytest.raises(EmorankError, match="cannot be opened"):
        FeatureStore("e", tmp_path)
