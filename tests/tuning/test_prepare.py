"""A table becomes clips to tune on; what cannot be read is named and left out."""

from pathlib import Path

import polars as pl
import pytest
import soundfile

from emorank.affect import CATEGORIES
from emorank.errors import EmorankError
from emorank.tuning.prepare import development, speech_of
from tests.conftest import voice


def table(folder: Path) -> pl.DataFrame:
    """Four utterances of two corpora, one of them no recording."""
    rows = []
    for index, (emotion, corpus) in enumerate([("anger", "a"), ("sadness", "a"), ("anger", "b"), ("fear", "b")]):
        path = folder / f"{index}.wav"
        soundfile.write(path, voice(0.5, 120 + 20 * index, index), 16_000)
        rows.append((str(path), corpus, emotion, 2.0 + index, 3.0, 4.0, "development"))
    (folder / "1.wav").write_bytes(b"no recording")
    columns = ["path", "corpus", "emotion", "valence", "arousal", "dominance", "split"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def test_a_broken_recording_is_named_and_the_others_keep_their_labels(tmp_path: Path) -> None:
    speech, broken = speech_of(table(tmp_path))
    assert [error.path for error in broken] == [str(tmp_path / "1.wav")]
    assert speech.labels[:, 0].tolist() == [2, 4, 5]
    assert [CATEGORIES[index] for index in speech.category] == ["anger", "anger", "fear"]
    assert speech.possible.sum(1).tolist() == [1, 2]


def test_the_groups_of_development_say_what_is_broken_too(tmp_path: Path) -> None:
    groups, broken = development(table(tmp_path), ["a", "b", "c"])
    assert sorted(groups) == ["development a", "development b"]
    assert len(broken) == 1


def test_nothing_that_can_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"none of 1 recordings can be read \(.*1\.wav"):
        speech_of(table(tmp_path)[1:2])
