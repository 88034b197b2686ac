"""Without a cluster the cores of this machine hear; a recording that ends its process does not end the others."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.listening.recordings import recordings as listed
from emorank.model import EmotionRankCLAP
from emorank.scale import processes
from emorank.scale.embed import Dataset
from emorank.scale.heard import heard
from emorank.scale.processes import Processes
from emorank.scale.sources import source
from emorank.scale.units import Done, Listener, Unit
from tests.scale.conftest import Recordings, equal, here


class Deadly(Listener):
    """Ends its process at a recording of this name, as a decoder's fault or the system for want of memory would."""

    def __call__(self, unit: Unit) -> Done:
        if any(recording.path.endswith("deadly.wav") for recording in unit.recordings):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(unit)


@pytest.mark.slow
def test_a_deadly_recording_is_left_out_and_nothing_else(
    recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("emorank.scale.units._MOST", 4)
    root = recordings(6)
    (root / "clip001.wav").rename(root / "deadly.wav")
    dataset = Dataset.at(str(tmp_path / "out"), str(tiny_model), None, "")
    done = dataset.update(source(str(root)), Processes(Deadly(model, "auto"), 2))
    assert [(os.path.basename(e.path), e.reason) for e in done.broken] == [
        ("deadly.wav", "it could not be listened to (the process that listened to it ended).")
    ]
    assert done.added == 5
    again = Dataset.at(str(tmp_path / "out"), None, None, "").update(source(str(root)), here(model))
    assert (again.changed, again.kept, again.skipped) == (1, 5, 0)  # it may not be at fault, so it is tried again
    laptop = Index(tmp_path / "laptop", model)
    laptop.update(root)
    equal(Index(tmp_path / "out", model, aside=True), laptop)


def failing(units: "Iterator[Unit]") -> Iterator[Done]:
    return (Done(unit.number, failed="MemoryError: no room") for unit in units)


def test_what_fails_alone_is_named_with_what_went_wrong(recordings: Recordings, model: EmotionRankCLAP) -> None:
    rows = [row for table in heard(listed(recordings(5)).recordings, failing, model) for row in table.to_pylist()]
    assert len({row["path"] for row in rows}) == len(rows) == 5
    assert {row["reason"] for row in rows} == {"it could not be listened to (MemoryError: no room)."}


def test_a_unit_that_is_heard_twice_counts_once(recordings: Recordings, model: EmotionRankCLAP) -> None:
    listener = Listener(model, "auto")
    twice = lambda units: (done for unit in units for done in [listener(unit)] * 2)  # noqa: E731
    (rows,) = heard(listed(recordings(3)).recordings, twice, model)
    assert len(rows) == 3


def test_other_weights_on_another_machine_end_it(recordings: Recordings, model: EmotionRankCLAP) -> None:
    listener = Listener(model, "auto")
    listener._expected = "0" * 16
    with pytest.raises(EmorankError, match="differ between machines"):
        list(heard(listed(recordings(1)).recordings, lambda units: map(listener, units), model))


def test_processes_end_when_nobody_takes_what_they_give(
    recordings: Recordings, model: EmotionRankCLAP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emorank.scale.units._MOST", 1)
    before, environment = set(threading.enumerate()), dict(os.environ)
    tables = heard(listed(recordings(4)).recordings, Processes(Listener(model, "auto"), 1), model)
    monkeypatch.setattr("emorank.scale.heard._ROWS_AT_ONCE", 1)
    next(tables)
    tables.close()  # type: ignore[attr-defined]
    assert not [thread for thread in set(threading.enumerate()) - before if "_work" in thread.name]
    assert {name: os.environ.get(name) for name in processes._THREADS} == {
        name: environment.get(name) for name in processes._THREADS
    }


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_where_it_was(
    recordings: Recordings, tiny_model: Path, model: EmotionRankCLAP, tmp_path: Path
) -> None:
    root = recordings(60)
    code = (
        "import sys; from emorank.scale import heard, units\n"
        "heard._ROWS_AT_ONCE, units._MOST = 1, 4\n"
        "from emorank.cli import main\n"
        "if __name__ == '__main__': main()\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    out = tmp_path / "out"
    arguments = ["embed", root, "--out", out, "--model", tiny_model, "--jobs", "1"]
    command = [sys.executable, str(script), *map(str, arguments)]
    killed = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while killed.poll() is None and len(list(out.glob("segments-*.lance/data/*"))) < 3:
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    before = set(Index(out, model, aside=True).recordings())
    assert 0 < len(before) < 60
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    assert f"{60 - len(before)} added, 0 changed, 0 removed, {len(before)} kept." in done
    laptop = Index(tmp_path / "laptop", model)
    laptop.update(root)
    equal(Index(out, model, aside=True), laptop)
    assert processes._listener is None
