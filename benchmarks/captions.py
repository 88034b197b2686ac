"""How an asking of a language model scales: so many points through a server on this machine, 64 calls at a time.

The server is that of the tests, in a process of its own; it answers at once with captions that are good. A second run
finds everything kept, and asks nothing.

    .venv/bin/python benchmarks/captions.py [POINTS ...]
"""

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from contextlib import closing
from multiprocessing.connection import Connection

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
POINTS = (1_000, 10_000, 100_000)


def server(parent: Connection) -> None:
    """Serve until the parent says how many calls it wants to know of."""
    from tests.captions.loopback import Server, serving

    with serving(Server()) as state:
        state.seen = _Counted()
        parent.send(state.url)
        parent.recv()
        parent.send(state.seen.count)


class _Counted(list):  # type: ignore[type-arg]
    """Counts and keeps nothing, so that what grows is not the server."""

    count = 0

    def append(self, _: object) -> None:
        self.count += 1

    def __len__(self) -> int:
        return self.count


def asked(points: int, url: str) -> None:
    """One run; prints seconds, and MiB at the start and at most."""
    from emorank.captions.llm import ServerOptions
    from emorank.captions.llm.job import Job
    from emorank.captions.llm.prompt import Point

    wanted = {Point(round(1 + i % 317 * 0.0189, 4), round(1 + i // 317 * 0.0189, 4)): 2 for i in range(points)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begun = time.perf_counter()
    with closing(Job("tiny", wanted, ServerOptions(concurrency=64))) as job:
        job.run(url)
        got = sum(map(len, job.captions.values()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([time.perf_counter() - begun, before, peak, got]))


def main() -> None:
    """Print a line for each number of points."""
    import subprocess

    if sys.argv[1:2] == ["--asked"]:
        asked(int(sys.argv[2]), sys.argv[3])
        return
    print("| points | captions | calls | seconds | memory before | at most | a second run |\n" + "|---" * 7 + "|")
    for points in map(int, sys.argv[1:] or POINTS):
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=server, args=(theirs,))
        process.start()
        url = ours.recv()
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, __file__, "--asked", str(points), url]
            environment = os.environ | {"EMORANK_CACHE": cache, "EMORANK_LLM_KEY": "", "OPENAI_API_KEY": ""}
            runs = []
            for _ in range(2):
                out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
                runs.append(json.loads(out))
        ours.send("end")
        calls = ours.recv()
        process.join()
        seconds, before, peak, got = runs[0]
        cells = [points, got, calls, f"{seconds:.0f}", f"{before:.0f} MiB", f"{peak:.0f} MiB", f"{runs[1][0]:.1f} s"]
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
