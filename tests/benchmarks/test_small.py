"""Benchmarks that need no corpora run, on little; the others that take a size have tests of their own or take long."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.bench import ROOT

SMALL = [
    "captions.py 20",
    "large.py samples --counts 2000 --folder PLACE",
    "loss.py ours 64",
    "scale.py --clips 3 --workers 1 --engine processes --unit 2",
    "serving.py voices 2 1",
    "sums.py 2000",
    "tables.py 400 60 2",
    "training.py 200",
    "unfreeze.py chunks 2",
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the samples as an index."""
    place = tmp_path_factory.mktemp("data")
    variables = {**os.environ, "EMORANK_CACHE": str(place / "cache"), "EMORANK_DATA": str(place), "HF_HUB_OFFLINE": "1"}
    index = [sys.executable, "-m", "emorank", "index", str(ROOT / "samples"), "--name", "voices"]
    subprocess.run(index, env=variables, check=True, capture_output=True)
    return variables


@pytest.mark.slow
@pytest.mark.parametrize("command", SMALL)
def test_it_runs(command: str, environment: dict[str, str], tmp_path: Path) -> None:
    name, *arguments = command.replace("PLACE", str(tmp_path / "place")).split()
    ended = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / name), *arguments], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert ended.stdout.strip()
