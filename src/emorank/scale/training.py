"""A training by workers of a Ray cluster, through Ray Train: what torchrun does on one machine, on several.

Every worker runs `emorank.training.loop.fit` with its share of each batch. Where one is lost, Ray starts all anew, and
they go on with the epoch they were in.
"""

import contextlib
import logging
import shutil
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emorank.errors import EmorankError, MissingExtra
from emorank.model import EmotionRankCLAP
from emorank.scale.cluster import connected
from emorank.training.config import Device, Logger, TrainConfig
from emorank.training.dataset import Split
from emorank.training.loop import Report, fit

_RESTARTS = 3  # of all workers, before the training is given up
_DONE = ()  # what a worker says at the end


@dataclass(frozen=True)
class _Job:
    """The arguments of `fit` that a worker needs."""

    train: Split
    development: Split
    config: TrainConfig
    folder: Path
    about: dict[str, Any] | None
    device: Device
    logger: Logger


def fit_on_ray(
    train: Split,
    development: Split,
    config: TrainConfig,
    folder: Path,
    workers: int,
    address: str | None = None,
    about: dict[str, Any] | None = None,
    report: Report | None = None,
    device: Device = "auto",
    logger: Logger = "none",
) -> EmotionRankCLAP:
    """`fit` by several workers of a Ray cluster; the model is that of one process, up to rounding.

    Args:
        train: utterances and captions to learn from; the workers get them through the cluster.
        development: utterances and captions that choose the epoch.
        config: every choice.
        folder: where the model goes; every machine of the cluster has to see it under this path.
        workers: how many processes; each takes a core, and a GPU where there are enough and `device` allows.
        address: of the cluster, see `emorank.scale.cluster.connected`.
        about: what to note in the model's config about data and split.
        report: called here after every epoch.
        device: see `fit`.
        logger: see `fit`.

    Raises:
        EmorankError: see `fit`; or the cluster cannot be reached, is too small, or loses workers again and again.
        MissingExtra: ray, or what Ray Train needs besides, is not installed.
    """
    with connected(address, "emorank train --ray") as ray:
        _require(ray, workers)
        job = _Job(train, development, config, folder.absolute(), about, _device(ray, workers, device), logger)
        _run(ray, job, workers, report)
    return EmotionRankCLAP.from_pretrained(folder)


def _require(ray: Any, workers: int) -> None:
    """Ray would wait for ever for cores that never come."""
    cores = int(ray.cluster_resources().get("CPU", 0))
    if workers > cores:
        raise EmorankError(f"--workers {workers}: the cluster has {cores} cores, and every worker takes one.")


def _device(ray: Any, workers: int, asked: Device) -> Device:
    """What the workers train on: CUDA where all can have a GPU, else the processor."""
    enough = ray.cluster_resources().get("GPU", 0) >= workers
    if asked == "cuda" and not enough:
        raise EmorankError(f"--device cuda: the cluster has not a GPU for each of {workers} workers.")
    if asked == "mps":
        raise EmorankError("--device mps: workers of a Ray cluster train on cpu or cuda.")
    return "cuda" if enough and asked != "cpu" else "cpu"


def _run(ray: Any, job: _Job, workers: int, report: Report | None) -> None:
    try:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer
        from ray.util.queue import Queue
    except ImportError as error:
        raise MissingExtra("emorank train --ray", "scale") from error
    for name in ("ray.train", "ray"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    scratch = job.folder / ".ray"  # where Ray Train notes what it does; all machines have to see it
    said = Queue(actor_options={"num_cpus": 0})
    failed: list[str] = []
    again = FailureConfig(max_failures=_RESTARTS)
    trainer = TorchTrainer(
        _work,
        train_loop_config={"job": ray.put(job), "said": said},
        scaling_config=ScalingConfig(num_workers=workers, use_gpu=job.device == "cuda"),
        run_config=RunConfig(name="training", storage_path=str(scratch), failure_config=again),
    )
    listening = threading.Thread(target=_listen, args=(said, report, failed), daemon=True)
    listening.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit()
    except Exception as error:  # Ray Train's own kinds are many, and change
        reason = str(error).strip().splitlines()[-1][:300]
        raise EmorankError(f"The cluster gave up ({reason}); run the command again, it goes on from there.") from error
    finally:
        with contextlib.suppress(ray.exceptions.RayError):  # the cluster may be gone
            said.put(None)
            listening.join()
        shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            job.folder.rmdir()  # where nothing was written to it
    if failed:
        raise EmorankError(failed[0])


def _listen(said: Any, report: Report | None, failed: list[str]) -> None:
    """Take what the workers say, until nothing more comes: epochs for `report`, what went wrong, that all is done."""
    from ray.exceptions import RayError

    with contextlib.suppress(RayError):  # the cluster is gone
        while (item := said.get()) is not None:
            if isinstance(item, str):
                failed.append(item)
            elif item == _DONE:
                failed.clear()  # what a worker said that was started anew
            elif report:
                report(*item)


def _work(given: dict[str, Any]) -> None:
    """What every worker does, once Ray Train has connected them by torch.distributed."""
    import ray

    job: _Job = ray.get(given["job"])
    said = given["said"]

    def report(epoch: int, epochs: int, loss: float) -> None:
        said.put((epoch, epochs, loss))

    arguments = job.train, job.development, job.config, job.folder, job.about
    try:
        fit(*arguments, report=report, device=job.device, logger=job.logger)
    except EmorankError as error:  # would be the same if Ray tried again
        said.put(str(error))
    else:
        said.put(_DONE)
