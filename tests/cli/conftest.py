"""The command line as a user drives it, in this process."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import soundfile

from emorank.cli import main
from tests.conftest import voice


@dataclass(frozen=True)
class Run:
    """Exit status and what was printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


_HEAVY = {"torch", "transformers", "lancedb", "scipy.stats", "lightning", "matplotlib", "ray", "obstore", "pandas"}


def heavy_imports(commands: Sequence[Sequence[str]]) -> list[str]:
    """What a new process has imported of the libraries that take long, after commands that end with a mistake."""
    code = f"""
import json, sys
from emorank.cli import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["emorank", *command]
    try:
        main()
    except SystemExit as stop:
        assert str(stop.code).startswith("emorank: "), stop.code
    else:
        raise AssertionError(command)
print(*sorted({_HEAVY!r} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code, json.dumps(commands)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture
def emorank(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Run]:
    """Runs `emorank ARGUMENTS`."""

    def run(*arguments: object) -> Run:
        monkeypatch.setattr(sys, "argv", ["emorank", *map(str, arguments)])
        status: object = 0
        message = ""
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
            if isinstance(status, str):
                status, message = 1, status
        printed = capsys.readouterr()
        return Run(int(str(status)), printed.out, printed.err + message)

    return run


@pytest.fixture
def ravdess(tmp_path: Path) -> Path:
    """A miniature RAVDESS whose anger is high and fast."""
    for actor in (1, 2, 17, 21, 22):
        for emotion, pitch in (("01", 120), ("02", 100), ("04", 90), ("05", 300)):
            for take in ("01", "02"):
                path = tmp_path / "ravdess" / f"Actor_{actor:02d}" / f"03-01-{emotion}-01-01-{take}-{actor:02d}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, voice(0.4, pitch + 3 * actor, actor), 16_000)
    return tmp_path / "ravdess"
