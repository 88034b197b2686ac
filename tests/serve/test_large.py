"""A server of an index that is larger than the memory it may take: the same answers."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.search.mapped import MappedCollection
from emorank.serve.app import create_app
from emorank.serve.snapshots import ServedIndex
from tests.conftest import voice
from tests.serve.conftest import Served


@pytest.fixture
def large(changing: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The same index, from files."""
    monkeypatch.setenv("EMORANK_CACHE", str(tmp_path / "cache"))
    index = ServedIndex(replace(changing.named), memory=0)
    assert isinstance(index.snapshot.collection, MappedCollection)
    with TestClient(create_app(index), base_url="http://127.0.0.1:8321") as client:
        yield Served(changing.root, changing.named, index, client)


def alike(left: Any, right: Any) -> None:
    """The same but for times of answers, and cosines up to rounding."""
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left.keys() - {"milliseconds", "percentile"}:
            alike(left[key], right[key])
    elif isinstance(left, list):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            alike(one, other)
    else:
        assert left == (pytest.approx(right, abs=2e-4) if isinstance(left, float) else right)


def test_every_answer_is_the_same(changing: Served, large: Served) -> None:
    ids = [segment["id"] for segment in changing.client.get("/api/segments?limit=200").json()["segments"]]
    recording = changing.client.get(f"/api/segments/{ids[-1]}").json()["recording"]
    calm = {"texts": [{"text": "calm"}, {"text": "angry", "weight": -0.5}]}
    for body in (
        {"texts": [{"text": "calm"}]},
        calm | {"group": True, "top": 3},
        calm | {"where": "speaker = 'ann' and duration > 0.5", "offset": 1},
        {"likes": [{"id": ids[2]}], "near": {"valence": 4, "arousal": 4, "radius": 6}},
        {"region": {"valence": [1, 7], "arousal": [1, 7]}},
        {"where": "speaker is not null"},
        calm | {"recording": recording},
    ):
        one, other = (served.client.post("/api/search", json=body) for served in (changing, large))
        assert one.status_code == other.status_code == 200, other.text
        alike(one.json(), other.json())
    for path in (
        *("/api/index", "/api/health", "/api/segments?where=duration > 0.7&offset=1&limit=3"),
        *(f"/api/recordings/{recording}{what}" for what in ("", "/course", "/segments")),
        *(f"/api/segments/{ids[0]}{what}" for what in ("", "/waveform", "/timeline")),
    ):
        alike(changing.client.get(path).json(), large.client.get(path).json())
    for path in ("/api/plane", f"/api/segments/{ids[1]}/audio", f"/api/segments/{ids[1]}/clip"):
        assert changing.client.get(path).content == large.client.get(path).content
    assert large.client.get("/api/segments/0123456789abcdef").status_code == 404
    lists = [
        served.client.post("/api/lists", json={"ids": ids[:4], "format": "csv"}).text for served in (changing, large)
    ]
    assert lists[0] == lists[1]
    large.client.post("/api/collections/warm/add", json={"ids": ids[:3]})
    assert [served.client.get("/api/collections/warm").json()["missing"] for served in (changing, large)] == [0, 0]


def test_an_update_is_followed_while_searches_go_on(large: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    before = large.index.snapshot
    soundfile.write(large.root / "new.wav", voice(0.7, 210), 16_000)
    (large.root / "clip000.wav").unlink()
    large.named.update()
    reading, go_on = threading.Event(), threading.Event()
    from emorank.search.mapped import follow

    part_of = follow.part_of
    monkeypatch.setattr(follow, "part_of", lambda *of: (reading.set(), go_on.wait(60), part_of(*of))[2])
    assert reading.wait(60)  # the server follows by itself
    answer = large.client.post("/api/search", json={"texts": [{"text": "calm"}]}).json()
    assert answer["index_version"] == before.version
    assert "clip000.wav" in {hit["file"] for hit in answer["hits"]}
    go_on.set()
    large.index.renew()
    assert large.index.snapshot.version > before.version
    files = {hit["file"] for hit in large.client.post("/api/search", json={"texts": [{"text": "calm"}]}).json()["hits"]}
    assert "new.wav" in files
    assert "clip000.wav" not in files
