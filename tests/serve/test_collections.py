"""Collections over HTTP: made, filled, labelled and deleted by those who may, and kept in the index."""

import json
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emorank.index import picking
from emorank.serve import tokens as module
from emorank.serve.app import create_app
from emorank.serve.tokens import Tokens
from tests.serve.conftest import Served


def ids(served: Served) -> list[str]:
    return [one["id"] for one in served.client.get("/api/segments", params={"limit": 200}).json()["segments"]]


def test_from_segments_to_a_labelled_collection(changing: Served) -> None:
    client, every = changing.client, ids(changing)
    assert client.get("/api/collections").json() == []
    made = client.put("/api/collections/warm voices", json={"note": "for the trailer", "tags": ["calm"]})
    assert made.json() | {"made": ""} == {
        **{"name": "warm voices", "note": "for the trailer", "tags": ["calm"], "made": ""},
        **{"moments": 0, "labelled": 0, "missing": 0},
    }
    url = "/api/collections/warm voices"
    assert client.post(f"{url}/add", json={"ids": [every[3], every[0], every[3]]}).json()["moments"] == 2
    assert client.post(f"{url}/add", json={"ids": [every[1], every[0]]}).json()["moments"] == 3
    said = {"ids": [every[0]], "by": "ann", "valence": 5.5, "category": "calm"}
    assert client.post(f"{url}/labels", json=said).json()["labelled"] == 1
    assert client.post(f"{url}/remove", json={"ids": [every[3]]}).json()["moments"] == 2
    shown = client.get(url).json()
    assert [member["segment"]["id"] for member in shown["members"]] == [every[0], every[1]]
    (label,) = shown["members"][0]["labels"]
    assert label | {"at": ""} == {
        **{"by": "ann", "at": "", "valence": 5.5, "arousal": None, "dominance": None, "category": "calm"}
    }
    assert client.get(url, params={"offset": 1, "limit": 1}).json()["members"][0]["segment"]["id"] == every[1]
    assert client.put(url, json={"name": "warm"}).json()["name"] == "warm"
    assert list(picking.read(changing.named.folder)) == ["warm"]  # what was answered is on disk
    assert client.delete("/api/collections/warm").status_code == 204
    assert client.get("/api/collections/warm").status_code == 404


def test_moments_that_are_gone_are_counted(changing: Served) -> None:
    client, every = changing.client, ids(changing)
    before = client.get("/api/segments", params={"limit": 200}).json()["segments"]
    client.post("/api/collections/all/add", json={"ids": every})
    (changing.root / "clip001.wav").rename(changing.root / "other.wav")
    (changing.root / "clip002.wav").unlink()
    changing.named.update()
    assert changing.index.renew()
    shown = client.get("/api/collections/all", params={"limit": 200}).json()
    assert (shown["moments"], shown["missing"], len(shown["members"])) == (len(every), 1, len(every) - 1)
    assert "other.wav" in {member["segment"]["file"] for member in shown["members"]}
    old = {one["file"]: one["id"] for one in before}
    remove = "/api/collections/all/remove"
    assert (
        client.post(remove, json={"ids": [old["clip001.wav"]]}).status_code == 404
    )  # it has another id where it is now
    left = client.post(remove, json={"ids": [old["clip002.wav"]]}).json()
    assert (left["moments"], left["missing"]) == (len(every) - 1, 0)


def test_refusals(changing: Served) -> None:
    client, (one, *_) = changing.client, ids(changing)
    client.post("/api/collections/warm/add", json={"ids": [one]})
    client.put("/api/collections/cold", json={})
    for response, status, code in (
        (client.get("/api/collections/nobody"), 404, "not_found"),
        (client.delete("/api/collections/nobody"), 404, "not_found"),
        (client.post("/api/collections/warm/add", json={"ids": ["0" * 16]}), 404, "not_found"),
        (client.post("/api/collections/warm/remove", json={"ids": ["0" * 16]}), 404, "not_found"),
        (client.post("/api/collections/nobody/remove", json={"ids": [one]}), 404, "not_found"),
        (client.post("/api/collections/nobody/labels", json={"ids": [one], "by": "a", "valence": 3}), 404, "not_found"),
        (client.post("/api/collections/warm/labels", json={"ids": [one], "by": "a", "valence": 8}), 422, "invalid"),
        (client.post("/api/collections/warm/labels", json={"ids": [one], "valence": 3}), 422, "invalid"),
        (client.post("/api/collections/warm/add", json={"ids": [one] * 501}), 422, "invalid"),
        (client.put("/api/collections/.x", json={}), 422, "invalid"),
        (client.put("/api/collections/warm", json={"note": "x" * 2001}), 422, "invalid"),
        (client.put("/api/collections/warm", json={"name": "cold"}), 400, "bad_query"),
    ):
        assert (response.status_code, response.json()["error"]["code"]) == (status, code), response.text


def test_who_may_search_may_read_and_who_may_collect_may_change(
    changing: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.0)
    table = tmp_path / "tokens.json"
    scopes = {"reader": ["search"], "owner": ["search", "collect"], "player": ["listen"]}
    table.write_text(json.dumps({"tokens": [{"name": n, "token": n, "scopes": s} for n, s in scopes.items()]}))
    (one, *_) = ids(changing)
    app = create_app(changing.index, Tokens(None, table), hosts=None)
    with TestClient(app, base_url="http://calls.example") as client:
        for token, read, write in (("owner", 200, 200), ("reader", 200, 403), ("player", 403, 403), ("no", 401, 401)):
            shown = {"Authorization": f"Bearer {token}"}
            said = {"ids": [one], "by": token, "valence": 3}
            url = "/api/collections/warm"
            assert client.post(f"{url}/add", json={"ids": [one]}, headers=shown).status_code == write
            assert client.post(f"{url}/labels", json=said, headers=shown).status_code == write
            assert client.put(url, json={"note": token}, headers=shown).status_code == write
            assert client.get(url, headers=shown).status_code == read
            assert client.head("/api/collections", headers=shown).status_code == read
        assert client.delete("/api/collections/warm", headers={"Authorization": "Bearer reader"}).status_code == 403
