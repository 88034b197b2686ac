"""Indexes with a name: they remember their folders, their model and the user's table."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index import labels
from emorank.index.labels import labels_of
from emorank.index.named import NamedIndex, is_named, names
from emorank.index.watch import changes
from emorank.search import Collection
from emorank.search.columns import column_types
from tests.conftest import save_model, voice


def test_remembers_what_it_follows(tmp_path: Path, tiny_model: Path, recordings: Callable[..., Path]) -> None:
    one, other = recordings(2, "one"), recordings(3, "other")
    NamedIndex.made("calls", [str(one)], str(tiny_model)).update()
    NamedIndex.made("calls", [str(other), str(one / "clip000.wav")]).update()
    named = NamedIndex.open("calls")
    assert named.roots == (str(one), str(other))
    assert named.model_name == str(tiny_model)
    assert len(Collection.of(named)) == 5
    assert names() == ["calls"]
    assert is_named("calls")
    assert not is_named("../calls")


def test_paths_are_shown_from_the_indexed_folder_on(tiny_model: Path, recordings: Callable[..., Path]) -> None:
    root = recordings(1)
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    named.update()
    collection = Collection.of(named)
    assert collection.shown == ["recordings/clip000.wav"]
    assert collection.columns["path"].to_list() == ["recordings/clip000.wav"]
    assert collection.segments.paths == [str(root / "clip000.wav")]


def test_a_folder_that_is_not_there_now_keeps_its_recordings(tiny_model: Path, recordings: Callable[..., Path]) -> None:
    root = recordings(2)
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    named.update()
    root.rename(root.with_name("unplugged"))
    update, missing = named.update()
    assert (missing, update.removed) == ([str(root)], 0)
    assert len(Collection.of(named)) == 2


def test_mistakes_are_one_sentence(tmp_path: Path, tiny_model: Path, recordings: Callable[..., Path]) -> None:
    root = recordings(1)
    with pytest.raises(EmorankError, match=r"no index 'calls' \(there are none yet\); make it: emorank index DIR"):
        NamedIndex.open("calls")
    with pytest.raises(EmorankError, match="no index 'calls'"):
        NamedIndex.made("calls", [])
    with pytest.raises(EmorankError, match="cannot name an index"):
        NamedIndex.made("../calls", [str(root)])
    with pytest.raises(EmorankError, match="nowhere: there is no such file"):
        NamedIndex.made("calls", ["nowhere"])
    with pytest.raises(EmorankError, match="no model"):
        NamedIndex.made("calls", [str(root)], "nobody")
    assert names() == []
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    other = save_model(tmp_path / "other", "whisper-base/3", seed=1)
    with pytest.raises(EmorankError, match="needs the encoder whisper-base/3; make another index"):
        NamedIndex.made("calls", [], str(other))
    (named.folder / "index.json").write_text("{")
    with pytest.raises(
        EmorankError, match=r"\(index.json is not what was written\); run: emorank index calls --repair"
    ):
        NamedIndex.open("calls")


def test_labels_from_before_the_index_had_a_column_of_that_name(
    tiny_model: Path, recordings: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(2)
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    named.update()
    table = pl.DataFrame({"path": [str(root / "clip001.wav")], "speech": ["what is said"]})
    with monkeypatch.context() as before:
        before.setattr(labels, "RESERVED", ("loudness",))
        named.keep_labels(table)
    for _ in range(2):
        columns = Collection.of(NamedIndex.open("calls")).columns
        assert columns["label_speech"].to_list() == [None, "what is said"]
        assert columns["speech"].dtype == pl.Float64
        named.keep_labels(table)


def test_own_names_are_reserved() -> None:
    assert {*column_types(), "path"} - {"path", "date"} == set(labels.RESERVED)


def test_labels_of_a_table(tiny_model: Path, recordings: Callable[..., Path]) -> None:
    root = recordings(2)
    named = NamedIndex.made("calls", [str(root)], str(tiny_model))
    named.update()
    table = pl.DataFrame(
        {
            "path": [str(root / "clip001.wav"), "/elsewhere.wav"],
            "speaker": ["ann", "ben"],
            "valence": [2.0, float("nan")],
            "day": pl.Series(["2026-01-02", None]).str.to_date(),
            "words": [["a"], ["b"]],
        }
    )
    named.keep_labels(table)
    columns = Collection.of(NamedIndex.open("calls")).columns
    assert columns["speaker"].to_list() == [None, "ann"]
    assert columns["label_valence"].to_list() == [None, 2.0]
    assert columns["day"].to_list() == [None, "2026-01-02"]
    assert "words" not in columns.columns
    two = pl.DataFrame({"path": [str(root / "clip001.wav")], "label_loudness": ["by ear"], "loudness": [-3.0]})
    named.keep_labels(two)
    columns = Collection.of(NamedIndex.open("calls")).columns
    assert columns["label_loudness"].to_list() == [None, "by ear"]
    assert columns["label_label_loudness"].to_list() == [None, -3.0]
    (named.folder / "labels.parquet").write_bytes(b"damaged")
    with pytest.raises(EmorankError, match=r"labels.parquet is not what was written"):
        Collection.of(named)


def test_a_recording_with_two_rows_has_to_have_one() -> None:
    twice = pl.DataFrame({"path": ["a", "a", "b"], "speaker": ["ann", "ann", "ben"]})
    assert len(labels_of(twice)) == 2
    with pytest.raises(EmorankError, match="a: the table has two rows for this recording"):
        labels_of(twice.with_columns(speaker=pl.Series(["ann", "ben", "ben"])))


def test_follows_a_folder(recordings: Callable[..., Path]) -> None:
    root = recordings(1)
    (root / "sub").mkdir()
    seen: list[set[str]] = []
    stop = threading.Event()

    def follow() -> None:
        for burst in changes([str(root)], stop):
            seen.append({os.path.relpath(path, root) for path in burst})

    thread = threading.Thread(target=follow)
    thread.start()

    def wait(what: Callable[[], bool]) -> None:
        until = time.monotonic() + 20
        while not what():
            assert time.monotonic() < until, seen
            time.sleep(0.05)

    wait(lambda: seen == [set()])  # once at the beginning
    soundfile.write(root / "sub" / "new.wav", voice(0.5), 16_000)
    (root / "notes.txt.part").write_text("nothing to listen to")
    (root / ".hidden.wav").write_bytes(b"")
    wait(lambda: any("sub/new.wav" in burst for burst in seen))
    (root / "clip000.wav").unlink()
    wait(lambda: any("clip000.wav" in burst for burst in seen))
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert not any(".hidden.wav" in burst for burst in seen)
