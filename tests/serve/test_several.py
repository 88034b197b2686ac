"""Several indexes on one server, and one index under several models."""

import json
import shutil
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import soundfile
from starlette.testclient import TestClient

from emorank.errors import EmorankError
from emorank.index.named import NamedIndex
from emorank.search import Direction, Query, find
from emorank.serve.app import create_app
from emorank.serve.limits import Limits
from emorank.serve.named import chosen, opened
from emorank.serve.snapshots import ServedIndex
from emorank.serve.tokens import Tokens
from tests.conftest import save_model, voice


@dataclass(frozen=True)
class Several:
    """Two indexes: calls, and interviews, which holds copies of four of its six recordings and one of its own."""

    served: list[ServedIndex]
    client: TestClient
    other: Path

    def ask(self, path: str, **asked: object) -> dict[str, object]:
        response = self.client.post(path, json=asked)
        assert response.status_code == 200, response.text
        answer: dict[str, object] = response.json()
        return answer


@pytest.fixture(scope="module")
def several(tiny_model: Path, tiny_whisper: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    home = tmp_path_factory.mktemp("several")
    other = save_model(home / "a model", tiny_whisper, seed=5, dimensions=("arousal", "valence"))
    calls, interviews = home / "calls", home / "interviews <b>'é"
    calls.mkdir()
    interviews.mkdir()
    for i in range(6):
        soundfile.write(calls / f"clip{i}.wav", voice(0.6 + 0.1 * i, 110 + 25 * i, i), 16_000)
        if i < 4:
            shutil.copy(calls / f"clip{i}.wav", interviews / f"part{9 - i}.wav")
    soundfile.write(interviews / "own.wav", voice(0.9, 300, 9), 16_000)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EMORANK_DATA", str(home / "data"))
        for name, root, model in (("calls", calls, tiny_model), ("interviews", interviews, other)):
            NamedIndex.made(name, [str(root)], str(model)).update()
        served = opened(["calls", "interviews"])
        with TestClient(create_app(served), base_url="http://127.0.0.1:8321") as client:
            yield Several(served, client, other)


def test_each_has_everything_under_its_name(several: Several) -> None:
    client = several.client
    for one in several.served:
        name = one.name
        page = client.get(f"/{name}/")
        assert page.status_code == 200
        assert 'id="search"' in page.text
        assert client.get(f"/{name}/static/page.js").status_code == 200
        about = client.get(f"/{name}/api/index").json()
        assert (about["name"], about["indexes"]) == (name, ["calls", "interviews"])
        assert client.get(f"/{name}/api/health").json()["index"] == name
        hits = several.ask(f"/{name}/api/search", texts=[{"text": "calm"}])["hits"]
        (text,) = one.snapshot.model.encode_text(["calm"])
        expected = find(one.snapshot.collection, Query((Direction(text),), top=20)).hits
        assert [hit["id"] for hit in hits] == [hit.id for hit in expected]
        assert client.get(f"/{name}/api/segments/{hits[0]['id']}/audio").status_code == 200
        assert client.post(f"/{name}/api/clips", json={"ids": [hits[0]["id"]]}).content[:2] == b"PK"
        assert client.head(f"/{name}/api/health").status_code == 200
        assert client.get(f"/{name}/openapi.json").json()["servers"] == [{"url": f"/{name}"}]
        made = client.put(f"/{name}/api/collections/warm", json={"note": name})
        assert made.json()["note"] == name
    assert client.get("/calls", follow_redirects=False).headers["location"] == "calls/"
    assert client.get("/calls?q=a%26b", follow_redirects=False).headers["location"] == "calls/?q=a%26b"


def test_the_root_lists_them(several: Several) -> None:
    listed = several.client.get("/api/indexes").json()
    assert [(one["name"], one["path"], one["recordings"]) for one in listed] == [
        ("calls", "calls/", 6),
        ("interviews", "interviews/", 5),
    ]
    assert listed[1]["dimensions"] == ["arousal", "valence"]
    assert listed[1]["model"] == "a model"  # never its folder
    assert several.client.get("/api/health").json()["indexes"] == ["calls", "interviews"]
    assert several.client.get("/").status_code == several.client.get("/compare/").status_code == 200
    metrics = several.client.get("/api/metrics").text
    assert 'emorank_segments{index="calls"} 6.0' in metrics
    assert several.client.get("/calls/api/metrics").status_code == 200
    for path in ("/api/search", "/nothing/api/search", "/calls/calls/api/search"):
        refused = several.client.post(path, json={"texts": [{"text": "calm"}]})
        assert refused.status_code == 404, path
        assert refused.json()["error"]["message"]


def test_refusals_and_headers_hold_under_each_name(several: Several) -> None:
    locked = TestClient(create_app(several.served, Tokens("secret")), base_url="http://127.0.0.1:8321")
    for path in ("/api/indexes", "/api/health", "/calls/api/index", "/interviews/api/plane"):
        assert locked.get(path).status_code == 401
        assert locked.get(path, headers={"Authorization": "Bearer secret"}).status_code == 200
        other_site = locked.get(path, headers={"Sec-Fetch-Site": "cross-site"})
        assert other_site.json()["error"]["code"] == "cross_site"
        assert "default-src 'none'" in other_site.headers["content-security-policy"]
        assert several.client.get(path, headers={"Host": "evil.example"}).status_code == 403
    large = several.client.post("/calls/api/search", content=b" " * 300_000)
    assert large.status_code == 413
    bad = several.client.post("/calls/api/search", json={"texts": [{"text": ""}]})
    assert bad.json()["error"]["code"] == "invalid"


def test_the_cookie_of_the_root_opens_all(several: Several) -> None:
    locked = TestClient(create_app(several.served, Tokens("secret")), base_url="http://127.0.0.1:8321")
    answer = locked.get("/?token=secret", follow_redirects=False)
    assert answer.status_code == 303
    assert "path" not in answer.headers["set-cookie"].lower()
    assert locked.get("/calls/api/index").status_code == 200
    assert locked.get("/api/indexes").status_code == 200


def test_limits_hold_over_all(several: Several) -> None:
    app = create_app(several.served, limits=Limits(waiting=0))
    client = TestClient(app, base_url="http://127.0.0.1:8321")
    for name in ("calls", "interviews"):
        id = next(iter(several.client.get(f"/{name}/api/segments").json()["segments"]))["id"]
        assert client.get(f"/{name}/api/segments/{id}/clip").status_code == 503
    assert several.served[0].snapshot.texts._cores is several.served[1].snapshot.texts._cores


def test_a_failure_of_one_is_said_as_everywhere(several: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr("emorank.serve.routes.index.public", broken)
    client = TestClient(create_app(several.served), "http://127.0.0.1:8321", raise_server_exceptions=False)
    answer = client.get("/calls/api/index")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "content-security-policy" in answer.headers
    assert client.get("/interviews/api/health").status_code == 200


def test_the_same_search_side_by_side(several: Several) -> None:
    answer = several.ask("/api/compare", indexes=["calls", "interviews"], texts=[{"text": "calm"}])
    scores = []
    for place, one in enumerate(several.served):
        own = several.ask(f"/{one.name}/api/search", texts=[{"text": "calm"}])
        assert answer["hits"][place]["hits"] == own["hits"]
        scores.append({hit["file"]: hit["score"] for hit in own["hits"]})
    both = [(scores[0][f"clip{i}.wav"], scores[1][f"part{9 - i}.wav"]) for i in range(4)]
    expected = scipy.stats.spearmanr(*np.transpose(both)).statistic
    assert answer["agreement"] == {"common": 4, "correlation": round(expected, 3), "first": 4, "overlap": 4}
    ranks = {hit["file"]: rank for rank, hit in enumerate(answer["hits"][1]["hits"], 1)}
    for hit, there in zip(answer["hits"][0]["hits"], answer["elsewhere"][0], strict=True):
        number = int(hit["file"][4])
        assert (there and there["rank"]) == (ranks[f"part{9 - number}.wav"] if number < 4 else None)
    assert answer["elsewhere"][1][[hit["file"] for hit in answer["hits"][1]["hits"]].index("own.wav")] is None
    mirrored = several.ask("/api/compare", indexes=["interviews", "calls"], texts=[{"text": "calm"}])
    assert mirrored["agreement"] == answer["agreement"]
    same = several.ask(
        "/api/compare", indexes=["calls", "calls"], texts=[{"text": "calm"}, {"text": "loud", "weight": -0.5}]
    )
    assert same["agreement"]["correlation"] == 1
    assert [there["rank"] for there in same["elsewhere"][0]] == list(range(1, 7))
    filtered = several.ask(
        "/api/compare", indexes=["calls", "interviews"], texts=[{"text": "calm"}], where="duration > 0.75"
    )
    assert filtered["agreement"]["common"] == 2
    for hit, there in zip(filtered["hits"][0]["hits"], filtered["elsewhere"][0], strict=True):
        both = filtered["hits"][1]["hits"]
        assert there is None or both[there["rank"] - 1]["id"] == there["id"]
        assert hit["duration"] > 0.75


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ({"indexes": ["calls", "nothing"], "texts": [{"text": "calm"}]}, 404, "There is no index 'nothing'"),
        ({"indexes": ["calls"], "texts": [{"text": "calm"}]}, 422, "indexes"),
        ({"indexes": ["calls", "interviews"], "texts": []}, 422, "texts"),
        ({"indexes": ["calls", "interviews"], "texts": [{"text": "calm"}], "where": "speaker = 'ann'"}, 400, "speaker"),
        ({"indexes": ["calls", "interviews"], "texts": [{"text": "x" * 501}]}, 422, "500"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    several: Several, asked: dict[str, object], status: int, said: str
) -> None:
    refused = several.client.post("/api/compare", json=asked)
    assert refused.status_code == status
    assert said in refused.json()["error"]["message"]


@pytest.fixture
def data(several: Several, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMORANK_DATA", str(several.served[0].named.folder.parents[1]))


def test_one_index_under_two_models(several: Several, data: None, tiny_model: Path) -> None:
    served = opened(["calls"], [str(tiny_model), str(several.other)])
    assert [one.name for one in served] == [f"calls@{tiny_model.name}", "calls@a-model"]
    client = TestClient(create_app(served), base_url="http://127.0.0.1:8321")
    own = several.ask("/calls/api/search", texts=[{"text": "calm"}])
    first = client.post(f"/calls@{tiny_model.name}/api/search", json={"texts": [{"text": "calm"}]}).json()
    assert first["hits"] == own["hits"]
    about = client.get(f"/{urllib.parse.quote('calls@a-model')}/api/index").json()
    assert about["model"]["name"] == "a model"
    assert about["model"]["dimensions"] == ["arousal", "valence"]
    compared = client.post("/api/compare", json={"indexes": [one.name for one in served], "texts": [{"text": "calm"}]})
    assert compared.json()["agreement"]["common"] == 6
    assert json.dumps(compared.json()).count("null") > 0  # no dominance under the other
    interviews = opened(["interviews"], [str(several.other)])[0]
    assert (interviews.name, interviews._other) == ("interviews", None)


def test_models_and_indexes_that_do_not_go_together(
    several: Several, data: None, tiny_whisper: str, tmp_path: Path
) -> None:
    layer = save_model(tmp_path / "layer", tiny_whisper[:-2], seed=1, dim=32)
    with pytest.raises(EmorankError, match=r"Index 'calls' was heard with the encoder .*, which .*layer does not use"):
        chosen(["calls"], [str(layer)])
    with pytest.raises(EmorankError, match="uses the encoder of none of these indexes"):
        chosen(["calls"], [str(several.other), str(layer)])
    with pytest.raises(EmorankError, match="calls is named twice"):
        chosen(["calls", "calls"])
    with pytest.raises(EmorankError, match="There is no model 'nothing'"):
        chosen(["calls"], ["nothing"])
    NamedIndex.made("api", [str(several.other)], str(several.other))
    assert list(chosen(["api"])) == ["api"]
    with pytest.raises(EmorankError, match="called api cannot be served beside others"):
        chosen(["api", "calls"])


def test_one_server_shares_encoders(several: Several) -> None:
    one, other = (served.snapshot.model for served in several.served)
    assert one.audio_encoder is other.audio_encoder
    assert one.text_encoder is other.text_encoder
