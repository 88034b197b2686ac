"""Object storage: recordings that lie there, one writer at a time, commits that do not lose each other."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emorank import objects
from emorank.errors import EmorankError
from emorank.index import Index
from emorank.index.named import NamedIndex
from emorank.model import EmotionRankCLAP
from emorank.scale.embed import Dataset
from emorank.scale.sources import source
from tests.index.test_versions import fourth_schema
from tests.scale.conftest import Recordings, counting, here


def uploaded(folder: Path, place: str) -> None:
    for file in folder.iterdir():
        objects.write(place, file.name, file.read_bytes())


def test_recordings_on_storage_are_heard_as_those_in_a_folder(
    bucket: str, recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP, tmp_path: Path
) -> None:
    root = recordings(3)
    (root / "ünter #1%20 b.wav").write_bytes((root / "clip001.wav").read_bytes())
    (root / "broken.wav").write_bytes(b"no sound")
    (root / "notes.txt").write_bytes(b"text")
    (root / ".hidden.wav").write_bytes(b"no sound")
    uploaded(root, f"{bucket}/in it")
    objects.write(f"{bucket}/in it too", "other.wav", b"of another prefix")
    heard: list[str] = []
    engine = counting(here(model), heard)
    out = f"{bucket}/out"
    done = Dataset.at(out, str(tiny_model), None, "").update(source(f"{bucket}/in it/"), engine)
    assert (done.added, done.skipped, dict(done.passed_over)) == (4, 1, {".txt": 1})
    laptop = Index(tmp_path / "laptop", model)
    laptop.update(root)
    one, other = NamedIndex.open(out).reading.segments(), laptop.segments()
    assert one.paths == [f"{bucket}/in it/{os.path.basename(path)}" for path in other.paths]
    assert abs(one.embeddings - other.embeddings).max() < 1e-4
    assert NamedIndex.open(out).shown(one.paths[0]) == "in it/clip000.wav"

    heard.clear()
    again = Dataset.at(out, None, None, "")
    assert again.update(source(f"{bucket}/in it"), engine).kept == 4
    objects.write(f"{bucket}/in it", "copied.wav", (root / "clip000.wav").read_bytes())
    time.sleep(1.1)  # storage knows seconds
    objects.write(f"{bucket}/in it", "clip002.wav", (root / "clip002.wav").read_bytes())  # touched
    done = Dataset.at(out, None, None, "").update(source(f"{bucket}/in it"), engine)
    assert (done.added, done.changed, heard) == (1, 1, [])


def test_a_dataset_from_before_goes_on_as_it_is(
    bucket: str, recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP
) -> None:
    """On object storage nothing is migrated: what came later stays unknown there, also of what is new."""
    root, out = recordings(3), f"{bucket}/out"
    uploaded(root, f"{bucket}/in")
    Dataset.at(out, str(tiny_model), None, "").update(source(f"{bucket}/in"), here(model))
    expected = NamedIndex.open(out).reading.segments()
    fourth_schema(out, model)
    objects.write(f"{bucket}/in", "other.wav", (root / "clip002.wav").read_bytes()[:-2000])
    objects.write(f"{bucket}/in", "copied.wav", (root / "clip000.wav").read_bytes())
    assert Dataset.at(out, None, None, "").update(source(f"{bucket}/in"), here(model)).added == 2
    found = NamedIndex.open(out).reading.segments()
    assert [os.path.basename(path) for path in found.paths] == [
        *("clip000.wav", "clip001.wav", "clip002.wav", "copied.wav", "other.wav")
    ]
    assert found.speech is not None
    assert np.isnan(found.speech).all()
    np.testing.assert_array_equal(found.embeddings[:3], expected.embeddings)
    view = NamedIndex.open(out).reading.view()
    assert view is not None
    assert sum(rows["speech"].null_count for _, rows in view.all(["path", "speech"], ("searched",))) == 5


def test_two_contents_of_one_size_within_a_second_are_told_apart(bucket: str) -> None:
    states = []
    for content in (b"one", b"two", b"one"):
        objects.write(bucket, "it", content)
        states.append(objects.now(f"{bucket}/it"))
        assert list(objects.listed(bucket)) == [(f"{bucket}/it", *states[-1])]
    assert len({size for size, _ in states}) == 1
    assert states[0] != states[1]
    assert states[1] != states[2]


def test_a_table_may_name_recordings_on_storage(
    bucket: str, recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP, tmp_path: Path
) -> None:
    root = recordings(2)
    uploaded(root, f"{bucket}/in")
    table = root / "t.csv"
    table.write_text(f"path\n{bucket}/in/clip000.wav\n{bucket}/in/clip001.wav\n{bucket}/in/gone.wav\n")
    done = Dataset.at(str(tmp_path / "out"), str(tiny_model), None, "").update(source(str(table)), here(model))
    assert (done.added, done.skipped) == (2, 1)


def test_one_writer_at_a_time(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "_BEAT", 0.1)
    with objects.lease(f"{bucket}/x") as held:
        held.check()
        with pytest.raises(EmorankError, match="another emorank embed is writing there"):
            objects.Lease(f"{bucket}/x")
    with objects.lease(f"{bucket}/x"):
        pass


def test_a_writer_without_a_sign_of_life_is_replaced_and_writes_no_more(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects, "_DEAD", 0.3)
    dead = objects.Lease(f"{bucket}/x")  # its next beat is in ten seconds
    monkeypatch.setattr(objects, "_BEAT", 0.1)
    with objects.lease(f"{bucket}/x"):
        with pytest.raises(EmorankError, match="run the command again"):
            dead.check()
        objects.Lease.end(dead)  # it does not take away what is not its own
        with pytest.raises(EmorankError, match="is writing there"):
            objects.Lease(f"{bucket}/x")


def test_commits_at_the_same_time_lose_nothing(bucket: str, recordings: Recordings, tiny_model: Path) -> None:
    """Not relied upon for anything but a writer that was taken for dead, whose last commit may still be on its way."""
    import lancedb

    model = EmotionRankCLAP.from_pretrained(tiny_model)
    out = f"{bucket}/out"
    Dataset.at(out, str(tiny_model), None, "").update(source(str(recordings(3))), here(model))

    def opened() -> Any:
        database = lancedb.connect(out, storage_options=objects.options())
        return database.open_table(next(n for n in database.list_tables().tables if n.startswith("segments")))

    rows = opened().to_arrow()

    def add() -> None:
        table = opened()
        for _ in range(5):
            table.add(rows)

    threads = [threading.Thread(target=add) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert opened().count_rows() == 3 + 3 * 5 * 3


def test_storage_that_is_out_of_reach_is_one_sentence(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    begun = time.monotonic()
    with pytest.raises(EmorankError, match="the object storage cannot be used"):
        NamedIndex.open(f"{bucket}/x")
    assert time.monotonic() - begun < 25


def test_where_there_is_no_dataset_it_is_said(bucket: str) -> None:
    with pytest.raises(EmorankError, match="emorank embed DIR --out"):
        NamedIndex.open(f"{bucket}/nothing")
    with pytest.raises(EmorankError, match="s3://BUCKET/PREFIX"):
        NamedIndex.open("s3://")
