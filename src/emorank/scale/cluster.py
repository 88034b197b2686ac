"""Units heard by actors of a Ray cluster, one model each, streamed by Ray Data."""

import logging
import os
import pickle
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from emorank.errors import EmorankError, MissingExtra
from emorank.scale.units import Done, Listener, Unit

_RETRIES = 2  # of a unit whose actor or machine is lost, before it is given back


@contextmanager
def connected(address: str | None, command: str) -> Iterator[Any]:
    """The module ray, connected to a cluster.

    Args:
        address: of the cluster, as ray.init takes it; None is $RAY_ADDRESS, a cluster of this machine, or a new one.
        command: what needs it, for a sentence.

    Raises:
        EmorankError: the cluster cannot be reached.
        MissingExtra: ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's makers from here
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what becomes of the work is ours to say
    try:
        import ray
    except ImportError as error:
        raise MissingExtra(command, "scale") from error
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise EmorankError(f"--ray {address or ''}: the cluster cannot be reached ({reason}).") from error
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


@contextmanager
def cluster(listener: Listener, address: str | None = None, actors: int | None = None) -> Iterator["Cluster"]:
    """An engine on a Ray cluster.

    Args:
        listener: hears a unit.
        address: see `connected`.
        actors: how many at most; None is one a core.

    Raises:
        EmorankError: see `connected`.
    """
    with connected(address, "emorank embed --ray") as ray:
        import ray.data

        yield Cluster(ray, listener, actors)


class Cluster:
    """Called with units, it gives what became of them, in any order.

    Ray Data holds back units while results are not taken, starts lost actors anew and hears their units again. A unit
    that is lost more than `_RETRIES` times is not among those given.

    Args:
        ray: the module, connected to a cluster.
        listener: hears a unit.
        actors: how many at most; None is one a core.
    """

    def __init__(self, ray: Any, listener: Listener, actors: int | None) -> None:
        self._ray, self._listener, self._actors = ray, listener, actors
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # what they were is ours to see to
        for name in ("ray.data", "ray"):
            logging.getLogger(name).setLevel(logging.CRITICAL)

    def __call__(self, units: Iterable[Unit]) -> Iterator[Done]:
        """Heard as fast as they are taken from here."""
        data = self._ray.data
        rows = [{"work": pickle.dumps(unit)} for unit in units]
        with warnings.catch_warnings():  # of ray_remote_args_fn, for which this version has nothing else
            warnings.simplefilter("ignore")
            done = data.from_items(rows, override_num_blocks=len(rows)).map(
                _Actor,
                fn_constructor_args=(self._listener,),
                compute=data.ActorPoolStrategy(min_size=1, max_size=min(self._actors or self._cores(), len(rows))),
                num_cpus=1,
                num_gpus=self._gpus(),
                ray_remote_args_fn=_remote,
            )
        try:
            for row in done.iter_rows():
                yield pickle.loads(row["done"])
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1][:300]
            raise EmorankError(
                f"The cluster gave up ({reason}); run the command again, it goes on from there."
            ) from error

    def _cores(self) -> int:
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def _gpus(self) -> float:
        """The share of a GPU that each actor has: all cores decode, and share the GPUs that there are."""
        gpus = self._ray.cluster_resources().get("GPU", 0)
        return min(1.0, int(100 * gpus / self._cores()) / 100)


def _remote() -> dict[str, Any]:
    """How actors are started anew; without a bound a recording that ends its process would end every one."""
    return {"max_restarts": -1, "max_task_retries": _RETRIES}


class _Actor:
    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"done": pickle.dumps(self._listener(pickle.loads(row["work"])))}
