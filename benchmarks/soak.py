"""Eight clients search, play and upload for long while the index they ask changes and its indexer is killed.

.venv/bin/python benchmarks/soak.py [--minutes 30] [--model MODEL] [--clients 8]

Prints a table: requests by kind and status, indexers that were killed, and the server's memory and open files in the
second and the last tenth of the time (Linux). Ends with status 1 on any 5xx, or where either grew by over 5 %.
"""

import argparse
import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import soundfile

SAMPLES = Path(__file__).parents[1] / "samples"
TEXTS = ("cold fury, quiet", "a tired, slow voice", "shouting, loud and fast", "calm and warm", "bored", "near tears")


class Clients:
    """What asks the server, each thread one thing after the other.

    Args:
        port: of the server.
        clip: the bytes of a recording.
    """

    def __init__(self, port: int, clip: bytes) -> None:
        self._port, self._clip = port, clip
        self.seen: Counter[tuple[str, int]] = Counter()  # (what was asked, status)
        self.slowest = 0.0
        self._lock = threading.Lock()

    def work(self, seed: int, stop: threading.Event) -> None:
        """Ask until stopped."""
        rng = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        ids: list[str] = []
        while not stop.is_set():
            kind = rng.choices(("search", "play", "wave", "list", "upload"), (6, 4, 2, 1, 1))[0]
            if kind == "search" or not ids:
                body = json.dumps(
                    {"texts": [{"text": f"{rng.choice(TEXTS)} {rng.randrange(500)}"}], "top": 20}
                ).encode()
                answer = self._ask(connection, "search", "POST", "/api/search", body, "application/json")
                if answer:
                    ids = [hit["id"] for hit in json.loads(answer)["hits"]]
            elif kind == "play":
                self._ask(connection, kind, "GET", f"/api/segments/{rng.choice(ids)}/audio")
            elif kind == "wave":
                self._ask(connection, kind, "GET", f"/api/segments/{rng.choice(ids)}/waveform")
            elif kind == "list":
                self._ask(connection, kind, "GET", "/api/segments?limit=50")
            else:
                path = rng.choice(("/api/locate", "/api/search/clip"))
                self._ask(connection, kind, "POST", path, self._clip, "application/octet-stream")
            stop.wait(rng.uniform(0, 0.2))
        connection.close()

    def ready(self) -> bool:
        """Whether an upload is answered; what came of it is not counted."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        answer = self._ask(connection, "ready", "POST", "/api/locate", self._clip, "application/octet-stream")
        connection.close()
        self.seen.clear()
        self.slowest = 0.0
        return answer is not None

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        kind: str,
        method: str,
        path: str,
        body: bytes = b"",
        media: str = "",
    ) -> bytes | None:
        begun = time.monotonic()
        try:
            connection.request(method, path, body or None, {"Content-Type": media} if media else {})
            answer = connection.getresponse()
            content, status = answer.read(), answer.status
        except (OSError, http.client.HTTPException):
            connection.close()
            content, status = b"", 0  # the connection was broken off
        with self._lock:
            self.seen[kind, status] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        return content if status == 200 else None

    def report(self) -> int:
        """Print what was asked and answered; how many answers were 5xx or broke off."""
        print("| request | 200 | other | 5xx or broken off |\n|---|---|---|---|")
        every = 0
        for kind in sorted({kind for kind, _ in self.seen}):
            counts = {status: count for (name, status), count in self.seen.items() if name == kind}
            bad = sum(count for status, count in counts.items() if status >= 500 or not status)
            good = counts.get(200, 0)
            print(f"| {kind} | {good} | {sum(counts.values()) - good - bad} | {bad} |")
            every += bad
        print(f"\nslowest answer {self.slowest:.1f} s; statuses {dict(Counter(s for _, s in self.seen.elements()))}")
        return every


def pieces() -> list[tuple[np.ndarray, int]]:
    """Stretches of two seconds of the samples, with their rate."""
    found = []
    for file in sorted(SAMPLES.glob("*.ogg")):
        wave, rate = soundfile.read(file, dtype="float32", always_2d=True)
        found += [(wave[start : start + 2 * rate, 0], rate) for start in range(0, len(wave) - 2 * rate, 2 * rate)]
    return found


def changed(root: Path, rng: random.Random, found: list[tuple[np.ndarray, int]]) -> None:
    """A few recordings come, go, move and change."""
    there = sorted(root.glob("*.wav"))
    for path in rng.sample(there, 3):
        what = rng.choice(("remove", "move", "change")) if len(there) > 20 else "add"
        if what == "remove":
            path.unlink()
        elif what == "move":
            path.rename(root / f"moved{rng.randrange(10**9)}.wav")
        else:
            wave, rate = rng.choice(found)
            gain = np.float32(rng.uniform(0.5, 1))
            soundfile.write(path if what == "change" else root / f"new{rng.randrange(10**9)}.wav", gain * wave, rate)


def indexing(emorank: list[str], root: Path, stop: threading.Event, ended: Counter[str], log: Path) -> None:
    """An indexer after the other; two of three are killed."""
    rng, found = random.Random(1), pieces()
    with open(log, "w") as output:
        while not stop.is_set():
            changed(root, rng, found)
            process = subprocess.Popen([*emorank, "index", "--name", "soak"], stdout=output, stderr=output)
            try:
                process.wait(rng.uniform(1, 15) if rng.random() < 2 / 3 else 300)
                ended["ended" if process.returncode == 0 else f"status {process.returncode}"] += 1
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                ended["killed"] += 1
            stop.wait(rng.uniform(0, 3))


def used(process: int) -> tuple[float, int]:
    """Memory in MB and open files of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    memory = re.search(r"VmRSS:\s+(\d+)", status)
    assert memory
    return int(memory[1]) / 1024, len(os.listdir(f"/proc/{process}/fd"))


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--model", default="emorank-base")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--port", type=int, default=8398)
    given = parser.parse_args()
    home = Path(tempfile.mkdtemp(prefix="emorank-soak-"))
    os.environ |= {"EMORANK_CACHE": str(home / "cache"), "EMORANK_DATA": str(home / "data")}
    emorank = [sys.executable, "-m", "emorank"]
    root = home / "recordings"
    root.mkdir()
    for number, (wave, rate) in enumerate(pieces()[:30]):
        soundfile.write(root / f"clip{number:02d}.wav", wave, rate)
    subprocess.run([*emorank, "index", root, "--name", "soak", "--model", given.model], check=True)
    with open(home / "serve.log", "w") as log:
        command = [*emorank, "serve", "soak", "--port", str(given.port), "--no-browser"]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    while "Searching" not in (home / "serve.log").read_text():
        assert server.poll() is None, (home / "serve.log").read_text()
        time.sleep(0.2)
    clients = Clients(given.port, (root / "clip00.wav").read_bytes())
    while not clients.ready():  # the encoder is loaded beside the first searches
        time.sleep(1)
    stop, ended = threading.Event(), Counter[str]()
    threads = [threading.Thread(target=clients.work, args=(seed, stop)) for seed in range(given.clients)]
    threads.append(threading.Thread(target=indexing, args=(emorank, root, stop, ended, home / "index.log")))
    for thread in threads:
        thread.start()
    taken = []
    until = time.monotonic() + 60 * given.minutes
    while time.monotonic() < until and server.poll() is None:
        taken.append(used(server.pid))
        time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join()
    server.send_signal(signal.SIGINT)
    server.wait(30)
    last = subprocess.run([*emorank, "index", "--name", "soak"], capture_output=True, text=True)
    said = (home / "serve.log").read_text() + (home / "index.log").read_text() + last.stderr
    tenth = max(1, len(taken) // 10)
    second, latest = np.mean(taken[tenth : 2 * tenth], axis=0), np.mean(taken[-tenth:], axis=0)
    growth = latest / second - 1
    print(f"{given.minutes:g} minutes, {given.clients} clients, model {given.model}")
    failures = clients.report()
    print(f"indexers: {dict(ended)}; the last one: status {last.returncode}, {last.stderr.strip().splitlines()[-1:]}")
    print(f"memory: {second[0]:.0f} MB in the second tenth, {latest[0]:.0f} MB in the last ({growth[0]:+.1%})")
    if "Traceback" in said:
        print(said[said.index("Traceback") :][:4000])
    print(f"open files: {second[1]:.1f} and {latest[1]:.1f} ({growth[1]:+.1%}); tracebacks: {said.count('Traceback')}")
    shutil.rmtree(home)
    sys.exit(bool(failures or "Traceback" in said or (growth > 0.05).any()))


if __name__ == "__main__":
    main()
