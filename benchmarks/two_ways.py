"""Two ways of the same work beside each other, every measurement in a process of its own. Shared by benchmarks."""

import subprocess
import sys
from collections.abc import Iterable


def rows(script: str, ways: tuple[str, str], sizes: Iterable[int], limit: int, digits: tuple[int, int]) -> None:
    """Print a row of a table for every size: seconds and memory of both ways, and the ratio of their times.

    Args:
        script: is run as SCRIPT WAY SIZE, and prints first seconds, then MiB.
        ways: their names.
        sizes: of the work.
        limit: bytes that a process may take; one that fails is said to want more.
        digits: of seconds, and of the ratio, behind the point.
    """
    for size in sizes:
        cells, times = [], []
        for way in ways:
            run = subprocess.run([sys.executable, script, way, str(size)], capture_output=True, text=True, check=False)
            if run.returncode:
                cells += ["out of memory", f"> {limit // 2**30} GiB"]
                continue
            seconds, memory = map(float, run.stdout.split()[:2])
            times.append(seconds)
            cells += [f"{seconds:.{digits[0]}f} s", f"{memory:.0f} MiB"]
        ratio = f"{times[0] / times[1]:.{digits[1]}f}" if len(times) == 2 else ""
        print(f"| {size} | {' | '.join(cells)} | {ratio} |", flush=True)
