"""How long searches take at the API while several clients ask at once, each as soon as it was answered.

.venv/bin/python benchmarks/serving.py INDEX [CLIENTS] [SECONDS]

INDEX is a name known to emorank index. Every question is a description that was not asked before. The clients share the
machine with the server, so they do as little as they can: one process, one connection each, raw bytes.
"""

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from emorank.captions.bank import bundled

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


async def measure(asked: Iterator[bytes], clients: int, seconds: float) -> None:
    """Print a row of latencies."""
    until = time.monotonic() + seconds
    times = np.concatenate(await asyncio.gather(*(client(asked, until) for _ in range(clients))))
    p50, p95, p99 = (f"{1000 * x:.1f}" for x in np.quantile(times, (0.5, 0.95, 0.99)))
    print(f"| {clients} | {len(times)} | {len(times) / seconds:.0f} | {p50} | {p95} | {p99} |")


def main() -> None:
    """Start the server, ask with one client and with many."""
    name = sys.argv[1]
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 20.0
    command = [sys.executable, "-m", "emorank", "serve", name, "--no-browser", "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        line = server.stderr.readline()
        assert f":{PORT}/" in line, line
        asked = questions()
        asyncio.run(client(asked, time.monotonic() + 12))  # until the server has loaded all that it loads
        print("| clients | searches | per second | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|---|")
        for count in (1, clients):
            asyncio.run(measure(asked, count, seconds))
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
