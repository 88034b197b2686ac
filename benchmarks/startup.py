"""Whole-process times of the command line: help, a first and a second search of a folder.

.venv/bin/python benchmarks/startup.py [FOLDER]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EMORANK = [sys.executable, "-m", "emorank"]
SAMPLES = Path(__file__).parents[1] / "samples"


def seconds(*arguments: str) -> float:
    """Wall-clock time of one command."""
    began = time.perf_counter()
    subprocess.run([*EMORANK, *arguments], check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Print each time, the best of three where the command can be repeated."""
    folder = sys.argv[1] if len(sys.argv) > 1 else str(SAMPLES)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EMORANK_CACHE"] = cache
        print(f"emorank --help  {min(seconds('--help') for _ in range(3)):6.2f} s")
        print(f"first search    {seconds('search', 'a calm, warm voice', folder):6.2f} s")
        print(f"second search   {min(seconds('search', 'furious, shouting', folder) for _ in range(3)):6.2f} s")


if __name__ == "__main__":
    main()
