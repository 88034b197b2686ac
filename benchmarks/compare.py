"""What became slower: the same work by the code of another revision and by the working tree, by turns.

    .venv/bin/python benchmarks/compare.py BASE [WORK ...]      # or: make bench-compare BASE=v0.1.0

BASE is any revision; its code is checked out beside this one for as long as it takes. Every piece of work runs in a
process of its own, first by one code, then by the other, ROUNDS times over; of each the fastest counts, so that other
work on the machine hits both alike. What takes over 20 % longer is named, and the exit status is 1. Work that a
revision cannot do is left out.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS, REPEATS = 3, 5
SLOWER = 1.2
Work = Callable[[], Callable[[], object]]  # makes ready; what it gives is timed


def command_line() -> Callable[[], object]:
    """A whole process that shows its help."""
    return lambda: subprocess.run([sys.executable, "-m", "emorank", "--help"], check=True, capture_output=True)


def loss(size: int = 512) -> Callable[[], object]:
    """Rank-N-Contrast and its gradient."""
    import torch

    from emorank.losses import RankNContrast, Targets

    torch.manual_seed(0)
    audio, text = (torch.randn(size, 512, requires_grad=True) for _ in range(2))
    labels = torch.rand(size, 2) * 6 + 1
    return lambda: RankNContrast()(audio, text, Targets(labels, labels), 10.0).backward()


def encoding() -> Callable[[], object]:
    """The audio encoder on 8 clips of 3 s."""
    import numpy as np

    from emorank.encoders import SMALL_AUDIO, audio_encoder

    waves = list(0.1 * np.random.default_rng(0).standard_normal((8, 48_000)).astype(np.float32))
    encoder = audio_encoder(SMALL_AUDIO)
    return lambda: encoder(waves)


def describing() -> Callable[[], object]:
    """The text encoder on 64 captions."""
    from emorank.captions import bundled
    from emorank.encoders import SMALL_TEXT, text_encoder

    encoder, texts = text_encoder(SMALL_TEXT), list(bundled("test").texts[:64])
    return lambda: encoder(texts)


def alignment() -> Callable[[], object]:
    """One trial of 800 pairs that share 200 captions."""
    import numpy as np

    from emorank.evaluation.alignment import distances

    rng = np.random.default_rng(0)
    audio, text = (rng.random((count, 512)).astype(np.float32) / 13 for count in (800, 200))
    text = text[rng.integers(0, 200, 800)]
    return lambda: distances(audio, text, np.random.default_rng(0))


def retrieval() -> Callable[[], object]:
    """4,000 utterances by 400 captions and back, with categories."""
    import numpy as np

    from emorank.evaluation.retrieval import retrieval

    rng = np.random.default_rng(0)
    audio, text = (rng.standard_normal((count, 64)).astype(np.float32) / 30 for count in (4000, 400))
    caption_of = np.arange(4000) % 400
    return lambda: retrieval(audio, text, caption_of, [str(kind) for kind in caption_of % 8])


WORK: dict[str, Work] = {
    "emorank --help": command_line,
    "loss, N = 512": loss,
    "encoding speech": encoding,
    "encoding captions": describing,
    "alignment": alignment,
    "retrieval": retrieval,
}


def seconds(name: str, tree: Path) -> float | None:
    """The fastest of some repeats of a piece of work by the code of a tree; None if it cannot do it."""
    environment = os.environ | {"PYTHONPATH": str(tree / "src")}
    command = [sys.executable, __file__, "--work", name]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tree)
    return float(run.stdout.split()[-1]) if run.returncode == 0 else None


def compared(base: Path, tree: Path, names: list[str]) -> dict[str, tuple[float, float]]:
    """Work -> fastest times of both, where both can do it."""
    found = {}
    for name in names:
        pairs = [(seconds(name, base), seconds(name, tree)) for _ in range(ROUNDS)]
        before, after = ([time for time in each if time is not None] for each in zip(*pairs, strict=True))
        if before and after:
            found[name] = (min(before), min(after))
        else:
            print(f"{name}: {'the base' if not before else 'the working tree'} cannot do it", file=sys.stderr)
    return found


def table(found: dict[str, tuple[float, float]]) -> str:
    """As Markdown, slowdowns marked."""
    lines = ["| work | base | working tree | ratio | |", "|---|---|---|---|---|"]
    for name, (before, after) in found.items():
        mark = "**slower**" if after > SLOWER * before else ""
        lines.append(f"| {name} | {before:.4f} s | {after:.4f} s | {after / before:.2f} | {mark} |")
    return "\n".join(lines)


def main() -> None:
    """Compare, or do one piece of work and print its time."""
    if sys.argv[1:2] == ["--work"]:
        work = WORK[sys.argv[2]]()
        times = []
        for _ in range(REPEATS):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        print(min(times))
        return
    if len(sys.argv) < 2 or not set(sys.argv[2:]) <= WORK.keys():
        sys.exit(f"usage: compare.py BASE [WORK ...]; the work is {', '.join(map(repr, WORK))}")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        git = ["git", "-C", str(ROOT), "worktree"]
        if subprocess.run([*git, "add", "--quiet", "--detach", str(base), sys.argv[1]], check=False).returncode:
            sys.exit(f"git has no revision {sys.argv[1]!r}")
        try:
            found = compared(base, ROOT, sys.argv[2:] or list(WORK))
        finally:
            subprocess.run([*git, "remove", "--force", str(base)], check=True)
    print(table(found))
    sys.exit(any(after > SLOWER * before for before, after in found.values()))


if __name__ == "__main__":
    main()
