"""Behind a proxy: under any prefix, whether or not the proxy takes it away, and whom it may speak for."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from emorank.cli.serve import serve
from emorank.errors import EmorankError
from emorank.serve.app import create_app
from emorank.serve.proxies import checked_prefix
from emorank.serve.tokens import Tokens
from tests.serve.conftest import Served

BASE = "http://127.0.0.1:8321"


@pytest.fixture
def behind(served: Served) -> Callable[..., TestClient]:
    def make(client: str = "127.0.0.1", **options: object) -> TestClient:
        return TestClient(create_app(served.index, **options), base_url=BASE, client=(client, 50_000))

    return make


def test_the_page_names_nothing_at_the_root() -> None:
    folder = Path(create_app.__code__.co_filename).parent / "page"
    for file in folder.iterdir():
        text = file.read_text()
        assert not re.search(r"""(?:src|href|url\()=?["'(]?/\w""", text), file.name
        assert not re.search(r"""["'`]/(?:api|static|\?)""", text), file.name


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/api/health", "/openapi.json"])
def test_a_prefix_may_be_taken_away_or_not(behind: Callable[..., TestClient], path: str) -> None:
    client = behind(root_path="/tools/emo")
    whole, taken = client.get(f"/tools/emo{path}"), client.get(path)
    assert (whole.status_code, whole.content) == (taken.status_code, taken.content) == (200, whole.content)


def test_the_document_says_where_the_api_is(behind: Callable[..., TestClient]) -> None:
    assert "servers" not in behind().get("/openapi.json").json()
    assert behind(root_path="/emo").get("/openapi.json").json()["servers"] == [{"url": "/emo"}]
    told = {"X-Forwarded-Prefix": "/told/here/"}
    assert behind().get("/openapi.json", headers=told).json()["servers"] == [{"url": "/told/here"}]
    assert behind(root_path="/emo").get("/openapi.json", headers=told).json()["servers"] == [{"url": "/told/here"}]


def test_strangers_tell_nothing(behind: Callable[..., TestClient]) -> None:
    told = {"X-Forwarded-Prefix": "/told"}
    assert "servers" not in behind("192.0.2.7").get("/openapi.json", headers=told).json()
    assert behind("192.0.2.7").get("/told/api/health", headers=told).status_code == 404
    trusted = behind("192.0.2.7", proxies=["192.0.2.0/24"])
    assert trusted.get("/told/api/health", headers=told).status_code == 200
    assert "servers" not in behind(proxies=["192.0.2.0/24"]).get("/openapi.json", headers=told).json()


ODD = ["//evil.example", "/a b", "https://evil.example", "/../..", "/<script>", "/%2f", "x"]


@pytest.mark.parametrize("prefix", ODD)
def test_odd_prefixes_are_no_prefixes(behind: Callable[..., TestClient], prefix: str) -> None:
    response = behind().get("/openapi.json", headers={"X-Forwarded-Prefix": prefix})
    assert (response.status_code, "servers" in response.json()) == (200, False)


def test_the_folder_alone_leads_into_it(behind: Callable[..., TestClient]) -> None:
    response = behind(root_path="/tools/emo").get("/tools/emo", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "emo/")
    assert behind(root_path="/tools/emo").get("/tools/emo").url.path == "/tools/emo/"


def test_a_token_stays_under_the_prefix(behind: Callable[..., TestClient]) -> None:
    client = behind(tokens=Tokens("s3cret"), root_path="/emo")
    opened = client.get("/emo/?token=s3cret", follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, "./")
    assert "path" not in opened.headers["set-cookie"].lower()  # of the folder that was asked for, as browsers do it
    assert "secure" not in opened.headers["set-cookie"].lower()
    assert client.get("/emo/api/health").status_code == 200
    secure = client.get("/emo/?token=s3cret", follow_redirects=False, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in secure.headers["set-cookie"]


@pytest.mark.parametrize(
    ("given", "used"),
    [("", ""), ("/", ""), ("emo", "/emo"), ("/emo/", "/emo"), ("/a/b.c", "/a/b.c")],
)
def test_prefixes_are_read_as_people_write_them(given: str, used: str) -> None:
    assert checked_prefix(given) == used


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"root_path": "/api"}, "'/api' cannot be the path"),
        ({"root_path": "/a b"}, "'/a b' cannot be the path"),
        ({"proxy": ["10.0.0.7", "caddy"]}, "'caddy' is no address of a proxy"),
        ({"token": "a b"}, "A token is made of letters"),
        ({"tokens": Path("nothing.toml")}, "nothing.toml: the tokens cannot be read"),
        ({"port": 70_000}, "There is no index 'nothing'"),
    ],
)
def test_mistakes_are_one_sentence_before_anything_is_loaded(options: dict[str, Any], said: str) -> None:
    with pytest.raises(EmorankError, match=re.escape(said)):
        serve("nothing", browser=False, **options)
