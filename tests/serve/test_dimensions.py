"""Models that do not know all dimensions: what they do not know is null, never NaN and never another dimension."""

import json
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from starlette.testclient import TestClient

from emorank.affect import DIMENSIONS
from emorank.model import EmotionRankCLAP
from emorank.serve.app import create_app
from emorank.serve.snapshots import ServedIndex, Snapshot
from tests.serve.conftest import Served

KNOWN = [("valence", "arousal"), ("arousal", "valence"), ("dominance",), ("arousal",), ("dominance", "valence")]


@pytest.fixture(params=KNOWN, ids="-".join)
def lacking(served: Served, request: pytest.FixtureRequest) -> Iterator[tuple[TestClient, Snapshot]]:
    """The index as a model of other dimensions would give it."""
    known: tuple[str, ...] = request.param
    one = served.index.snapshot
    places = one.collection.segments.places.copy()
    places[:, [i for i, name in enumerate(DIMENSIONS) if name not in known]] = np.nan
    collection = replace(one.collection, segments=replace(one.collection.segments, places=places))
    old = one.model
    locator = old.locator[:, [DIMENSIONS.index(name) for name in known]]
    model = EmotionRankCLAP(old.audio, old.text, old.scale, locator, replace(old.config, dimensions=known))
    model.__dict__ |= {name: old.__dict__[name] for name in ("audio_encoder", "text_encoder") if name in old.__dict__}
    index = ServedIndex(served.named)
    index.snapshot = replace(one, collection=collection, model=model)
    with TestClient(create_app(index), base_url="http://127.0.0.1:8321") as client:
        yield client, index.snapshot


def test_what_a_model_does_not_know_is_null(lacking: tuple[TestClient, Snapshot], served: Served) -> None:
    client, snapshot = lacking
    known = snapshot.dimensions
    full = {hit["id"]: hit for hit in served.client.get("/api/segments?limit=200").json()["segments"]}
    hits = client.post("/api/search", json={"texts": [{"text": "calm"}], "top": 5}).json()["hits"]
    course = client.get(f"/api/segments/{hits[0]['id']}/timeline").json()["segments"]
    listed = client.get("/api/segments?limit=200").json()["segments"]
    one = client.get(f"/api/segments/{hits[0]['id']}").json()
    for hit in (*hits, *course, *listed, one):
        for name in DIMENSIONS:
            assert hit[name] == (full[hit["id"]][name] if name in known else None)
    clip = (served.root / "clip001.wav").read_bytes()
    here, there = (each.post("/api/locate", content=clip).json() for each in (client, served.client))
    for name in DIMENSIONS:
        assert here[name] == (pytest.approx(there[name], abs=0.02) if name in known else None)
    note = client.get("/api/index")
    assert note.json()["model"]["dimensions"] == list(known)
    json.loads(note.text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
    for column in note.json()["columns"]:
        if column["name"] in DIMENSIONS:
            assert (column["low"] is None) == (column["name"] not in known)


def test_without_valence_or_arousal_there_is_no_plane(lacking: tuple[TestClient, Snapshot]) -> None:
    client, snapshot = lacking
    near = {"near": {"valence": 4, "arousal": 4}}
    region = {"region": {"valence": [1, 7], "arousal": [1, 7]}}
    if {"valence", "arousal"} <= set(snapshot.dimensions):
        assert len(client.get("/api/plane").content) == 4 * len(snapshot.collection)
        assert client.post("/api/search", json=region).json()["total"] == len(snapshot.collection)
        return
    assert client.get("/api/plane").content == b""
    for asked in (near, region):
        response = client.post("/api/search", json=asked)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "bad_query")
        assert f"knows {', '.join(snapshot.dimensions)} alone" in response.json()["error"]["message"]
