"""Clips in a folder: the right samples, nothing replaced, broken recordings named and passed over."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.errors import EmorankError
from emorank.index.plan import Indexed
from emorank.search import Collection
from emorank.taking import folder as module
from emorank.taking.clips import encoded
from emorank.taking.cutting import as_indexed
from emorank.taking.folder import Taken, take
from emorank.taking.moments import selection
from tests.taking.conftest import collection_of, moments, noise, write


def taken(collection: Collection, folder: Path, **options: object) -> Taken:
    some = moments(collection, list(range(len(collection)))[::-1])
    return take(some, folder, lambda clips: selection(collection, some, clips), **options)  # type: ignore[arg-type]


def test_clips_hold_the_recordings_samples(three: Callable[[], Collection], tmp_path: Path) -> None:
    done = taken(three(), tmp_path / "clips", pad=0.25)
    assert len(done.clips) == 4
    rows = list(csv.DictReader((tmp_path / "clips" / "moments.csv").read_text().splitlines()))
    for row in rows:
        if row["clip"]:
            clip, rate = soundfile.read(tmp_path / "clips" / row["clip"], dtype="int16")
            whole, _ = soundfile.read(row["path"], dtype="int16")
            first, last = (round(seconds * rate) for seconds in (float(row["start"]) - 0.25, float(row["end"]) + 0.25))
            np.testing.assert_array_equal(clip, whole[first:last])
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert [row["clip"] for row in rows[:2]] == ["", ""]
    assert sorted(os.listdir(tmp_path / "clips")) == [*(row["clip"] for row in rows[2:]), "moments.csv"]


def test_the_broken_are_named_and_the_others_go_on(three: Callable[[], Collection], tmp_path: Path) -> None:
    told: list[tuple[int, int, int]] = []
    done = taken(three(), tmp_path / "clips", progress=lambda *counts: told.append(counts))
    assert {str(error) for _, error in done.skipped} == {
        f"{tmp_path / 'broken.wav'}: it is not audio, or damaged beyond decoding."
    }
    assert [moment.rank for moment, _ in done.skipped] == [2, 1]
    assert told[-1] == (6, 6, 2)


def test_a_recording_that_changed_is_not_cut(three: Callable[[], Collection], tmp_path: Path) -> None:
    collection = three()
    known = {}
    for path in collection.segments.paths:
        status = os.stat(path)
        known[path] = Indexed(status.st_size, status.st_mtime_ns, None, None)
    write(tmp_path / "a.wav", noise(44_100 * 5, 2, seed=9), 44_100)
    os.unlink(tmp_path / "b.wav")
    done = taken(collection, tmp_path / "clips", check=as_indexed(known))
    assert not done.clips
    reasons = {os.path.basename(error.path): error.reason for _, error in done.skipped}
    assert reasons["a.wav"] == "it has changed since it was indexed; update the index."
    assert reasons["b.wav"].startswith("it cannot be read (No such file")


def test_of_a_channel_that_was_heard_alone_that_channel_is_cut(tmp_path: Path) -> None:
    samples = noise(16_000 * 4, 2)
    path = write(tmp_path / "call.wav", samples, 16_000)
    collection = collection_of([(str(path), 1.0, 2.0, 1), (str(path), 1.5, 2.5, 2)])
    taken(collection, tmp_path / "clips", clip_format="flac")
    for name in ("0002-call-00m01.0s-1.flac", "0001-call-00m01.5s-2.flac"):
        clip, _ = soundfile.read(tmp_path / "clips" / name)
        channel, start = (0, 16_000) if name.startswith("0002") else (1, 24_000)
        np.testing.assert_array_equal(clip, samples[start : start + 16_000, channel])


@pytest.mark.parametrize("format", ["wav", "flac", "opus"])
def test_a_run_that_was_broken_off_is_gone_on_with(
    three: Callable[[], Collection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    count = 0

    def failing(*arguments: object) -> bytes:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return encoded(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "encoded", failing)
    with pytest.raises(KeyboardInterrupt):
        taken(three(), tmp_path / "clips", clip_format=format)
    monkeypatch.setattr(module, "encoded", encoded)
    began = {name: (tmp_path / "clips" / name).read_bytes() for name in os.listdir(tmp_path / "clips")}
    assert len(began) == 2
    assert len(taken(three(), tmp_path / "clips", clip_format=format).clips) == 4
    assert len(os.listdir(tmp_path / "clips")) == 5
    assert all((tmp_path / "clips" / name).read_bytes() == content for name, content in began.items())


def test_nothing_that_is_there_is_replaced(three: Callable[[], Collection], tmp_path: Path) -> None:
    target = tmp_path / "clips"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    with pytest.raises(EmorankError, match=r"holds other files, such as notes.txt; name a new folder"):
        taken(three(), target)
    assert os.listdir(target) == ["notes.txt"]
    (target / "notes.txt").unlink()
    done = taken(three(), target)
    name = sorted(done.clips.values())[0]
    (target / name).write_bytes(b"mine")
    with pytest.raises(EmorankError, match=r"is there already, with other content; name another folder, or remove it"):
        taken(three(), target)
    assert (target / name).read_bytes() == b"mine"
    with pytest.raises(EmorankError, match="holds other files"):
        taken(three(), target, clip_format="flac")


def test_a_folder_that_cannot_be_is_one_sentence(three: Callable[[], Collection], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmorankError, match="file/clips: it cannot be written"):
        taken(three(), tmp_path / "file" / "clips")
