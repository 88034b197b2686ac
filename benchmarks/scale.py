"""What a clip costs when many are embedded: by processes of this machine and by 1, 2, 4 actors of a Ray cluster.

Clips are those of `samples/`, each brought to three seconds (or --seconds), under noise of its own, so that no two
have one content; 16-bit FLAC on disk. Every run embeds them anew with emorank-base.

- clips/s, x: after the first unit of work came back, when all models are loaded; x is seconds of sound a second
- core ms: time that the machine's cores were busy meanwhile, a clip, whatever else ran on it
- share: of all cores' time that is
- start: seconds until the first unit came back
- memory: peak of the writing process in MB

    .venv/bin/python benchmarks/scale.py --clips 1000 10000 100000 --workers 1 2 4 --engine ray [--unit 20]
"""

import argparse
import logging
import math
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import soundfile

from emorank import DEFAULT_MODEL, audio
from emorank.audio import SAMPLE_RATE
from emorank.scale.cluster import cluster
from emorank.scale.embed import Dataset
from emorank.scale.heard import Engine
from emorank.scale.processes import Processes
from emorank.scale.sources import source
from emorank.scale.units import Done, Listener, Unit

SAMPLES = Path(__file__).parents[1] / "samples"
NOISE = 10 ** (-50 / 20)  # root mean square


def clips(folder: Path, count: int, seconds: float) -> None:
    """Make clips, a thousand in each folder; those that are there stay."""
    length = round(seconds * SAMPLE_RATE)
    voices = [np.resize(audio.load(path), length) for path in sorted(SAMPLES.glob("*.ogg"))]
    for number in range(count):
        file = folder / f"{number // 1000:04d}" / f"{number:07d}.flac"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            noise = np.random.default_rng(number).normal(0, NOISE, length)
            soundfile.write(file, (voices[number % len(voices)] + noise).clip(-1, 1), SAMPLE_RATE, "PCM_16")


class Timed:
    """An engine, and when it gave what."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.times: list[tuple[float, float, int]] = []  # now, busy until now, clips

    def __call__(self, units: Iterable[Unit]) -> Iterator[Done]:
        """What the engine gives."""
        given = list(units)
        sizes = {unit.number: len(unit.recordings) for unit in given}
        for done in self._engine(given):
            self.times.append((time.perf_counter(), busy(), sizes[done.number]))
            yield done


@contextmanager
def engines(kind: str, workers: int, listener: Listener) -> Iterator[Engine]:
    """Processes, or a Ray cluster of this machine with as many cores as workers."""
    if kind == "processes":
        yield Processes(listener, workers)
        return
    import ray

    ray.init("local", num_cpus=workers, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    try:
        with cluster(listener) as engine:
            yield engine
    finally:
        ray.shutdown()


def busy() -> float:
    """Seconds that all cores together were busy since the machine began."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def measured(kind: str, workers: int, folder: Path, out: Path, seconds: float) -> str:
    """A row of the table."""
    dataset = Dataset.at(str(out), None, None, DEFAULT_MODEL)
    began = time.perf_counter()
    with engines(kind, workers, Listener(dataset.model, dataset.channels)) as engine:
        timed = Timed(engine)
        done = dataset.update(source(str(folder)), timed)
    (first, before, _), *rest = timed.times
    last, after, _ = timed.times[-1]
    clips, wall, spent = sum(size for *_, size in rest) or math.nan, (last - first) or math.nan, after - before
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    cells = (
        *(f"{clips / wall:.1f}", f"{clips / wall * seconds:.0f}", f"{1000 * spent / clips:.1f}"),
        *(f"{spent / wall / (os.cpu_count() or 1):.0%}", f"{first - began:.0f}", f"{memory:.0f}"),
    )
    return f"| {' | '.join((str(done.added), kind, str(workers), *cells))} |"


def main() -> None:
    """Print a table, a row a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clips", type=int, nargs="+", default=[1000])
    parser.add_argument("--seconds", type=float, default=3.0, help="of a clip")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--engine", choices=["ray", "processes"], nargs="+", default=["processes", "ray"])
    parser.add_argument("--unit", type=int, default=200, help="clips that are heard at a time, at most")
    parser.add_argument("--folder", type=Path, help="where clips are made and kept; by default a temporary folder")
    chosen = parser.parse_args()
    print("| clips | engine | workers | clips/s | x | core ms | share | start | memory |\n|" + "---|" * 9, flush=True)
    with (
        tempfile.TemporaryDirectory(prefix="emorank-scale-") as temporary,
        patch("emorank.scale.units._MOST", chosen.unit),
    ):
        for count in chosen.clips:
            folder = (chosen.folder or Path(temporary)) / str(count)
            clips(folder, count, chosen.seconds)
            for kind in chosen.engine:
                for workers in chosen.workers:
                    out = Path(temporary) / "out"
                    print(measured(kind, workers, folder, out, chosen.seconds), flush=True)
                    shutil.rmtree(out)


if __name__ == "__main__":
    main()
