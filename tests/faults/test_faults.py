"""A sample of `make faults`: commands are disturbed by every kind of fault, and the next run is as if they were not."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.driver import KINDS
from tests.faults.injector import Injector
from tests.faults.run import prepared
from tests.faults.scenarios import Scenario
from tests.faults.trial import trials

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="needs Linux and a C compiler"),
]
Prepared = tuple[Injector, list[Scenario], Path]
_QUICK = (
    *("index, from nothing", "index, after changes", "index --repair", "export", "export --cut", "collection"),
    *("caption", "caption --llm"),
)


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    def bank() -> Path:
        raise AssertionError("the bank is not needed")

    with prepared(tmp_path_factory.mktemp("faults"), bank) as parts:
        yield parts


@pytest.mark.parametrize("name", _QUICK)
def test_no_fault_loses_anything_or_ends_in_a_traceback(at: Prepared, name: str) -> None:
    injector, scenarios, start = at
    (scenario,) = (each for each in scenarios if each.name == name)
    done = list(trials(injector, scenario, start, most=1))
    assert [(trial.kind, trial.number, trial.wrong) for trial in done if trial.wrong] == []
    assert {trial.kind for trial in done} >= set(KINDS) - {"ENOLCK", "failed rename"}


def test_the_injector_meets_every_library(at: Prepared) -> None:
    """LanceDB's and SQLite's operations are counted, not only Python's."""
    injector, scenarios, start = at
    injector.restore(start)
    operations = injector.run(scenarios[0].command(injector.folder), counted=True).operations
    assert operations["kill"] > 100
    assert operations["ENOLCK"] > 10  # SQLite's locks
    assert operations["failed rename"] >= 4
