"""The command line as a user drives it, in this process."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from emorank.cli import main


@dataclass(frozen=True)
class Run:
    """Exit status and what was printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


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
