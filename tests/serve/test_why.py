"""Where an answer comes from: what descriptions and clips are taken for."""

import json

import pytest

from tests.serve.conftest import Served
from tests.serve.test_api import search


def test_where_an_answer_comes_from_is_said_on_demand(served: Served) -> None:
    assert search(served, texts=[{"text": "calm"}])["why"] is None
    answer = search(served, texts=[{"text": "calm"}, {"text": "calm"}], why=True, top=3)
    (calm,) = answer["why"]["descriptions"]
    assert len(calm["nearest"]) == 5
    assert calm["place"]["arousal"] < 4
    mean = sum(hit["arousal"] for hit in answer["hits"]) / 3
    assert answer["why"]["found"]["arousal"] == pytest.approx(mean, abs=0.02)
    nothing = search(served, where="duration > 1000", why=True)
    assert nothing["why"] == {"descriptions": [], "clips": [], "found": None}
    assert nothing["fit"] is None


def test_what_a_clip_is_taken_for_is_said_on_demand(served: Served) -> None:
    first = search(served, where="file = 'clip000.wav'")["hits"][0]
    asked = {"texts": [{"text": "calm"}], "likes": [{"id": first["id"]}], "why": True}
    (segment,) = search(served, **asked)["why"]["clips"]
    assert segment["id"] == first["id"]
    assert len(segment["nearest"]) == 5
    assert all(segment["place"][name] == pytest.approx(first[name], abs=0.02) for name in segment["place"])
    clip = (served.root / "clip003.wav").read_bytes()
    why = served.client.post("/api/search/clip", params={"asked": json.dumps(asked)}, content=clip).json()["why"]
    assert [each["id"] for each in why["clips"]] == [None, first["id"]]
    assert why["clips"][1] == segment
    assert [each["text"] for each in why["descriptions"]] == ["calm"]
    place = served.client.post("/api/locate", content=clip).json()
    assert all(why["clips"][0]["place"][name] == pytest.approx(place[name], abs=0.02) for name in segment["place"])
    cosines = [each["cosine"] for each in segment["nearest"]]
    assert cosines == sorted(cosines, reverse=True)
