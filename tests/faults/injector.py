"""Starts the driver with the shim, and makes a command fail at its n-th file operation."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults.driver import KINDS

SOURCE = Path(__file__).parents[2]


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its status (below 0 a signal), what it said, operations by kind, faults that happened."""

    status: int
    output: str
    operations: dict[str, int]
    failed: int


class Injector:
    """Runs commands in a folder of their own.

    Args:
        folder: everything below it is watched: recordings, tables, cache, indexes, results.
    """

    def __init__(self, folder: Path, driver: "subprocess.Popen[str]", home: Path) -> None:
        self.folder, self._driver, self._home = folder, driver, home

    def run(self, command: Sequence[object], fault: tuple[str, int] | None = None, counted: bool = False) -> Outcome:
        """Run `emorank COMMAND`, or a function of the driver."""
        output = self._home / "output"
        kind, number = fault or (KINDS[0], 0)
        environment = {
            "EMORANK_CACHE": str(self.folder / "cache"),
            "EMORANK_DATA": str(self.folder / "data"),
            "HF_HUB_OFFLINE": "1",
        }
        job = {
            "command": [str(part) for part in command],
            "environment": environment,
            "fault": [kind, number, str(self.folder)] if fault or counted else None,
            "output": str(output),
        }
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps(job) + "\n")
        self._driver.stdin.flush()
        answer = json.loads(self._driver.stdout.readline())
        return Outcome(answer["status"], output.read_text(errors="replace"), answer["operations"], answer["failed"])

    def restore(self, from_: Path) -> None:
        """Make the folder what another one is; links and times stay."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(from_, self.folder, symlinks=True)


@contextmanager
def injecting(home: Path) -> Iterator[Injector]:
    """An injector whose folder is `home`/work; the shim is compiled there."""
    compiler = shutil.which("cc")
    assert compiler is not None
    shim = home / "shim.so"
    subprocess.run(
        [compiler, "-O1", "-shared", "-fPIC", "-o", shim, Path(__file__).with_name("shim.c"), "-ldl"], check=True
    )
    environment = os.environ | {"LD_PRELOAD": str(shim), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join([str(SOURCE), str(SOURCE / "src")])
    with open(home / "driver.log", "w") as log:
        driver = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.driver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            cwd=home,
        )
    try:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n", (home / "driver.log").read_text()
        yield Injector(home / "work", driver, home)
    finally:
        driver.kill()
        driver.wait()
