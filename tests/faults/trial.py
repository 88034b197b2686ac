"""A command is disturbed at some of its file operations: nothing may be lost, and nothing end in a traceback."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.faults.driver import KINDS
from tests.faults.injector import Injector
from tests.faults.scenarios import Scenario, equal

_FOREIGN = re.compile(r"Traceback|panicked|RuntimeWarning|Exception ignored|Error in sys.excepthook")


@dataclass(frozen=True)
class Trial:
    """One fault and what came of it.

    Args:
        scenario: its name.
        kind: of the fault.
        number: of the operation.
        operations: how many of the kind there are.
        wrong: None, or what should not have been.
    """

    scenario: str
    kind: str
    number: int
    operations: int
    wrong: str | None


def trials(
    injector: Injector, scenario: Scenario, start: Path, most: int, kinds: Sequence[str] = KINDS
) -> Iterator[Trial]:
    """Disturb a scenario.

    Args:
        injector: runs it.
        scenario: which.
        start: the folder with recordings, tables and cache that every scenario begins with.
        most: operations of each kind that are made to fail, evenly over all.
        kinds: of faults.
    """
    injector.restore(start)
    for step in scenario.before:
        step(injector)
    begin = injector.folder.parent / "begin"
    shutil.rmtree(begin, ignore_errors=True)
    shutil.copytree(injector.folder, begin, symlinks=True)
    command = scenario.command(injector.folder)
    undisturbed = injector.run(command, counted=True)
    assert undisturbed.status == 0, undisturbed.output
    expected = scenario.result(injector)
    for kind in kinds:
        count = undisturbed.operations[kind]
        step_ = max(1.0, count / most)
        for number in sorted({round(1 + i * step_) for i in range(min(most, count))}):
            if number <= count:
                injector.restore(begin)
                wrong = _wrong(injector, scenario, command, (kind, number), expected)
                yield Trial(scenario.name, kind, number, count, wrong)


def _wrong(
    injector: Injector, scenario: Scenario, command: Sequence[object], fault: tuple[str, int], expected: object
) -> str | None:
    first = injector.run(command, fault)
    killed = fault[0] == "kill" and first.status == -9
    if not killed and (first.status not in (0, 1) or _FOREIGN.search(first.output)):
        return f"with the fault: status {first.status}, {first.output[-1500:]}"
    if first.status == 1 and not (first.output.strip().splitlines() or [""])[-1].startswith("emorank: "):
        return f"with the fault: no sentence but {first.output[-500:]}"
    again = injector.run(command)
    if again.status != 0 or _FOREIGN.search(again.output):
        return f"after {first.output[-300:]!r} the next run: status {again.status}, {again.output[-1500:]}"
    found = scenario.result(injector)
    if not equal(found, expected):  # type: ignore[arg-type]
        return f"after {first.output[-300:]!r} it ended otherwise: {_shortly(found)} and not {_shortly(expected)}"
    left = [name for name in _files(injector.folder) if re.search(r"/\.[0-9a-f]{8}\.", name)]
    return f"temporaries are left: {left}" if left else None


def _shortly(result: object) -> str:
    return repr(result)[:600]


def _files(folder: Path) -> Iterator[str]:
    for parent, _, names in os.walk(folder):
        yield from (os.path.join(parent, name) for name in names)
