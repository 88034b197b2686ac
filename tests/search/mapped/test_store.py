"""Files that are missing, touched, half written or of another table are made anew, and never believed."""

import gc
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.search import Direction, Query, find
from emorank.search.mapped import MappedCollection, follow, store
from emorank.search.mapped.exact import Stale
from emorank.search.mapped.store import DIMS, FINER, PARTS
from tests.search.mapped.conftest import add, in_memory, mapped

QUERY = Query((Direction(np.eye(32, dtype=np.float32)[0]),), top=30)


def ids(collection: MappedCollection) -> list[str]:
    return [hit.id for hit in find(collection, QUERY).hits]


def filled(index: Index) -> list[str]:
    add(index, {f"/r/{i:03d}.wav": 3 for i in range(30)})
    expected = [hit.id for hit in find(in_memory(index), QUERY).hits]
    assert ids(mapped(index)) == expected
    return expected


@pytest.mark.slow
def test_whatever_is_damaged_is_made_anew(index: Index) -> None:
    expected = filled(index)
    folder = mapped(index).store.folder
    for place in range(len([file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"])):
        for damage in ("flipped", "cut", "removed"):
            files = sorted(file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")
            file = files[place % len(files)]
            if damage == "removed":
                file.unlink()
            else:
                content = bytearray(file.read_bytes() or b"\0")
                content[len(content) // 2] ^= 4
                file.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
            assert ids(mapped(index)) == expected, (file.name, damage)
    shutil.rmtree(folder)
    assert ids(mapped(index)) == expected


def test_what_is_damaged_while_it_is_open_is_noticed_where_it_would_be_shown(index: Index) -> None:
    expected = filled(index)
    for name in ("start", "end", "places", "loudness", "speech", "path", "sum"):
        collection = mapped(index)
        file = collection.store.files / name
        content = bytearray(file.read_bytes())
        for at in range(0, len(content), 8):
            content[at + 1 if at + 1 < len(content) else at] ^= 1
        with open(file, "r+b") as opened:
            opened.write(content)
        with pytest.raises(Stale, match="made anew"):
            find(collection, QUERY)
        assert collection.stale
        assert ids(mapped(index)) == expected


def test_another_table_in_the_same_place_is_another(index: Index) -> None:
    filled(index)
    shutil.rmtree(index.folder)
    again = Index(index.folder, index.model)
    add(again, {f"/r/{i:03d}.wav": 3 for i in range(30)}, seed=5)
    assert ids(mapped(again)) == [hit.id for hit in find(in_memory(again), QUERY).hits]


def test_a_writer_that_is_killed_leaves_what_was_there(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(index)
    add(index, {"/r/new.wav": 3}, seed=1)
    steps = ("appended", "committed", "written_whole", "state")
    for step in steps:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(store, step, killed)
            with pytest.raises(KeyboardInterrupt):
                mapped(index)
        assert len(mapped(index)) == 93
        add(index, {"/r/new.wav": 3}, seed=2)
        assert ids(mapped(index)) == [hit.id for hit in find(in_memory(index), QUERY).hits]
        add(index, {"/r/new.wav": 3}, seed=3)


def test_without_a_place_in_the_cache_they_last_as_long_as_the_process(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = filled(index)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path / "file" / "cache"))
    collection = mapped(index)
    assert ids(collection) == expected
    assert not collection.stale
    folder = collection.store.folder
    del collection
    gc.collect()
    assert not folder.exists()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    with pytest.raises(EmorankError, match="can be written neither to"):
        mapped(index)


def test_while_another_process_is_about_it_what_was_there_is_searched(index: Index) -> None:
    expected = filled(index)
    view = index.view()
    assert view is not None
    add(index, {"/r/new.wav": 3}, seed=1)
    with FileLock(follow.folder_of(view) / ".lock"):
        collection = mapped(index)
        assert ids(collection) == expected
        assert collection.store.manifest.version == view.version
    assert len(mapped(index)) == len(collection) + 3


def test_a_damaged_row_of_the_table_is_said(index: Index) -> None:
    filled(index)
    collection = mapped(index)
    data = max((index.folder / f"{index._rows._name}.lance" / "data").iterdir(), key=os.path.getsize)
    content = bytearray(data.read_bytes())
    at = bytes(content).find(np.ascontiguousarray(index.segments().embeddings[0]).tobytes())
    assert at > 0
    content[at + 5] ^= 1
    data.write_bytes(content)
    with pytest.raises(EmorankError, match="damaged"):
        find(collection, Query((Direction(np.eye(32, dtype=np.float32)[0]),), top=90))


def test_leading_directions_are_kept_in_parts_of_a_step(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    spread = np.exp(-np.arange(200) / 20)
    embeddings = (rng.standard_normal((2000, 200)) * spread).astype(np.float32)
    files = store.begun(tmp_path, "made", 1.0, embeddings)
    small, finer = files.reduced(embeddings)
    assert small.shape == (2000, DIMS)
    assert finer.shape == (2000, FINER)
    true = (embeddings - files.middle) @ files.basis
    steps = files.steps[:DIMS]
    rest = finer[:, FINER - DIMS :].astype(np.float32) / PARTS
    within = np.abs(true[:, :DIMS] / steps) < 127
    for made, off in ((small, 0.5), (small + rest, 0.5 / PARTS)):
        assert (np.abs(made * steps - true[:, :DIMS]) / steps)[within].max() <= off + 1e-3
    np.testing.assert_array_equal(
        finer[:, : FINER - DIMS], np.rint(true[:, DIMS:] / files.steps[DIMS:]).clip(-127, 127)
    )


@pytest.mark.parametrize("recordings", [0, 30])
def test_an_array_read_whole_is_what_its_rows_are(index: Index, recordings: int) -> None:
    add(index, {"/r/0.wav": 1} | {f"/r/{i:03d}.wav": 3 for i in range(recordings)})
    files = mapped(index).store
    for name in ("rowid", "sum", "id", "start", "dead"):
        assert np.array_equal(files.whole(name), files[name][np.arange(len(files[name]))])
        assert files.whole(name).flags.writeable
