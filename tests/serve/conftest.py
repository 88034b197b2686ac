"""A served index: in this process for requests, as a process of its own for browsers and for floods."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import soundfile
from fastapi import FastAPI
from starlette.testclient import TestClient

from emorank.audio import Policy
from emorank.index.named import NamedIndex
from emorank.serve.app import create_app
from emorank.serve.connections import Connections, Server
from emorank.serve.snapshots import ServedIndex
from tests.conftest import voice

SAMPLES = Path(__file__).parents[2] / "samples"


@dataclass(frozen=True)
class Served:
    """An index behind a client."""

    root: Path
    named: NamedIndex
    index: ServedIndex
    client: TestClient


def indexed(root: Path, model: Path | None, name: str = "calls", channels: Policy | None = None) -> NamedIndex:
    table = root.parent / "speakers.csv"
    clips = sorted(root.rglob("*.*"))
    table.write_text(
        "\n".join(["path,speaker", *(f'"{clip}",{"ann" if i % 2 else "ben"}' for i, clip in enumerate(clips))])
    )
    named = NamedIndex.made(name, [str(root)], None if model is None else str(model), channels)
    named.update()
    from emorank.corpora import read_table

    named.keep_labels(read_table(table))
    return named


def eight(root: Path) -> None:
    """Eight recordings, one of them long, one in a format that browsers do not play."""
    for i in range(6):
        soundfile.write(root / f"clip{i:03d}.wav", voice(0.6 + 0.1 * (i % 3), 110 + 15 * i, i), 16_000)
    shutil.copy(SAMPLES / "story-ben.ogg", root / "long.ogg")
    soundfile.write(root / "old.aiff", voice(1.2, 180), 16_000)


@contextmanager
def serving(
    home: Path, model: Path, fill: Callable[[Path], None] = eight, channels: Policy | None = None
) -> Iterator[Served]:
    """An index of what `fill` writes into a folder, behind a client."""
    root = home / "recordings"
    root.mkdir()
    fill(root)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EMORANK_DATA", str(home / "data"))
        named = indexed(root, model, channels=channels)
    index = ServedIndex(named)
    with TestClient(create_app(index), base_url="http://127.0.0.1:8321") as client:
        yield Served(root, named, index, client)


@pytest.fixture(scope="package")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An index that tests only read."""
    with serving(tmp_path_factory.mktemp("served"), tiny_model) as one:
        yield one


@pytest.fixture
def changing(tiny_model: Path, tmp_path: Path) -> Iterator[Served]:
    """An index of a test's own."""
    with serving(tmp_path, tiny_model) as one:
        yield one


@contextmanager
def listening(app: FastAPI, connections: Connections) -> Iterator[int]:
    """An app behind real connections, in this process; gives its port."""
    running = Server(app, connections)
    running.config.port, running.config.lifespan = 0, "off"
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield running.servers[0].sockets[0].getsockname()[1]
    finally:
        running.force_exit = running.should_exit = True
        thread.join(20)


class Client:
    """A client that does what it likes."""

    def __init__(self, port: int, first: bytes = b"") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 5)
        self.send(first)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, seconds: float = 5.0) -> bytes:
        """A whole answer, or the next piece of one without a length; nothing where the server hangs up."""
        self.socket.settimeout(seconds)
        data = b""
        try:
            while piece := self.socket.recv(100_000):
                data += piece
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head)
                if length is None or len(body) >= int(length[1]):
                    break
        except ConnectionError:
            return b""
        return data

    def hung_up(self, seconds: float) -> bool:
        """Whether the server hangs up within a time, whatever it says before."""
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                if self.answer(until - time.monotonic()) == b"":
                    return True
        except TimeoutError:
            pass
        return False


def head(path: str, length: int | None, method: str = "POST") -> bytes:
    """The beginning of a request; a length of None announces chunks."""
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{size}\r\n\r\n".encode()


@contextmanager
def server(name: str, *options: str, descriptors: int | None = None) -> Iterator[str]:
    """emorank serve as a process, which may have so many files open; gives its address."""
    command = [sys.executable, "-m", "emorank", "serve", name, "--no-browser", "--port", "0", *options]
    limited = ["bash", "-c", f'ulimit -n {descriptors}; exec "$@"', "bash"] if descriptors else []
    process = subprocess.Popen([*limited, *command], stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"at (http://\S+)", line)
            if found:
                # What it says later must not fill the pipe, or it would wait for us; a failing test shows it.
                threading.Thread(target=sys.stderr.writelines, args=(process.stderr,), daemon=True).start()
                yield found[1]
                break
        else:
            raise AssertionError("the server did not start")
    finally:
        process.terminate()
        process.wait(timeout=20)


def started_last() -> int:
    """The process that was started last."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return max(int(pid) for task in tasks for pid in (task / "children").read_text().split())


def memory(pid: int) -> int:
    """The most memory that a process has held, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0
