"""What is compressed, what is not, and what caches are told."""

import gzip
import re
from pathlib import Path

import httpx2
import pytest

from emorank.serve.routes.page import FOLDER
from tests.serve.conftest import Served

PAGE = 400_000  # bytes that a first visit may take, compressed
ASKED = {"texts": [{"text": "calm"}], "top": 20}


def sent(served: Served, path: str, accepted: str = "gzip, deflate, br, zstd", **headers: str) -> httpx2.Response:
    return served.client.get(path, headers={"Accept-Encoding": accepted, **headers})


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/static/page.css", "/api/index", "/openapi.json"])
def test_text_is_compressed_for_who_takes_it(served: Served, path: str) -> None:
    plain = sent(served, path, "identity")
    packed = sent(served, path)
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)
    for answer in (plain, packed):
        assert answer.headers["vary"] == "Accept-Encoding"
    for accepted in ("", "identity", "br", "gzip;q=0", "gzip; q=0.0", "*;q=0", "x-gzip"):
        assert "content-encoding" not in sent(served, path, accepted).headers
    for accepted in ("gzip;q=0.5", "br, GZIP", "gzip;q=1.0"):
        assert sent(served, path, accepted).headers["content-encoding"] == "gzip"


def test_an_answer_to_a_search_is_compressed(served: Served) -> None:
    packed = served.client.post("/api/search", json=ASKED, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json()["hits"]


def test_sound_zips_and_the_plane_are_sent_as_they_are(served: Served) -> None:
    id = served.client.post("/api/search", json=ASKED).json()["hits"][0]["id"]
    answers = [sent(served, path) for path in (f"/api/segments/{id}/audio", f"/api/segments/{id}/clip", "/api/plane")]
    answers.append(served.client.post("/api/clips", json={"ids": [id]}, headers={"Accept-Encoding": "gzip"}))
    for answer in answers:
        assert answer.status_code == 200
        assert "content-encoding" not in answer.headers
        assert "vary" not in answer.headers


def test_a_compressed_page_has_a_weak_tag_and_is_not_sent_twice(served: Served) -> None:
    path = "/static/page.js"
    strong = sent(served, path, "identity").headers["etag"]
    weak = sent(served, path).headers["etag"]
    assert (strong[0], weak) == ('"', f"W/{strong}")
    for tag in (strong, weak):
        again = sent(served, path, **{"If-None-Match": tag})
        assert again.status_code == 304
        assert again.headers["vary"] == "Accept-Encoding"
    part = sent(served, path, Range="bytes=0-9")
    assert (part.status_code, len(part.content)) == (206, 10)
    assert "content-encoding" not in part.headers


def test_small_answers_and_refusals_are_not_worth_it(served: Served) -> None:
    assert "content-encoding" not in sent(served, "/api/health").headers
    refused = sent(served, "/api/segments/0123456789abcdef")
    assert refused.status_code == 404
    assert "content-encoding" not in refused.headers
    head = served.client.head("/static/page.js", headers={"Accept-Encoding": "gzip"})
    assert head.headers["content-encoding"] == "gzip"
    assert head.content == b""


def test_the_whole_page_is_small() -> None:
    packed = {
        path.name: len(gzip.compress(path.read_bytes(), 5)) for path in sorted(FOLDER.rglob("*")) if path.is_file()
    }
    assert sum(packed.values()) < PAGE, packed


@pytest.mark.parametrize(("page", "module"), [("index.html", "page.js"), ("recording.html", "recording.js")])
def test_every_module_is_fetched_at_once(page: str, module: str) -> None:
    """A page names all of its modules, so that no module has to come before another is asked for."""
    named = re.findall(r'<link rel="modulepreload" href="(?:../)?static/([^"]+)">', (FOLDER / page).read_text("utf8"))
    assert len(named) == len(set(named))
    assert set(named) == imported(FOLDER / module) - {module}


def imported(start: Path) -> set[str]:
    """The modules that a module needs before it runs, with itself."""
    found, left = set(), [start]
    while left:
        path = left.pop()
        name = path.relative_to(FOLDER).as_posix()
        if name not in found:
            found.add(name)
            text = path.read_text("utf8")
            left += [
                path.parent / other for other in re.findall(r'^(?:import|export)\b[^;]*?"(\./[^"]+)";', text, re.M)
            ]
    return found
