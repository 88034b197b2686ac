"""A real HTTP server on loopback that speaks what the hub's own client asks of it, and fails on command."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Hub:
    """Checkpoints by their id, each the folder with its files.

    Attributes:
        checkpoints: what there is.
        gated: ids whose terms have to be accepted first.
        cut: names of files whose download breaks off half way.
        asked: the paths of all requests.
    """

    def __init__(self) -> None:
        self.checkpoints: dict[str, Path] = {}
        self.gated: set[str] = set()
        self.cut: set[str] = set()
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes, bool]:
        """Status, headers, body, and whether to break off."""
        self.asked.append(path)
        parts = path.partition("?")[0].strip("/").split("/")
        api = parts[:2] == ["api", "models"]
        parts = parts[2:] if api else parts
        source = "/".join(parts[:2])
        folder = self.checkpoints.get(source)
        if folder is None:
            return 404, {"X-Error-Code": "RepoNotFound"}, b"", False
        files = {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}
        states = "".join(f"{name}{file.stat().st_mtime_ns}" for name, file in files.items())
        commit = hashlib.sha1(states.encode()).hexdigest()
        if api and parts[2] == "revision":
            return 200, {}, json.dumps({"id": source, "sha": commit, "siblings": []}).encode(), False
        if source in self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b"", False
        if api:
            sizes = {name: file.stat().st_size for name, file in files.items()}
            tree = [{"type": "file", "path": name, "size": size, "oid": "0"} for name, size in sizes.items()]
            return 200, {}, json.dumps(tree).encode(), False
        body = files["/".join(parts[4:])].read_bytes()
        etag = hashlib.sha256(body).hexdigest()
        return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": commit}, body, parts[-1] in self.cut


@pytest.fixture
def loopback_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub of one's own with an empty cache, which the hub's client takes for the real one."""
    from huggingface_hub import constants

    from emorank import hub as downloader

    served = Hub()
    with _running(served) as url:
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub-cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        downloader._downloaded.cache_clear()
        yield served
    downloader._downloaded.cache_clear()


@contextmanager
def _running(served: Hub) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._send(with_body=False)

        def do_GET(self) -> None:
            self._send(with_body=True)

        def _send(self, with_body: bool) -> None:
            status, headers, body, cut = served.answer(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if with_body:
                self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = True

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
