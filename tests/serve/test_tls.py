"""Behind real proxies with TLS, as docs/serving.md shows them; each is skipped where it is not installed."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from emorank.serve.access import LOOPBACK
from emorank.serve.app import create_app
from emorank.serve.connections import Connections
from emorank.serve.tokens import Tokens
from tests.serve.conftest import Served, listening
from tests.serve.test_access import audio_of
from tests.serve.test_uploads import clip

GUIDE = Path(__file__).parents[2] / "docs" / "serving.md"
NAME = "emo.example"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def shown(kind: str, server: int) -> str:
    """The example of the guide, before a server at another port."""
    (example,) = re.findall(rf"```{kind}\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert "127.0.0.1:8321" in example
    return example.replace("127.0.0.1:8321", f"127.0.0.1:{server}")


def caddy(folder: Path, server: int, port: int) -> list[str]:
    example = shown("caddy", server).replace(f"{NAME} {{", f"{NAME}:{port} {{\n\ttls internal\n\tbind 127.0.0.1", 1)
    options = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system store\n}\n"
    (folder / "Caddyfile").write_text(options + example)
    return ["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"]


def nginx(folder: Path, server: int, port: int) -> list[str]:
    key = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key", "-out", "cert"]
    subprocess.run([*key, "-days", "2", "-subj", f"/CN={NAME}"], cwd=folder, check=True, capture_output=True)
    example = shown("nginx", server).replace("listen 443", f"listen 127.0.0.1:{port}")
    example = example.replace(f"/etc/ssl/{NAME}.pem", f"{folder}/cert").replace(f"/etc/ssl/{NAME}.key", f"{folder}/key")
    places = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root; " if os.geteuid() == 0 else ""  # who may write into this folder
    options = f"{user}daemon off; pid {folder}/pid; error_log stderr; events {{}}"
    (folder / "nginx.conf").write_text(f"{options} http {{ access_log off; {places} {example} }}")
    return [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


@contextmanager
def proxied(command: list[str], folder: Path, port: int) -> Iterator[httpx2.Client]:
    process = subprocess.Popen(
        command, cwd=folder, stderr=subprocess.PIPE, env={"HOME": str(folder), "PATH": "/usr/bin"}
    )
    client = httpx2.Client(base_url=f"https://127.0.0.1:{port}", verify=False, headers={"Host": NAME}, timeout=30)
    try:
        for _ in range(200):
            try:
                client.get("/", extensions={"sni_hostname": NAME})
                break
            except httpx2.TransportError:
                assert process.poll() is None, process.stderr.read() if process.stderr else ""
                time.sleep(0.1)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(20)


@pytest.mark.parametrize("configured", [caddy, nginx], ids=lambda made: made.__name__)
def test_the_examples_of_the_guide(
    served: Served, tmp_path: Path, configured: Callable[[Path, int, int], list[str]]
) -> None:
    name = configured.__name__
    if not (shutil.which(name) or Path(f"/usr/sbin/{name}").exists()) or not shutil.which("openssl"):
        pytest.skip(f"{name} is not installed")
    app = create_app(served.index, Tokens("s3cret"), LOOPBACK | {NAME})
    sni = {"sni_hostname": NAME}
    token = {"Authorization": "Bearer s3cret"}
    port = free_port()
    with (
        listening(app, Connections(100)) as server,
        proxied(configured(tmp_path, server, port), tmp_path, port) as client,
    ):
        assert client.get("/emo/api/health", extensions=sni).status_code == 401
        assert client.get("/emo/api/health", extensions=sni, headers=token).json()["status"] == "ok"
        page = client.get("/emo/", extensions=sni)
        for address in re.findall(r'(?:src|href)="(static/[^"]+)"', page.text):
            assert client.get(f"/emo/{address}", extensions=sni).status_code == 200, address
        assert client.get("/emo/openapi.json", extensions=sni).json()["servers"] == [{"url": "/emo"}]
        opened = client.get("/emo/?token=s3cret", extensions=sni)
        assert (opened.status_code, opened.headers["location"]) == (303, "./")
        assert "Secure" in opened.headers["set-cookie"]
        audio = client.get(
            f"/emo{audio_of(served, 'long.ogg')}", extensions=sni, headers={**token, "Range": "bytes=10-19"}
        )
        assert (audio.status_code, audio.content) == (206, (served.root / "long.ogg").read_bytes()[10:20])
        assert client.post("/emo/api/locate", content=clip(), extensions=sni, headers=token).status_code == 200
        other = client.get("/emo/api/health", extensions=sni, headers={**token, "Host": "evil.example"})
        assert not (other.status_code == 200 and "status" in other.text)
