"""Updates begun and watched over HTTP: as processes of their own, for those who may, of folders that they may name."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.errors import EmorankError
from emorank.serve.app import create_app
from emorank.serve.tokens import Tokens
from emorank.serve.updates import checked
from tests.conftest import voice
from tests.serve.conftest import Served, serving


def events(client: TestClient) -> list[dict[str, Any]]:
    """All steps until the update has ended."""
    with client.stream("GET", "/api/update/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        return [json.loads(line[6:]) for line in stream.iter_lines() if line.startswith("data: ")]


@pytest.fixture
def own(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """An index that emorank commands of this test find."""
    with serving(tmp_path, tiny_model, lambda root: soundfile.write(root / "a.wav", voice(0.7), 16_000)) as one:
        monkeypatch.setenv("EMORANK_DATA", str(tmp_path / "data"))
        yield one


@pytest.mark.slow
def test_a_folder_is_added_and_the_update_watched(own: Served, tmp_path: Path) -> None:
    odd = tmp_path / "-more 'é\n<b>"
    odd.mkdir()
    soundfile.write(odd / "b.wav", voice(0.8, 200), 16_000)
    (odd / "none.wav").write_bytes(b"no sound")
    assert own.client.get("/api/update").json()["state"] == "none"
    begun = own.client.post("/api/update", json={"folders": [f"  {odd} "]})
    assert begun.status_code == 202, begun.text
    assert begun.json()["state"] == "running"
    again = own.client.post("/api/update", json={})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "under_way")
    steps = events(own.client)
    assert steps[0]["state"] == "running"
    last = steps[-1]
    assert (last["state"], last["added"], last["skipped"], last["message"]) == ("done", 1, 1, None)
    assert [Path(one["path"]).name for one in last["broken"]] == ["none.wav"]
    assert own.client.get("/api/update").json()["state"] == "done"
    until = time.monotonic() + 20
    while own.client.get("/api/health").json()["segments"] < 2:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert str(odd) in own.client.get("/api/update").json()["folders"]
    assert own.client.get("/api/index").json()["roots"][-1] == odd.name


def test_an_error_is_the_sentence_that_it_is(own: Served) -> None:
    (own.named.folder / "index.json").write_text("{}")
    own.client.post("/api/update", json={})
    last = events(own.client)[-1]
    assert last["state"] == "failed"
    assert "index.json" in last["message"]
    assert "Traceback" not in last["message"]


def test_an_update_that_is_killed_says_so_and_can_be_begun_again(own: Served) -> None:
    own.client.post("/api/update", json={})
    update = own.client.app.state.updates._begun[own.named.folder]  # type: ignore[attr-defined]
    os.kill(update.process.pid, signal.SIGKILL)
    last = events(own.client)[-1]
    assert (last["state"], last["message"].split(";")[0]) == ("failed", "The update was ended from outside (SIGKILL)")
    assert os.getpgid(0) != update.process.pid  # of a group of its own: Ctrl-C of the server does not reach it
    own.client.post("/api/update", json={})
    assert events(own.client)[-1]["state"] == "done"


def test_what_may_not_be_followed(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path / "data"))
    (tmp_path / "data").mkdir()
    (tmp_path / "proc").symlink_to("/proc")
    (tmp_path / "loop").symlink_to("loop")
    refused = [
        "recordings",
        "../..",
        "--prune",
        "",
        "/nothing/there",
        "a\0b",
        "/",
        "/proc",
        "/dev/..",
        f"{tmp_path}/proc/1",
    ]
    refused += [f"{tmp_path}/loop", f"{tmp_path}/data", "/" + "x" * 4000, "~nobody-of-this-name/x", "file:///tmp"]
    for folder in refused:
        with pytest.raises(EmorankError):
            checked(folder)
        answer = served.client.post("/api/update", json={"folders": [folder]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_folder"), folder
    assert checked(str(tmp_path / "a" / "..")) == str(tmp_path)
    for asked in ({"folders": ["x" * 4097]}, {"folders": ["/tmp"] * 21}, {"prune": True}):
        assert served.client.post("/api/update", json=asked).status_code == 422
    assert served.client.get("/api/update").json()["state"] == "none"


def test_who_may(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    scopes = {"all": None, "reader": ["search", "listen", "export", "collect"], "keeper": ["search", "index"]}
    rows = [{"name": n, "token": n, **({"scopes": s} if s else {})} for n, s in scopes.items()]
    file.write_text(json.dumps({"tokens": rows}))
    client = TestClient(create_app(served.index, Tokens("own", file)), base_url="http://127.0.0.1:8321")
    for token, allowed in {"own": False, "all": False, "reader": False, "keeper": True, "": False}.items():
        headers = {"Authorization": f"Bearer {token}"}
        expected = 200 if allowed else 403 if token else 401
        for path in ("/api/update", "/api/update/", "/api/update/events"):
            assert client.get(path, headers=headers).status_code == expected, (token, path)
        posted = client.post("/api/update", headers=headers, json={"folders": ["/nothing"]})
        assert posted.status_code == (400 if allowed else expected)
    assert "index" in served.client.get("/api/index").json()["scopes"]
    site = served.client.post("/api/update", json={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert site.status_code == 403


def test_so_many_may_watch(served: Served) -> None:
    app = create_app(served.index)
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        for _ in range(app.state.watchers.value):
            client.portal.call(app.state.watchers.acquire)  # type: ignore[union-attr]
        assert client.get("/api/update/events").status_code == 503
        client.portal.call(app.state.watchers.release)  # type: ignore[union-attr]
        assert len(events(client)) == 1
