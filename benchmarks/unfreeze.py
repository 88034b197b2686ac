"""Memory and time of a step that trains the encoder's last layers, by chunks and with the whole batch at once.

Loss and gradient of Rank-N-Contrast over a batch of clips of 3.5 s of noise against 256 captions, through Whisper-base
with two of its layers unfrozen. Every measurement runs in a process of its own, with at most LIMIT of memory. The
memory of chunks holds the waves and the spectrograms of the batch, 96 kB a second of sound.

    .venv/bin/python benchmarks/unfreeze.py [BATCH ...]
"""

import resource
import sys
import time

from two_ways import rows

BATCHES = (16, 64, 256)
NAME, LAYERS, SECONDS, CAPTIONS = "whisper-base/2+3+4+5", 2, 3.5, 256
LIMIT = 12 * 2**30  # bytes


def measure(way: str, size: int) -> None:
    """Print seconds and peak memory in MiB of one step, beyond what the network itself takes."""
    import numpy as np
    import torch

    from emorank.losses import RankNContrast, Targets
    from emorank.training import unfrozen

    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    if way == "whole":
        unfrozen.checkpoint = lambda function, *given, **_: function(*given)  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    encoder = unfrozen.Unfrozen(NAME, LAYERS, unfrozen.FRAMES_AT_ONCE if way == "chunks" else 10**9)
    text = torch.randn(CAPTIONS, 2048 * 2)

    def step(clips: int) -> None:
        waves = (rng.standard_normal(round(SECONDS * 16_000)).astype(np.float32) for _ in range(clips))
        targets = Targets(torch.rand(clips, 3), torch.rand(CAPTIONS, 3))
        RankNContrast(anchors="both")(encoder(waves), text, targets, 10.0).backward()

    step(1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    step(size)
    seconds = time.perf_counter() - start
    print(seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)


def main() -> None:
    """Print the table."""
    sizes = [int(size) for size in sys.argv[1:]] or BATCHES
    print("| batch | by chunks | memory | at once | memory | ratio of times |\n|---|---|---|---|---|---|")
    rows(__file__, ("chunks", "whole"), sizes, LIMIT, (1, 2))


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("chunks", "whole"):
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
