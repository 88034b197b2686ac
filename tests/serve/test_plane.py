"""What is seen beside the hits: the plane's colours and dots, counts, histograms, regions, searches that are kept."""

from typing import Any

import numpy as np
import pytest

from emorank.search import Choice, Lasso, Query, find
from emorank.search.facets import facets, histograms
from emorank.serve.colours import MOST_COLOURS, NOTHING, OTHERS, coloured
from emorank.serve.limits import Limits
from tests.search.test_rank import many
from tests.serve.conftest import Served

CORNERS = [[1.5, 1.5], [6.5, 1.5], [4.0, 6.5]]


def posted(served: Served, path: str, **asked: Any) -> Any:
    response = served.client.post(f"/api/{path}", json=asked)
    assert response.status_code == 200, response.text
    return response.json() if response.headers["content-type"] == "application/json" else response.content


def test_a_lasso_and_choices_find_what_the_terminal_finds(served: Served) -> None:
    collection = served.index.snapshot.collection
    query = Query(
        region=Lasso(((1.5, 1.5), (6.5, 1.5), (4.0, 6.5))),
        choices=(Choice("speaker", ("ann",)),),
        sort="arousal",
        order="ascending",
        group="recording",
        top=20,
    )
    asked = {"region": {"corners": CORNERS}, "choices": [{"column": "speaker", "values": ["ann"]}]}
    answer = posted(served, "search", **asked, sort="arousal", order="ascending", group="recording")
    wanted = find(collection, query)
    assert (answer["total"], [hit["id"] for hit in answer["hits"]]) == (wanted.total, [hit.id for hit in wanted.hits])
    assert wanted.total > 0
    assert posted(served, "search", **asked, group=True)["total"] == answer["total"]


def test_a_clip_is_asked_in_another_order(served: Served) -> None:
    clip = (served.root / "clip003.wav").read_bytes()
    hits = served.client.post("/api/search/clip?sort=arousal&order=ascending&group=true", content=clip).json()["hits"]
    arousal = [hit["arousal"] for hit in hits]
    assert arousal == sorted(arousal)
    assert len({hit["path"] for hit in hits}) == len(hits) == 8


def test_hits_have_the_date_of_their_recording(served: Served) -> None:
    hit = posted(served, "search", sort="date", top=1)["hits"][0]
    assert hit["date"][:3] == "202"
    assert len(hit["date"]) == 19


def test_the_bits_say_which_dots_pass(served: Served) -> None:
    collection = served.index.snapshot.collection
    bits = posted(served, "plane", where="speaker = 'ann'", choices=[{"column": "file", "values": ["clip001.wav"]}])
    mask = np.unpackbits(np.frombuffer(bits, np.uint8), count=len(collection)).astype(bool)
    assert np.flatnonzero(mask).tolist() == [i for i, p in enumerate(collection.columns["file"]) if p == "clip001.wav"]
    assert np.unpackbits(np.frombuffer(posted(served, "plane"), np.uint8), count=len(collection)).all()


@pytest.mark.parametrize("by", ["speaker", "recording", "day", "channel", "dominance", "damage", "duration"])
def test_a_code_is_a_value(served: Served, by: str) -> None:
    collection = served.index.snapshot.collection
    legend = served.client.get("/api/plane/colours", params={"by": by}).json()
    codes = np.frombuffer(served.client.get("/api/plane/codes", params={"by": by}).content, np.uint8)
    assert len(codes) == len(collection)
    name = {"recording": "path", "day": "date"}.get(by, by)
    for row, code in enumerate(codes.tolist()):
        value = collection.columns[name][row]
        if legend["numbers"]:
            step = (legend["high"] - legend["low"]) / 254
            assert legend["low"] + code * step == pytest.approx(value, abs=step)
        elif value is None:
            assert code == NOTHING
        else:
            assert legend["values"][code] == (value[:10] if by == "day" else value)


def test_the_most_frequent_values_have_colours() -> None:
    collection = many(200, 0)
    codes, values, _, _ = coloured(collection, "recording")
    counts = {path: collection.segments.paths.count(path) for path in set(collection.segments.paths)}
    assert len(values) == MOST_COLOURS
    assert min(counts[str(value)] for value in values) >= max(n for path, n in counts.items() if path not in values)
    assert all(
        (code == OTHERS) == (path not in values)
        for code, path in zip(codes.tolist(), collection.segments.paths, strict=True)
    )


def test_a_dot_is_a_segment(served: Served) -> None:
    version = served.client.get("/api/health").json()["index_version"]
    every = served.client.get("/api/segments?limit=200").json()["segments"]
    assert served.client.get(f"/api/plane/3?version={version}").json() == every[3]
    assert served.client.get(f"/api/plane/3?version={version + 1}").status_code == 409
    assert served.client.get(f"/api/plane/{len(every)}").status_code == 404


def test_a_place_that_is_not_known_has_no_dot(served: Served) -> None:
    from dataclasses import replace

    one = served.index.snapshot
    places = one.collection.segments.places.copy()
    places[1, 0] = np.nan
    segments = replace(one.collection.segments, places=places)
    plane = replace(one, collection=replace(one.collection, segments=segments)).plane
    points = np.frombuffer(plane, "<u2").reshape(-1, 2)
    assert points[1].tolist() == [65535, 65535]
    assert (np.delete(points, 1, 0) < 65535).all()


def test_counts_and_histograms_are_those_of_the_search(served: Served) -> None:
    collection = served.index.snapshot.collection
    choices = [{"column": "speaker", "values": ["ann", None]}]
    query = Query(where="duration > 0.7", choices=(Choice("speaker", ("ann", None)),))
    answer = posted(served, "facets", where="duration > 0.7", choices=choices)
    wanted = facets(collection, query)
    assert answer["total"] == find(collection, query).total
    assert [one["column"] for one in answer["facets"]] == [one.column for one in wanted]
    for one, other in zip(answer["facets"], wanted, strict=True):
        assert [(each["value"], each["count"]) for each in one["values"]] == list(other.values)
    shown = posted(served, "histograms", where="duration > 0.7", choices=choices, group="speaker")["histograms"]
    for one, two in zip(shown, histograms(collection, query, "speaker"), strict=True):
        assert one["dimension"] == two.dimension
        assert [(g["value"], g["counts"]) for g in one["groups"]] == [(v, c.tolist()) for v, c in two.groups]


def test_a_search_is_kept_as_it_was_asked(changing: Served) -> None:
    asked = {
        "texts": [{"text": "cold fury", "weight": 1.0}, {"text": "crying", "weight": -0.5}],
        "region": {"corners": CORNERS},
        "where": "duration > 1",
        "choices": [{"column": "speaker", "values": ["o'hara <b>", None, 3, True]}],
        "group": "speaker",
        "sort": "date",
        "order": "ascending",
    }
    put = changing.client.put("/api/searches/cold ones", json=asked)
    assert put.status_code == 200, put.text
    kept = changing.client.get("/api/searches").json()
    assert [(one["name"], one["made"][:2]) for one in kept] == [("cold ones", "20")]
    assert {name: kept[0]["search"][name] for name in asked} == asked
    box = {"region": {"valence": [1, 2], "arousal": [3, 4]}, "near": {"valence": 1, "arousal": 2, "radius": 3}}
    changing.client.put("/api/searches/cold ones", json=box)
    search = changing.client.get("/api/searches").json()[0]["search"]
    assert {name: search[name] for name in box} == box
    assert posted(changing, "search", **search)["total"] == 0
    assert changing.client.delete("/api/searches/cold ones").status_code == 204
    assert changing.client.delete("/api/searches/cold ones").status_code == 404
    assert changing.client.get("/api/searches").json() == []


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("search", {"region": {"corners": CORNERS[:2]}}, 422, "region"),
        ("search", {"region": {"corners": CORNERS * 70}}, 422, "region"),
        ("search", {"region": {"corners": [[0, 1], [2, 2], [3, 3]]}}, 422, "region"),
        ("search", {"where": "duration > 1", "sort": "voice"}, 400, "nothing called 'voice' to sort by"),
        ("search", {"where": "duration > 1", "order": "up"}, 422, "order"),
        ("search", {"where": "duration > 1", "group": "voice"}, 400, "nothing called 'voice' to group by"),
        ("search", {"where": "duration > 1", "best": 10_001}, 422, "best"),
        ("search", {"choices": [{"column": "speaker", "values": []}]}, 422, "choices.0.values"),
        ("search", {"choices": [{"column": "speaker", "values": ["a"] * 101}]}, 422, "choices.0.values"),
        ("search", {"choices": [{"column": "speaker", "values": ["a"]}] * 17}, 422, "choices"),
        ("search", {"choices": [{"column": "voice", "values": ["a"]}]}, 400, "nothing called 'voice'"),
        ("facets", {"columns": ["speaker"] * 25}, 422, "columns"),
        ("facets", {"columns": ["voice"]}, 400, "nothing called 'voice'"),
        ("histograms", {"group": "voice"}, 400, "nothing called 'voice'"),
        ("plane", {"where": "voice = 1"}, 400, "no column 'voice'"),
    ],
)
def test_refusals_are_one_sentence(served: Served, path: str, body: Any, status: int, said: str) -> None:
    response = served.client.post(f"/api/{path}", json=body)
    assert response.status_code == status
    assert said in response.json()["error"]["message"]


def test_what_may_be_asked_for_is_said(served: Served) -> None:
    about = served.client.get("/api/index").json()
    assert (about["limits"]["corners"], about["limits"]["values"]) == (Limits().corners, Limits().values)
    assert about["compared"] == []
    assert {"name": "date", "kind": "date", "values": None, "low": None, "high": None} in about["columns"]


def test_keeping_a_search_is_collecting(changing: Served) -> None:
    from starlette.testclient import TestClient

    from emorank.serve.access import LOOPBACK
    from emorank.serve.app import create_app
    from emorank.serve.tokens import Tokens

    file = changing.root.parent / "tokens.toml"
    file.write_text('[[tokens]]\nname = "ann"\ntoken = "sesame"\nscopes = ["search"]\n')
    shown = {"Authorization": "Bearer sesame"}
    with TestClient(create_app(changing.index, Tokens(None, file), LOOPBACK), base_url="http://127.0.0.1") as client:
        assert client.get("/api/searches", headers=shown).status_code == 200
        assert client.post("/api/facets", json={}, headers=shown).status_code == 200
        assert client.post("/api/plane", json={}, headers=shown).status_code == 200
        assert client.put("/api/searches/x", json={"where": "end > 1"}, headers=shown).status_code == 403
        assert client.delete("/api/searches/x", headers=shown).status_code == 403
        assert client.get("/api/plane/0").status_code == 401
