"""A process with everything imported, which forks for each command: started with the shim, it costs no import a fault.

Reads a line of JSON a command: `command` (the arguments of emorank, or the name of a function here with its arguments),
`environment`, `fault` (kind, number, folder) or null, `output` (a file). Writes a line of JSON: exit status, operations
by kind, faults that happened.
"""

import ctypes
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

KINDS = ("kill", "ENOSPC", "EIO", "EROFS", "ENOLCK", "short write", "failed rename")
PATIENCE = 120.0  # seconds for a command


def main() -> None:
    shim = ctypes.CDLL(None)
    shim.faults_counts.restype = ctypes.POINTER(ctypes.c_long)
    counts = shim.faults_counts()
    _preload()
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        for number in range(len(KINDS) + 1):
            counts[number] = 0
        child = os.fork()
        if child == 0:
            os._exit(_run(job, shim))
        status = _waited(child)
        operations = {kind: counts[number] for number, kind in enumerate(KINDS)}
        print(json.dumps({"status": status, "operations": operations, "failed": counts[len(KINDS)]}), flush=True)


def _waited(child: int) -> int:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -99


def _run(job: dict[str, Any], shim: Any) -> int:
    """What the child does: its exit status, as of the command line."""
    os.environ.update(job["environment"])
    sys.stdin.close()
    output = os.open(job["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    try:
        if job["fault"]:
            kind, number, folder = job["fault"]
            shim.faults_arm(KINDS.index(kind), number, os.fsencode(folder))
        name, *arguments = job["command"]
        function = {"look": look}.get(name)
        if function:
            function(*arguments)
            return 0
        from emorank.cli import main as emorank

        sys.argv = ["emorank", *job["command"]]
        emorank()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
            return 1
        return int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
        return 70
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
    return 0


def look(name: str, target: str) -> None:
    """What an index holds, as arrays in a file."""
    import numpy as np

    from emorank.index.named import NamedIndex

    named = NamedIndex.open(name)
    segments, labels = named.reading.segments(), named.labels()
    known = named.reading.recordings()
    np.savez(
        target,
        paths=np.array(segments.paths),
        numbers=np.stack([segments.start, segments.end, segments.loudness, segments.channels, segments.speech], 1),
        embeddings=segments.embeddings,
        places=segments.places,
        known=np.array([f"{path} {entry.size} {entry.digest} {entry.reason}" for path, entry in sorted(known.items())]),
        labels=np.array(labels.write_csv() if labels is not None else ""),
        roots=np.array(named.roots),
    )


@contextmanager
def _inline(jobs: int) -> Iterator[Callable[..., list[Any]]]:
    """`emorank.reproduce.workers.side_by_side` in this process, where operations are counted."""

    def run(work: Callable[[Any], Any], items: Sequence[Any], finished: Callable[[Any], None]) -> list[Any]:
        results = []
        for item in items:
            results.append(work(item))
            finished(item)
        return results

    yield run


def _preload() -> None:
    """All that commands import, and nothing that starts a thread which a fork would lose."""
    import importlib
    import logging
    import warnings

    warnings.filterwarnings("ignore", message="lancedb fork support")
    logging.disable(logging.WARNING)
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    import torch

    torch.set_num_threads(1)
    source = Path(importlib.import_module("emorank").__path__[0])
    for file in sorted(source.rglob("*.py")):
        module = ".".join(("emorank", *file.relative_to(source).with_suffix("").parts))
        if not module.endswith(("__main__", "__init__")) and ".serve" not in module:
            importlib.import_module(module)
    for module in ("lancedb", "safetensors.numpy", "transformers", "matplotlib.pyplot", "soundfile", "tensorboard"):
        importlib.import_module(module)
    from emorank.reproduce import run

    run.side_by_side = _inline  # type: ignore[assignment]


if __name__ == "__main__":
    main()
