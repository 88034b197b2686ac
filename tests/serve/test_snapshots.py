"""What is searched follows the index, whatever happens to it while the server runs."""

import shutil
import time
from pathlib import Path

import pytest
import soundfile

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
