"""Workers of a real Ray cluster train the model of one process; a killed one costs time and nothing else."""

import dataclasses
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import ray

from emorank import EmotionRankCLAP
from emorank.errors import EmorankError
from emorank.scale.training import fit_on_ray
from emorank.training.loop import fit
from tests.cli.conftest import Run, emorank, ravdess  # noqa: F401
from tests.training.synthetic import SMALL, split

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Two cores of this machine, for all tests here."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init("local", num_cpus=2, include_dashboard=False, object_store_memory=100_000_000, log_to_driver=False)
    yield
    ray.shutdown()


def workers() -> list[int]:
    """The processes that train."""
    lines = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split(None, 1)[0]) for line in lines if "RayTrainWorker" in line]


def test_a_worker_is_killed_and_the_model_is_that_of_one_process(tmp_path: Path) -> None:
    config = dataclasses.replace(SMALL, epochs=8)
    epochs: list[int] = []

    def report(epoch: int, of: int, loss: float) -> None:
        epochs.append(epoch)
        if len(epochs) == 3:
            os.kill(max(workers()), signal.SIGKILL)

    shared = fit_on_ray(split(0), split(1), config, tmp_path / "shared", 2, report=report)
    assert epochs[-1] == 8
    assert sorted(set(epochs)) == list(range(1, 9))
    alone = fit(split(0), split(1), config, tmp_path / "alone")
    for (mine, _), (theirs, _) in zip(alone.audio.layers, shared.audio.layers, strict=True):
        np.testing.assert_allclose(theirs, mine, atol=1e-5)
    assert {path.name for path in (tmp_path / "shared").iterdir()} == {"config.json", "model.safetensors"}


def test_what_a_worker_has_to_say_is_one_sentence(tmp_path: Path) -> None:
    too_fast = dataclasses.replace(SMALL, learning_rate=1e38, dropout=0.0)
    with pytest.raises(EmorankError, match=r"loss is not finite .* try a --learning-rate below"):
        fit_on_ray(split(0), split(1), too_fast, tmp_path / "run", 2)
    assert not (tmp_path / "run").exists()
    with pytest.raises(EmorankError, match="--workers 3: the cluster has 2 cores"):
        fit_on_ray(split(0), split(1), SMALL, tmp_path / "run", 3)
    with pytest.raises(EmorankError, match="--device mps: workers of a Ray cluster"):
        fit_on_ray(split(0), split(1), SMALL, tmp_path / "run", 2, device="mps")


@pytest.mark.usefixtures("encoded_bank")
def test_the_command_trains_by_workers(
    emorank: Callable[..., Run],  # noqa: F811
    ravdess: Path,  # noqa: F811
    tiny_whisper: str,
    tmp_path: Path,
) -> None:
    table, out = tmp_path / "t.parquet", tmp_path / "run"
    emorank("corpus", "ravdess", ravdess, "--out", table)
    options = ["--audio-encoder", tiny_whisper, "--embedding-dim", 16, "--epochs", 2, "--captions-per-batch", 64]
    run = emorank("train", "--data", table, "--out", out, *options, "--ray", "--workers", 2)
    assert run.status == 0, run.err
    assert "epoch   2 of 2" in run.err
    assert EmotionRankCLAP.from_pretrained(out).config.training["epochs_trained"] == 2
