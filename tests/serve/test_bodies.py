"""Bodies are taken in no larger and no slower than allowed, and failures are answers like all others."""

import os
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from emorank.serve.app import create_app
from emorank.serve.connections import Connections
from emorank.serve.limits import Limits
from tests.serve.conftest import Client, Served, head, listening, memory, server, started_last
from tests.serve.test_uploads import clip

JSON = {"Content-Type": "application/json"}


def pieces(size: int, piece: int = 10_000) -> Iterator[bytes]:
    """A body without a length, that must not be needed whole."""
    for _ in range(size // piece):
        yield b" " * piece


@pytest.mark.parametrize("path", ["/api/search", "/api/search/clip", "/api/locate", "/api/health", "/nowhere"])
@pytest.mark.parametrize("declared", [True, False])
def test_larger_bodies_are_refused(served: Served, path: str, declared: bool) -> None:
    limits = Limits()
    most = limits.upload_bytes if path in ("/api/search/clip", "/api/locate") else limits.query_bytes
    assert limits.query_bytes == 256 * 1024
    assert limits.upload_bytes == 32 * 1024 * 1024
    size = most + 10_000
    content = b" " * size if declared else pieces(size)
    response = served.client.post(path, content=content, headers=JSON)
    if path.startswith("/api/health") or path == "/nowhere":
        assert response.status_code in ((413,) if declared else (404, 405))
        return
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")
    assert str(most) in response.json()["error"]["message"]


def test_a_query_of_the_allowed_size_is_answered(served: Served) -> None:
    body = b'{"texts": [{"text": "calm"}]}'
    response = served.client.post("/api/search", content=body + b" " * (Limits().query_bytes - len(body)), headers=JSON)
    assert response.status_code == 200


@pytest.mark.parametrize("length", ["-1", "a", "1e3", "9" * 30])
def test_odd_lengths_are_refused(served: Served, length: str) -> None:
    response = served.client.post("/api/search", content=pieces(10_000), headers={**JSON, "Content-Length": length})
    assert response.status_code == 413


@pytest.mark.parametrize("path", ["/api/search", "/api/locate"])
def test_slow_bodies_are_refused(served: Served, path: str) -> None:
    limits = Limits(query_seconds=0.4, upload_seconds=0.4)
    with listening(create_app(served.index, limits=limits), Connections(10)) as port:
        client = Client(port, head(path, 99))
        begun = time.monotonic()
        for _ in range(3):
            time.sleep(0.1)
            client.send(b"{")
        answer = client.answer()
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"too_slow"' in answer
        assert 0.3 < time.monotonic() - begun < 3


def test_eight_uploads_are_received_at_once(served: Served) -> None:
    wave = clip()
    with listening(create_app(served.index), Connections(100)) as port:
        uploads = [Client(port, head("/api/locate", len(wave)) + wave[:1000]) for _ in range(Limits().uploads)]
        time.sleep(0.3)
        for _ in range(3):
            ninth = Client(port, head("/api/locate", len(wave)) + wave[:1000])
            refused = ninth.answer()
            assert refused.startswith(b"HTTP/1.1 503")
            assert b"retry-after: 3" in refused
            ninth.socket.close()
        query = b'{"texts": [{"text": "calm"}]}'
        assert Client(port, head("/api/search", len(query)) + query).answer().startswith(b"HTTP/1.1 200")
        for upload in uploads:
            upload.send(wave[1000:])
        assert all(upload.answer(30).startswith(b"HTTP/1.1 200") for upload in uploads)
        assert Client(port, head("/api/locate", len(wave)) + wave).answer(30).startswith(b"HTTP/1.1 200")


def test_uploads_that_wait_do_not_fill_the_disk(served: Served) -> None:
    wave = clip()
    app = create_app(served.index, limits=Limits(uploads=2, upload_bytes=len(wave)))
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        app.state.uploads._held = 2 * len(wave)
        response = client.post("/api/locate", content=wave)
        assert (response.status_code, response.headers["retry-after"]) == (503, "3")
        app.state.uploads._held = 0
        for _ in range(5):
            assert client.post("/api/locate", content=wave).status_code == 200
        assert app.state.uploads._held == 0


def test_a_failure_is_an_answer_like_all_others(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    app = create_app(served.index)

    @app.get("/api/broken")
    def broken() -> None:
        raise RuntimeError("a secret of the server")

    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        response = client.get("/api/broken")
        assert (response.status_code, response.json()["error"]["code"]) == (500, "internal")
        assert "secret" not in response.text
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-security-policy"].startswith("default-src 'none'")
        families = text_string_to_metric_families(client.get("/api/metrics").text)
    counted = {
        (sample.labels["route"], sample.labels["status"])
        for family in families
        for sample in family.samples
        if sample.name == "emorank_requests_total"
    }
    assert ("/api/broken", "500") in counted
    assert "a secret of the server" in caplog.text


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
@pytest.mark.parametrize("path", ["/api/search", "/api/locate"])
def test_a_body_without_end_takes_no_memory(served: Served, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """1 GB with EMORANK_FLOOD; the suite sends 100 MB."""
    size = 1_000_000_000 if "EMORANK_FLOOD" in os.environ else 100_000_000
    monkeypatch.setenv("EMORANK_DATA", str(served.root.parent / "data"))
    with server("calls") as address:
        port = urlsplit(address).port or 0
        pid = started_last()
        wave = clip()
        assert (
            Client(port, head("/api/locate", len(wave)) + wave).answer(180).startswith(b"HTTP/1.1 200")
        )  # it has loaded what it loads
        before = memory(pid)
        client = Client(port, head(path, None))
        client.socket.settimeout(30)
        piece = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
        sent = 0
        try:
            while sent < size:
                client.send(piece)
                sent += 1_000_000
        except (ConnectionError, TimeoutError):
            assert sent > 32_000_000  # it may hang up on who goes on for long
        assert memory(pid) - before < 50_000_000
        assert Client(port, head("/api/locate", len(wave)) + wave).answer(180).startswith(b"HTTP/1.1 200")
