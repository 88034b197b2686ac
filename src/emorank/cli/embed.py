"""emorank embed: the moments of many recordings as a dataset, by all cores of this machine or by a Ray cluster."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import name_broken, name_damaged, name_passed_over, name_unspoken, say
from emorank.cli.hearing import hearing
from emorank.cli.options import require, require_ray
from emorank.errors import EmorankError


def embed(
    source: str,
    /,
    *,
    out: str,
    ray: Annotated[list[str] | None, Parameter(consume_multiple=(0, 1), negative="")] = None,
    jobs: int | None = None,
    model: str | None = None,
    channels: str | None = None,
    prune: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Embed many recordings as a dataset that emorank search, serve and export open by its place.

    Recordings are heard by all cores of this machine, or by a Ray cluster. A run that was ended goes on where it was;
    recordings that are known by their content are not heard again. Those that cannot be heard are named, and kept with
    the reason in a table beside the moments.

    Examples:

        emorank embed recordings/ --out calls-embedded/

        emorank embed calls.parquet --out s3://bucket/calls --ray

        emorank embed s3://bucket/recordings --out s3://bucket/calls --ray ray://head:10001

    Args:
        source: A folder, a recording, a .csv or .parquet table with a column path, or s3://BUCKET/PREFIX.
        out: Where the dataset lies: a folder, or s3://BUCKET/PREFIX. Credentials, region and endpoint of S3 are taken
            from the usual variables (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL).
        ray: Use a Ray cluster: of this address, such as auto or 10.0.0.1:6379, or where none is given, of $RAY_ADDRESS
            or this machine.
        jobs: Processes, or with --ray actors at most; by default one a core.
        model: The model that listens; by default emorank-base, or what made the dataset.
        channels: Which channels of a recording are heard: by default auto (one where they hold the same, each where
            they hold different speech), mix, each, or a number from 1.
        prune: Remove also what the dataset has of a source that is empty now.
    """
    require(jobs is None or jobs >= 1, "--jobs", "at least 1", jobs)
    _require_place(out)
    if ray is not None:
        require_ray("emorank embed --ray")
    from emorank.audio import parse_policy

    policy = None if channels is None else parse_policy(channels)
    from emorank.scale.sources import source as found

    given = found(source)
    from emorank.scale.embed import Dataset
    from emorank.scale.units import Listener

    dataset = Dataset.at(out, model, policy, DEFAULT_MODEL)
    listener = Listener(dataset.model, dataset.channels)
    if ray is None:
        from emorank.scale.processes import Processes

        with hearing("embedding") as bar:
            done = dataset.update(given, Processes(listener, jobs or _cores()), bar, prune)
    else:
        from emorank.scale.cluster import cluster

        with cluster(listener, ray[0] if ray else None, jobs) as engine, hearing("embedding") as bar:
            done = dataset.update(given, engine, bar, prune)
    name_broken(done.broken)
    name_damaged(done.damaged)
    name_passed_over(done.passed_over)
    name_unspoken(done.unspoken)
    if done.missing:
        say(f"{source} holds nothing now; what is known of it stays. If it is gone for good: --prune")
    moved = f" ({done.moved} of them known by their content)" if done.moved else ""
    skipped = f", {done.skipped} skipped" if done.skipped else ""
    counts = f"{done.added} added, {done.changed} changed{moved}, {done.removed} removed, {done.kept} kept{skipped}."
    say(f"{out}: {counts}")


def _require_place(out: str) -> None:
    from emorank.objects import is_remote

    if "://" in out and not is_remote(out):
        raise EmorankError(f"--out {out}: a folder or s3://BUCKET/PREFIX is needed.")
    if not is_remote(out) and Path(out).is_file():
        raise EmorankError(f"--out {out}: a file, a folder for the dataset is needed.")


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
