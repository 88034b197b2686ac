"""Tokens: what can be one, what each allows, and that taking one away takes effect."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emorank.errors import EmorankError
from emorank.index.segments import recording_id
from emorank.serve import tokens as module
from emorank.serve.app import create_app
from emorank.serve.tokens import ALL, Tokens, hashed
from tests.serve.conftest import Served, server
from tests.serve.test_access import audio_of

TABLE = f"""
[[tokens]]
name = "ann"
token = "ann-s3cret"

[[tokens]]
name = "ben"
sha256 = "{hashed("ben-s3cret").upper()}"
scopes = ["search"]

[[tokens]]
name = "player"
token = "player.s3cret"
scopes = ["listen"]
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_LOOK", 0.0)
    path = tmp_path / "tokens.toml"
    path.write_text(TABLE)
    return path


def shown(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_each_token_has_its_scopes(file: Path) -> None:
    tokens = Tokens("own~one", file)
    assert tokens.scopes_of("own~one") == tokens.scopes_of("ann-s3cret") == ALL
    assert tokens.scopes_of("ben-s3cret") == {"search"}
    assert tokens.scopes_of("player.s3cret") == {"listen"}
    for stranger in ("", "ann", "ann-s3cret ", hashed("ben-s3cret"), "\udcff", "é" * 1000):
        assert tokens.scopes_of(stranger) == frozenset()


def test_a_scope_is_what_can_be_asked(served: Served, file: Path) -> None:
    audio = audio_of(served, "clip001.wav")
    one = audio.removesuffix("/audio")
    whole = f"/api/recordings/{recording_id(str(served.root / 'clip001.wav'))}"
    asked: dict[str, tuple[str, ...]] = {
        "search": (
            "/api/index",
            "/api/plane",
            "/api/metrics",
            one,
            f"{one}/timeline",
            f"{one}/waveform",
            whole,
            f"{whole}/course",
        ),
        "listen": (audio, f"{one}/clip", f"{one}/clip?format=flac", f"{whole}/sound?end=0.5"),
        "export": ("/api/segments", "/api/segments?limit=200"),
    }
    allowed = {"ann-s3cret": ALL, "ben-s3cret": {"search"}, "player.s3cret": {"listen"}, "nobody": set()}
    app = create_app(served.index, Tokens(None, file), hosts=None)
    with TestClient(app, base_url="http://calls.example") as client:
        for token, scopes in allowed.items():
            assert client.get("/api/health", headers=shown(token)).status_code == (200 if scopes else 401)
            for scope, paths in asked.items():
                for path in paths:
                    response = client.get(path, headers=shown(token))
                    assert response.status_code == (200 if scope in scopes else 403 if scopes else 401), (token, path)
                    if response.status_code == 403:
                        assert response.json()["error"]["code"] == "not_allowed"
                        assert scope in response.json()["error"]["message"]
            status = client.post("/api/search", json={"texts": [{"text": "a"}]}, headers=shown(token)).status_code
            assert status == (200 if "search" in scopes else 403 if scopes else 401)
            if "search" in scopes:
                assert client.get("/api/index", headers=shown(token)).json()["scopes"] == sorted(scopes)
            chosen = {"ids": [one.rpartition("/")[2]]}
            for path, needed in (("/api/lists", {"export"}), ("/api/clips", {"listen", "export"})):
                response = client.post(path, json=chosen, headers=shown(token))
                assert response.status_code == (200 if needed <= scopes else 403 if scopes else 401), (token, path)


def test_a_token_that_is_taken_away_is_of_no_use(
    served: Served, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = create_app(served.index, Tokens(None, file), hosts=None)
    with TestClient(app, base_url="http://calls.example") as client:

        def status(token: str) -> int:
            return client.get("/api/health", headers=shown(token)).status_code

        assert client.get("/?token=ann-s3cret").status_code == 200  # keeps it in a cookie
        assert client.get("/api/health").status_code == 200
        file.write_text(TABLE.replace("ann-s3cret", "ann-s3cret-2"))
        assert (status("ann-s3cret"), status("ann-s3cret-2"), client.get("/api/health").status_code) == (401, 200, 401)
        file.write_text("[[tokens]]\nname = 'ann'\n")
        assert (status("ann-s3cret-2"), status("ben-s3cret")) == (401, 401)
        assert "none of its tokens holds" in capsys.readouterr().err
        assert status("ben-s3cret") == 401
        assert capsys.readouterr().err == ""  # said once
        file.unlink()
        assert status("ben-s3cret") == 401
        json_file = file.with_suffix(".new")
        json_file.write_text(TABLE)
        os.replace(json_file, file)
        assert status("ben-s3cret") == 200


def test_it_is_looked_at_once_a_second(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.3)
    tokens = Tokens(None, file)
    file.write_text("tokens = []\n")
    assert tokens.scopes_of("ann-s3cret") == ALL
    time.sleep(0.35)
    assert tokens.scopes_of("ann-s3cret") == frozenset()


def test_json_will_do(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"tokens": [{"name": "ann", "token": "abc", "scopes": ["export"]}]}))
    assert Tokens(None, path).scopes_of("abc") == {"export"}


WRONG = {
    "no table": "= what",
    "another field": "[[token]]\nname = 'a'\ntoken = 'b'",
    "neither": "[[tokens]]\nname = 'a'",
    "both": f"[[tokens]]\nname = 'a'\ntoken = 'b'\nsha256 = '{hashed('b')}'",
    "an unknown scope": "[[tokens]]\nname = 'a'\ntoken = 'b'\nscopes = ['all']",
    "a space": "[[tokens]]\nname = 'a'\ntoken = 'b c'",
    "a short hash": "[[tokens]]\nname = 'a'\nsha256 = 'abc'",
    "no name": "[[tokens]]\nname = ''\ntoken = 'b'",
    "a number": "tokens = 3",
}


@pytest.mark.parametrize("kind", WRONG)
def test_mistakes_in_the_file_are_one_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(WRONG[kind])
    with pytest.raises(EmorankError) as error:
        Tokens(None, path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(EmorankError, match=r"cannot be read \(No such file"):
        Tokens(None, tmp_path / "nothing.toml")


@pytest.mark.parametrize("token", ["a b", "ä", "a/b", "a;b", 'a"b', "a%20b", "a\n", "", "x" * 201])
def test_only_what_needs_no_quoting_is_a_token(token: str) -> None:
    with pytest.raises(EmorankError, match="letters, digits"):
        Tokens(token)


def test_the_command_takes_a_file(
    served: Served, file: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Callable[..., None]
) -> None:
    import httpx2

    monkeypatch.setenv("EMORANK_DATA", str(served.root.parent / "data"))
    with server("calls", "--tokens", str(file)) as address:
        assert "token" not in address  # none is made up
        with httpx2.Client(base_url=address) as client:
            assert client.get("/api/index").status_code == 401
            assert client.get("/api/index", headers=shown("ben-s3cret")).status_code == 200
            file.write_text(TABLE.replace(hashed("ben-s3cret").upper(), hashed("another")))
            time.sleep(1.2)
            assert client.get("/api/index", headers=shown("ben-s3cret")).status_code == 401
