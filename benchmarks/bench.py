"""Runs the benchmarks that docs/performance.md names and puts what they print into it.

    .venv/bin/python benchmarks/bench.py [NAME ...]      # or: make bench

A line `<!-- bench: loss.py -->` in that page names one, with its arguments if it needs some; what stands between it
and `<!-- end -->` is replaced by what the benchmark prints: tables as they are, everything else as a block. `machine`
stands for this machine and the versions. NAMEs choose among them. One that fails leaves its part as it was, and is
named.
"""

import os
import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
_PART = re.compile(r"(<!-- bench: (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_LIBRARIES = ("emorank", "torch", "numpy", "transformers", "lancedb")


def machine() -> str:
    """The processor, its cores, the memory, and the versions of what does the work."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = re.search(r"model name\s*: (.+)", info.read_text("utf8"))
        cpu = found.group(1) if found else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {version(name)}" for name in _LIBRARIES)
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB; Python {platform.python_version()}, {libraries}."


def measured(command: str) -> str | None:
    """What a benchmark prints, as it stands in the page; None where it failed."""
    if command == "machine":
        return machine() + "\n"
    name, *arguments = shlex.split(command)
    run = subprocess.run([sys.executable, ROOT / "benchmarks" / name, *arguments], stdout=subprocess.PIPE, text=True)
    if run.returncode or not run.stdout.strip():
        return None
    text = run.stdout.strip() + "\n"
    return text if text.startswith("|") else f"```\n{text}```\n"


def renewed(page: str, chosen: list[str]) -> tuple[str, list[str]]:
    """The page with its parts measured anew, and the benchmarks that failed."""
    failed = []

    def part(match: re.Match[str]) -> str:
        head, command, old, end = match.groups()
        if chosen and command.split()[0] not in chosen:
            return match.group()
        print(command, file=sys.stderr, flush=True)
        new = measured(command)
        if new is None:
            failed.append(command)
        return head + (old if new is None else new) + end

    return _PART.sub(part, page), failed


def main() -> None:
    """Measure, write the page, and name what failed."""
    page, failed = renewed(PAGE.read_text("utf8"), sys.argv[1:])
    PAGE.write_text(page, "utf8")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
