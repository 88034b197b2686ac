"""On a real Ray cluster of several node processes: what is killed costs time and nothing else."""

import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emorank.index import Index
from emorank.model import EmotionRankCLAP
from emorank.scale.cluster import cluster
from emorank.scale.embed import Dataset
from emorank.scale.sources import source
from emorank.scale.units import Listener
from emorank.types import SoFar
from tests.scale.conftest import Recordings, equal

_MEMORY = 100_000_000  # bytes of each node's object store
_CHECKS = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 1000, "health_check_failure_threshold": 3}


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of a head that hears nothing, and two nodes of one core each."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _MEMORY, "_system_config": _CHECKS}
    made = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=_MEMORY)
    yield made
    made.shutdown()
    logging.getLogger("ray").setLevel(logging.NOTSET)


def actors(node: Any) -> list[int]:
    """The processes of a node that hear."""
    raylet = node.all_processes["raylet"][0].process.pid
    lines = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    found = [line.split(None, 2) for line in lines.splitlines()]
    return [int(pid) for pid, parent, *args in found if int(parent) == raylet and "MapWorker" in " ".join(args)]


@pytest.mark.slow
def test_a_worker_and_then_a_node_are_killed_and_nothing_is_lost_or_twice(
    nodes: Any,
    recordings: Recordings,
    tiny_model: Path,
    model: EmotionRankCLAP,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emorank.scale.units._MOST", 2)
    monkeypatch.setattr("emorank.scale.heard._ROWS_AT_ONCE", 1)
    root = recordings(60)
    (root / "broken.wav").write_bytes(b"no sound")
    victim, _ = sorted(nodes.worker_nodes, key=lambda node: node.node_id)
    killed: list[str] = []

    def kill(course: SoFar) -> None:
        done = course.done
        if not killed and (found := [pid for node in nodes.worker_nodes for pid in actors(node)]):
            os.kill(found[0], signal.SIGKILL)
            killed.append(f"worker at {done}")
        elif len(killed) == 1 and done >= 12:
            nodes.remove_node(victim, allow_graceful=False)
            killed.append(f"node at {done}")

    dataset = Dataset.at(str(tmp_path / "out"), str(tiny_model), None, "")
    with cluster(Listener(model, "auto"), nodes.address) as engine:
        done = dataset.update(source(str(root)), engine, kill)
    assert len(killed) == 2
    assert int(killed[1].split()[-1]) < 48  # there was work left
    assert (done.added, done.skipped) == (60, 1)
    laptop = Index(tmp_path / "laptop", model)
    laptop.update(root)
    made = Index(tmp_path / "out", model, aside=True)
    assert len(made.segments().paths) == len(set(made.segments().paths)) == 60
    equal(made, laptop)
