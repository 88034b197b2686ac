"""Who may ask, and that nothing but the indexed recordings can be read."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.serve.app import create_app
from emorank.serve.tokens import Tokens
from tests.conftest import voice
from tests.serve.conftest import Served


@pytest.fixture
def locked(served: Served) -> Iterator[TestClient]:
    with TestClient(create_app(served.index, Tokens("s3cret"), hosts=None), base_url="http://calls.example") as client:
        yield client


def audio_of(served: Served, file: str) -> str:
    page = served.client.get("/api/segments", params={"where": f"file = '{file}'"}).json()
    return f"/api/segments/{page['segments'][0]['id']}/audio"


def test_every_answer_has_strict_headers(served: Served) -> None:
    for path in ("/", "/static/page.js", "/api/health", "/api/segments/zz", "/nowhere", "/openapi.json"):
        headers = served.client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'"), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_the_page_needs_nothing_inline() -> None:
    page = (Path(create_app.__code__.co_filename).parent / "page" / "index.html").read_text()
    assert "<style" not in page
    assert "style=" not in page
    assert "onclick" not in page
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)
    assert scripts
    assert set(scripts) == {""}
    assert len(re.findall(r'<script[^>]* src="static/', page)) == len(scripts)
    assert "http" not in page


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8321", "", "[::1", "a@b"])
def test_other_names_are_refused(served: Served, host: str) -> None:
    response = served.client.get("/api/index", headers={"Host": host})
    assert (response.status_code, response.json()["error"]["code"]) == (403, "wrong_host")


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost", "LOCALHOST:99", "[::1]:8321"])
def test_own_names_are_answered(served: Served, host: str) -> None:
    assert served.client.get("/api/health", headers={"Host": host}).status_code == 200


def test_other_sites_are_refused(served: Served) -> None:
    asked = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert served.client.get("/api/index", headers=asked).status_code == 403
    assert served.client.post("/api/locate", content=b"x", headers=asked).status_code == 403
    assert served.client.get("/", headers=asked).status_code == 200
    assert served.client.options("/api/search", headers={"Origin": "https://evil.example"}).status_code == 405


def test_a_token_opens_everything(locked: TestClient) -> None:
    for path in ("/api/health", "/api/index", "/api/plane", "/api/metrics", "/api/segments"):
        assert locked.get(path).status_code == 401, path
        assert locked.get(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert locked.get(path, headers={"Authorization": "Bearer s3cret"}).status_code == 200
    assert locked.get("/api/health").headers["www-authenticate"] == "Bearer"
    assert locked.get("/").status_code == 200  # the page itself tells nothing
    assert locked.get("/?token=wrong", follow_redirects=False).cookies == {}
    assert locked.get("/api/health").status_code == 401
    opened = locked.get("/?token=s3cret", follow_redirects=False)
    assert (opened.status_code, opened.headers["location"]) == (303, "./")
    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "SameSite=strict" in opened.headers["set-cookie"]
    assert locked.get("/api/health").status_code == 200


@pytest.mark.parametrize("cookie", ["emorank_token=", "emorank_token=s3cre", "=;;=\x01", "a" * 5000, 'emorank_token="'])
def test_odd_cookies_open_nothing(locked: TestClient, cookie: str) -> None:
    assert locked.get("/api/health", headers={"Cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/api/segments/../../etc/passwd",
        "/api/segments/..%2f..%2fetc%2fpasswd/audio",
        "/api/segments/%2Fetc%2Fpasswd/audio",
        "/api/segments/0000000000000000/audio",
        "/api/segments/0000000000000000%00/audio",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/access.py",
        "/static//etc/passwd",
        "/docs",
        "/redoc",
    ],
)
def test_paths_lead_nowhere(served: Served, path: str) -> None:
    response = served.client.get(path)
    assert response.status_code in (404, 405, 422)
    assert "root:" not in response.text
    assert "import" not in response.text


def test_a_recording_in_whose_place_something_else_lies_is_not_served(changing: Served, tmp_path: Path) -> None:
    served = changing
    secret = tmp_path / "secret.wav"
    clip = served.root / "clip001.wav"
    url = audio_of(served, "clip001.wav")
    assert served.client.get(url).status_code == 200
    status = clip.stat()
    content = clip.read_bytes()

    secret.write_bytes(bytes(reversed(content)))  # of the same size and time
    os.utime(secret, ns=(status.st_atime_ns, status.st_mtime_ns))
    clip.unlink()
    clip.symlink_to(secret)
    response = served.client.get(url)
    assert (response.status_code, response.json()["error"]["code"]) == (410, "changed")

    clip.unlink()
    clip.symlink_to("/etc/passwd")
    assert served.client.get(url).status_code == 410
    clip.unlink()
    os.mkfifo(clip)
    assert served.client.get(url).json()["error"]["code"] == "gone"
    clip.unlink()
    clip.mkdir()
    assert served.client.get(url).json()["error"]["code"] == "gone"
    clip.rmdir()
    response = served.client.get(url)
    assert (response.status_code, response.json()["error"]["code"]) == (404, "gone")
    clip.write_bytes(content)  # the same content again is the same recording
    assert served.client.get(url).content == content


def test_links_that_were_indexed_are_served(changing: Served, recordings: Callable[..., Path], tmp_path: Path) -> None:
    served = changing
    elsewhere = recordings(1, "elsewhere") / "clip000.wav"
    (served.root / "linked.wav").symlink_to(elsewhere)
    served.named.update()
    served.index.renew()
    url = audio_of(served, "linked.wav")
    assert served.client.get(url).content == elsewhere.read_bytes()
    soundfile.write(elsewhere, voice(0.8, 333), 16_000)
    assert served.client.get(url).status_code == 410


def test_no_descriptor_is_left_open(changing: Served) -> None:
    served = changing
    url = audio_of(served, "long.ogg")
    served.client.get(url)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(30):
        served.client.get(url, headers={"Range": "bytes=5-100"})
        served.client.get(url, headers={"Range": "bytes=999999999-"})
        with served.client.stream("GET", url):
            pass  # goes away without reading
    shutil.move(served.root / "long.ogg", served.root / "gone.ogg")
    for _ in range(30):
        served.client.get(url)
    assert (len(os.listdir("/proc/self/fd")) if before else 0) <= before + 2
