"""The API: what it finds is what the terminal finds, and everything else that the page needs."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from prometheus_client.parser import text_string_to_metric_families

from emorank.search import NOT, Direction, Near, Query, find
from emorank.serve.limits import Limits
from tests.conftest import voice
from tests.serve.conftest import Served


def search(served: Served, **asked: Any) -> dict[str, Any]:
    response = served.client.post("/api/search", json=asked)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_finds_what_the_terminal_finds(served: Served) -> None:
    collection, model = served.index.snapshot.collection, served.index.snapshot.model
    calm, angry = model.encode_text(["calm", "angry"])
    expected = find(
        collection,
        Query(
            (Direction(calm), Direction(angry, NOT)), Near(4, 4, 3), where="speaker = 'ann'", group="recording", top=3
        ),
    )
    answer = search(
        served,
        texts=[{"text": "calm"}, {"text": " angry ", "weight": -0.5}],
        near={"valence": 4, "arousal": 4, "radius": 3},
        where="speaker = 'ann'",
        group=True,
        top=3,
    )
    assert answer["total"] == expected.total > 0
    for hit, wanted in zip(answer["hits"], expected.hits, strict=True):
        assert hit["id"] == wanted.id
        assert hit["row"] == wanted.row
        assert hit["percentile"] == wanted.percentile
        assert hit["labels"] == {"speaker": "ann"}
        assert hit["path"] == f"recordings/{Path(wanted.path).name}"
        assert str(served.root) not in json.dumps(hit)


def test_descriptions_that_are_hardly_understood_get_a_hint_each_time(served: Served) -> None:
    texts = [{"text": "zxqw invoice number"}, {"text": "calm"}, {"text": "平静而温暖的声音", "weight": -0.5}]
    for _ in range(2):  # the second is remembered
        hints = search(served, texts=[*texts, texts[0]])["hints"]
        assert [hint["text"] for hint in hints] == [texts[0]["text"], texts[2]["text"]]
        assert all(-1 <= hint["familiarity"] < 0.6 for hint in hints)
        assert hints[0]["message"].startswith("'zxqw invoice number' says little about a voice")
    assert search(served, texts=[texts[1]])["hints"] == []
    clip = (served.root / "clip003.wav").read_bytes()
    assert served.client.post("/api/search/clip", content=clip).json()["hints"] == []


def test_more_like_a_segment_leaves_it_out(served: Served) -> None:
    first = search(served, where="file = 'clip000.wav'")["hits"][0]
    hits = search(served, likes=[{"id": first["id"]}], top=50)["hits"]
    assert len(hits) == len(served.index.snapshot.collection) - 1
    assert first["id"] not in {hit["id"] for hit in hits}


def test_a_clip_finds_itself(served: Served) -> None:
    clip = (served.root / "clip003.wav").read_bytes()
    answer = served.client.post("/api/search/clip?top=2", content=clip).json()
    assert answer["hits"][0]["file"] == "clip003.wav"
    assert answer["hits"][0]["score"] == pytest.approx(1, abs=1e-3)
    filtered = served.client.post("/api/search/clip", params={"where": "speaker = 'ann'"}, content=clip).json()
    assert filtered["total"] < len(served.index.snapshot.collection)
    place = served.client.post("/api/locate", content=clip).json()
    assert place["valence"] == pytest.approx(answer["hits"][0]["valence"], abs=0.05)
    assert place["seconds"] == pytest.approx(0.6, abs=0.01)


def test_the_plane_is_where_the_segments_are(served: Served) -> None:
    response = served.client.get("/api/plane")
    points = 1 + np.frombuffer(response.content, "<u2").reshape(-1, 2) * (6 / 65535)
    np.testing.assert_allclose(points, served.index.snapshot.collection.segments.places[:, :2], atol=1e-4)
    assert int(response.headers["X-Index-Version"]) == served.client.get("/api/health").json()["index_version"]


def test_says_what_it_has(served: Served) -> None:
    about = served.client.get("/api/index").json()
    assert (about["name"], about["recordings"], about["roots"]) == ("calls", 8, ["recordings"])
    columns = {column["name"]: column for column in about["columns"]}
    assert columns["speaker"]["values"] == ["ann", "ben"]
    assert columns["path"]["values"] is None
    assert columns["duration"]["kind"] == "number"
    assert 0 < columns["duration"]["low"] < columns["duration"]["high"] <= 10
    assert about["limits"]["top"] == Limits().top
    assert "learnt from speech with unknown labels" in about["model"]["note"]
    assert about["model"]["margins"] is None  # nobody measured them
    assert str(served.root) not in json.dumps(about)


def test_lists_segments(served: Served) -> None:
    every = served.client.get("/api/segments?limit=200").json()
    assert every["total"] == len(every["segments"]) == len(served.index.snapshot.collection)
    pages = [
        served.client.get(f"/api/segments?limit=3&offset={offset}").json()["segments"] for offset in range(0, 15, 3)
    ]
    assert [hit for page in pages for hit in page] == every["segments"]
    some = served.client.get("/api/segments", params={"where": "file like 'clip%'"}).json()
    assert some["total"] == 6
    assert served.client.get(f"/api/segments/{every['segments'][0]['id']}").json() == every["segments"][0]


def test_a_timeline_has_all_segments_of_the_recording(served: Served) -> None:
    hit = search(served, where="file = 'long.ogg'", top=50)
    course = served.client.get(f"/api/segments/{hit['hits'][1]['id']}/timeline").json()
    assert course["file"] == "long.ogg"
    assert [one["id"] for one in course["segments"]] == [one["id"] for one in hit["hits"]]
    assert len(course["segments"]) == hit["total"] == hit["hits"][0]["moments"] > 2
    assert course["seconds"] == course["segments"][-1]["end"] > 20


def test_a_waveform_is_that_of_the_segment(served: Served) -> None:
    for hit in search(served, where="file = 'long.ogg'", top=3)["hits"]:
        peaks = served.client.get(f"/api/segments/{hit['id']}/waveform").json()["peaks"]
        wave, _ = soundfile.read(
            served.root / "long.ogg", start=int(hit["start"] * 16_000), stop=int(hit["end"] * 16_000)
        )
        stretches = np.array_split(np.abs(wave), len(peaks))
        expected = np.array([stretch.max() for stretch in stretches]) / np.abs(wave).max()
        np.testing.assert_allclose(peaks, expected, atol=0.25)
        assert np.corrcoef(peaks, expected)[0, 1] > 0.95


def test_follows_the_index(changing: Served) -> None:
    served = changing
    before = served.client.get("/api/health").json()
    soundfile.write(served.root / "new.wav", voice(0.7, 210), 16_000)
    (served.root / "clip000.wav").unlink()
    served.named.update()
    until = time.monotonic() + 20
    while served.client.get("/api/health").json()["index_version"] == before["index_version"]:
        assert time.monotonic() < until
        time.sleep(0.1)
    files = {hit["file"] for hit in served.client.get("/api/segments?limit=200").json()["segments"]}
    assert "new.wav" in files
    assert "clip000.wav" not in files
    assert search(served, texts=[{"text": "calm"}])["index_version"] > before["index_version"]


def test_counts_what_it_answers(changing: Served) -> None:
    served = changing
    for _ in range(3):
        search(served, texts=[{"text": "calm"}])
    served.client.get("/api/segments/nonsense")
    served.client.get("/nowhere/at/all")
    families = {
        family.name: family for family in text_string_to_metric_families(served.client.get("/api/metrics").text)
    }
    counted = {
        (s.labels["route"], s.labels["status"]): s.value
        for s in families["emorank_requests"].samples
        if s.name.endswith("total")
    }
    assert counted["/api/search", "200"] == 3
    assert counted["/api/segments/{id}", "422"] == 1
    assert counted["other", "404"] == 1
    assert families["emorank_segments"].samples[0].value == len(served.index.snapshot.collection)


@pytest.mark.slow
def test_many_at_once_get_their_own_answers(served: Served) -> None:
    texts = [f"calm, tired voice number {i % 20}" for i in range(60)]
    alone = {text: search(served, texts=[{"text": text}], top=3)["hits"] for text in set(texts)}
    answers: dict[int, Any] = {}

    def ask(i: int) -> None:
        answers[i] = search(served, texts=[{"text": texts[i]}, {"text": "and " + texts[i]}], top=3)
        answers[i] = search(served, texts=[{"text": texts[i]}], top=3)["hits"]

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers[i] == alone[text] for i, text in enumerate(texts))


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "said"),
    [
        ("/api/search", {}, 400, "bad_query", "asks for nothing"),
        ("/api/search", {"where": "voice = 'ann'"}, 400, "bad_filter", "no column 'voice'"),
        ("/api/search", {"where": "repeat('a', 1000000000) = speaker"}, 400, "bad_filter", "no column 'repeat'"),
        ("/api/search", {"texts": [{"text": " "}]}, 422, "invalid", "texts.0.text"),
        ("/api/search", {"texts": [{"text": "a" * 501}]}, 422, "invalid", "at most 500"),
        ("/api/search", {"texts": [{"text": "a"}] * 17}, 422, "invalid", "at most 16"),
        ("/api/search", {"texts": [{"text": "a"}], "top": 201}, 422, "invalid", "top"),
        ("/api/search", {"texts": [{"text": "a"}], "offset": -1}, 422, "invalid", "offset"),
        ("/api/search", {"texts": [{"text": "a"}], "file": "/etc/passwd"}, 422, "invalid", "file"),
        ("/api/search", {"likes": [{"id": "0" * 16}]}, 404, "not_found", "no segment 0000"),
        ("/api/search", {"likes": [{"id": "../../etc"}]}, 422, "invalid", "likes.0.id"),
        ("/api/search", {"near": {"valence": 9, "arousal": 1}}, 422, "invalid", "near.valence"),
        ("/api/search", {"region": {"valence": [5, 2], "arousal": [1, 7]}}, 400, "bad_query", "from 5 down to 2"),
    ],
)
def test_refusals_are_one_sentence(served: Served, path: str, body: Any, status: int, code: str, said: str) -> None:
    response = served.client.post(path, json=body)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["code"] == code
    assert said in error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"texts": [{"text": "\\ud800"}]}',
        b'{"near": {"valence": NaN, "arousal": 1}}',
        b"\xff" * 100,
        b'{"texts": [{"text": "a", "weight": 1e400}]}',
        b"[" * 100_000,
        b'{"top": ' + b"9" * 5000 + b"}",
    ],
)
def test_bodies_that_are_no_queries(served: Served, body: bytes) -> None:
    response = served.client.post("/api/search", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= response.status_code < 500, response.text
    assert response.json()["error"]["message"]


def test_a_clip_is_combined_with_what_else_is_asked(served: Served) -> None:
    clip = (served.root / "clip003.wav").read_bytes()
    asked = {
        "texts": [{"text": "calm"}, {"text": "angry", "weight": -0.5}],
        "where": "speaker = 'ann'",
        "why": True,
        "top": 50,
    }
    answer = served.client.post("/api/search/clip", params={"asked": json.dumps(asked)}, content=clip).json()
    collection = served.index.snapshot.collection
    model = served.index.snapshot.model
    calm, angry = model.encode_text(["calm", "angry"])
    embedding = model.encode_audio([served.root / "clip003.wav"])[0]
    directions = (Direction(embedding), Direction(calm), Direction(angry, NOT))
    expected = find(collection, Query(directions, where="speaker = 'ann'", top=50))
    assert [hit["id"] for hit in answer["hits"]] == [hit.id for hit in expected.hits]
    assert [one["text"] for one in answer["why"]["descriptions"]] == ["calm", "angry"]
    for wrong in ("no", '{"texts": 1}', '{"what": 1}', json.dumps({"texts": [{"text": "calm"}] * 17})):
        refused = served.client.post("/api/search/clip", params={"asked": wrong}, content=clip)
        assert refused.status_code == 422
        assert refused.json()["error"]["message"]


def test_what_is_written_is_completed(served: Served) -> None:
    answer = served.client.get("/api/suggestions", params={"text": "tired and"})
    assert answer.headers["cache-control"].startswith("private")
    found = answer.json()["suggestions"]
    assert 0 < len(found) <= 8
    assert all("tired" in one["text"] and 1 <= one["valence"] <= 7 and 1 <= one["arousal"] <= 7 for one in found)
    assert served.client.get("/api/suggestions?text=").json() == {"suggestions": []}
    assert len(served.client.get("/api/suggestions?text=c&limit=20").json()["suggestions"]) == 20
    for wrong in ("", "?text=a&limit=21", f"?text={'a' * 501}"):
        assert served.client.get(f"/api/suggestions{wrong}").status_code == 422


def test_a_not_and_speech_get_a_hint_of_their_own(served: Served) -> None:
    texts = [{"text": "calm, not angry"}, {"text": "oh wow that's amazing"}]
    negated, spoken = search(served, texts=texts)["hints"]
    assert (negated["kind"], negated["wanted"], negated["unwanted"]) == ("negated", "calm", "angry")
    assert spoken["kind"] == "spoken"
    assert spoken["suggestions"]
    assert spoken["message"].startswith(spoken["sentence"][:-1])
