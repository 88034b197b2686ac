"""How long searches take at the API while several clients ask at once, each as soon as it was answered.

.venv/bin/python benchmarks/serving.py INDEX [CLIENTS] [SECONDS] [SERVER ...]

INDEX is a name known to emorank index. Every question is a description that was not asked before. The clients share the
machine with the server, so they do as little as they can: one process, one connection each, raw bytes. SERVER is
emorank (as it is served), or uvicorn, hypercorn, granian (where installed, as they come) with the same application, one
after the other. Processor time a search is what the server's processes used, whatever else the machine does (Linux).
"""

import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emorank.captions.bank import bundled

if TYPE_CHECKING:
    from fastapi import FastAPI

PORT = 8397


def questions() -> Iterator[bytes]:
    """Requests, each with another description."""
    captions = sorted({text for part in ("train", "development", "test") for text in bundled(part).texts})
    order = np.random.default_rng(0).permutation(len(captions))
    for turn in itertools.count():
        for place in order:
            body = json.dumps({"texts": [{"text": captions[place] + turn * " voice"}], "top": 20}).encode()
            head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            yield b"POST /api/search HTTP/1.1\r\n" + head.encode() + body


async def client(asked: Iterator[bytes], until: float) -> list[float]:
    """One connection that is kept, a question after the other; seconds from question to whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    times = []
    while time.monotonic() < until:
        request = next(asked)
        begun = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert length, head
        body = await reader.readexactly(int(length[1]))
        times.append(time.perf_counter() - begun)
        assert head.startswith(b"HTTP/1.1 200"), head
        assert b'"hits":[{' in body
    writer.close()
    return times


def application() -> "FastAPI":
    """What every server serves; the index is named by the environment."""
    from emorank.index.named import NamedIndex
    from emorank.serve.app import create_app
    from emorank.serve.snapshots import ServedIndex

    return create_app(ServedIndex(NamedIndex.open(os.environ["EMORANK_BENCHMARK"])))


def command(server: str, name: str) -> list[str]:
    """How a server is started."""
    factory, port = "benchmarks.serving:application", str(PORT)
    return {
        "emorank": ["-m", "emorank", "serve", name, "--no-browser", "--port", port],
        "uvicorn": ["-m", "uvicorn", "--factory", factory, "--port", port, "--no-access-log"],
        "hypercorn": ["-m", "hypercorn", f"{factory}()", "--bind", f"127.0.0.1:{port}"],
        "granian": ["-m", "granian", "--interface", "asgi", "--factory", factory, "--port", port],
    }[server]


def started(server: str, name: str) -> subprocess.Popen[bytes]:
    """A server that has loaded all that it loads."""
    clip = (Path(__file__).parents[1] / "samples" / "calm-ann-1.ogg").read_bytes()
    environment = {**os.environ, "EMORANK_BENCHMARK": name, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *command(server, name)], stderr=subprocess.DEVNULL, env=environment)
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/api/locate", clip, timeout=120).close()
            return process
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{server} does not start")


def processor_time(pid: int) -> float:
    """Seconds that a process and its children have computed."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return own + sum(map(processor_time, map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())))


async def measure(server: str, pid: int, asked: Iterator[bytes], clients: int, seconds: float) -> None:
    """Print a row of latencies."""
    computed = processor_time(pid)
    until = time.monotonic() + seconds
    times = np.concatenate(await asyncio.gather(*(client(asked, until) for _ in range(clients))))
    computed = 1000 * (processor_time(pid) - computed) / len(times)
    p50, p95, p99 = (f"{1000 * x:.1f}" for x in np.quantile(times, (0.5, 0.95, 0.99)))
    print(
        f"| {server} | {clients} | {len(times)} | {len(times) / seconds:.0f} | {p50} | {p95} | {p99} | {computed:.1f} |"
    )


def main() -> None:
    """Start each server, ask with one client and with many."""
    name = sys.argv[1]
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 20.0
    print("| server | clients | searches | per second | p50 ms | p95 ms | p99 ms | processor ms a search |")
    print("|---" * 8 + "|")
    for server in sys.argv[4:] or ["emorank"]:
        process = started(server, name)
        try:
            asked = questions()
            asyncio.run(client(asked, time.monotonic() + 2))
            for count in (1, clients):
                asyncio.run(measure(server, process.pid, asked, count, seconds))
        finally:
            process.terminate()
            process.wait()


if __name__ == "__main__":
    main()
