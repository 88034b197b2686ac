"""Runs the benchmarks that docs/performance.md names and puts what they print into it.

    .venv/bin/python benchmarks/bench.py [NAME ...]      # or: make bench

A line `<!-- bench: loss.py -->` in that page names one, with its arguments if it needs some; what stands between it
and `<!-- end -->` is replaced by what the benchmark prints: tables as they are, everything else as a block. `machine`
stands for this machine and the versions. NAMEs choose among them. One that fails leaves its part as it was, and is
named. All ratios of these tables, to whatever else does the same work, are drawn beside the page: those of a column
that is called a ratio, and those that a cell names, as in "5.0 (ratio 9.9)".
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
PICTURE = PAGE.with_suffix(".png")
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


def ratios(page: str) -> dict[str, dict[str, float]]:
    """Benchmark -> what was compared -> how many times as fast it is as the other way."""
    found: dict[str, dict[str, float]] = {}
    for _, command, text, _ in _PART.findall(page):
        table = [
            [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
        ]
        if not table:
            continue
        header, _, *rows = table
        for first, *cells in rows:
            for column, cell in zip(header[1:], cells, strict=True):
                named = re.search(r"\(ratio ([\d.]+)\)", cell)
                if named or (column.startswith("ratio") and cell):
                    what = f"{header[0]} = {first}" if header[0].isalpha() else first
                    other = f" ({column})" if named else ""
                    number = float(named.group(1) if named else cell)
                    found.setdefault(command.split(".")[0], {})[what + other] = number
    return found


def draw(page: str, path: Path) -> None:
    """A bar for every ratio of the page."""
    from matplotlib.figure import Figure

    found = ratios(page)
    count = sum(map(len, found.values()))
    figure = Figure(figsize=(8.5, 0.24 * count + 1.2), dpi=110)
    axis = figure.subplots()
    place = 0
    labels = []
    for colour, (name, bars) in zip(
        ("#2f6db3", "#c7653c", "#123c69", "#e8a33d", "#7b8794"), found.items(), strict=False
    ):
        places = range(place, place + len(bars))
        axis.barh(places, [number - 1 for number in bars.values()], left=1, color=colour, label=name)
        for at, number in zip(places, bars.values(), strict=True):
            axis.text(max(number, 1) * 1.04, at, f"{number:g}", va="center", fontsize=7)
        labels += bars
        place += len(bars)
    axis.set_yticks(range(count), labels, fontsize=7)
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter("{x:g}")
    axis.axvline(1, color="#555555", linewidth=0.8)
    axis.set_xlabel("times as fast as the other way, in the same run")
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(found))
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Measure, write page and picture, and name what failed."""
    page, failed = renewed(PAGE.read_text("utf8"), sys.argv[1:])
    PAGE.write_text(page, "utf8")
    draw(page, PICTURE)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
