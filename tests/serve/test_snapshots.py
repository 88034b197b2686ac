"""What is searched follows the index, whatever happens to it while the server runs."""

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile

from emorank.index.rows import Rows
from emorank.serve.snapshots import ServedIndex
from tests.conftest import voice
from tests.serve.conftest import Served, indexed


def segments(served: Served) -> int:
    return int(served.client.get("/api/health").json()["segments"])


def files(served: Served) -> set[str]:
    return {hit["file"] for hit in served.client.get("/api/segments?limit=200").json()["segments"]}


def test_nothing_is_read_again_while_nothing_changes(changing: Served) -> None:
    before = changing.index.snapshot
    assert not changing.index.renew()
    assert changing.index.snapshot is before
    soundfile.write(changing.root / "new.wav", voice(0.7, 210), 16_000)
    changing.named.update()
    assert changing.index.renew()
    assert changing.index.snapshot.texts is before.texts  # and what they remember of descriptions
    assert not changing.index.renew()


def test_an_index_that_is_made_anew_is_picked_up(
    changing: Served,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    served = changing
    before = segments(served)
    shutil.rmtree(served.named.folder)
    time.sleep(7)  # some looks
    assert segments(served) == before  # what it has, it answers with
    assert served.client.post("/api/search", json={"texts": [{"text": "calm"}]}).status_code == 200
    assert capsys.readouterr().err.count("could not be read again") == 1
    for clip in served.root.glob("clip*.wav"):
        clip.unlink()
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path / "data"))
    indexed(served.root, tiny_model)
    until = time.monotonic() + 60
    while files(served) != {"long.ogg", "old.aiff"}:  # at first it is empty
        assert time.monotonic() < until
        time.sleep(0.2)
    assert served.client.post("/api/search", json={"texts": [{"text": "calm"}]}).json()["total"] == segments(served)


def test_a_snapshot_is_of_one_version_whatever_is_written_meanwhile(
    changing: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every segment has its recording, though the recording moves after every read of the table."""
    writing = replace(changing.named)  # as another process has it open
    read, moving = Rows.read, threading.Lock()

    def read_and_moved(rows: Rows, *asked: Any) -> Any:
        found = read(rows, *asked)
        if moving.acquire(blocking=False):  # not again while the writer itself reads
            try:
                here, there = sorted(changing.root.glob("clip000.wav")), changing.root / "moved.wav"
                here[0].rename(there) if here else there.rename(changing.root / "clip000.wav")
                writing.update()
            finally:
                moving.release()
        return found

    monkeypatch.setattr(Rows, "read", read_and_moved)
    index = ServedIndex(replace(changing.named))  # which nothing else renews
    for _ in range(3):
        assert index.renew()
        snapshot = index.snapshot
        assert set(snapshot.collection.segments.paths) == set(snapshot.recordings)
