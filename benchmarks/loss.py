"""Rank-N-Contrast against the loop that it is usually published as: time and peak memory of loss and gradient.

The loop takes one column of positives at a time and masks a matrix of N x N for each, so that the gradient holds N of
them. Every measurement runs in a process of its own, with at most LIMIT of memory.

    .venv/bin/python benchmarks/loss.py
"""

import resource
import sys
import time
from typing import Any

from two_ways import rows

SIZES = (64, 256, 768, 2048, 4096, 8192, 16384)
LIMIT = 16 * 2**30  # bytes
LEAST = 1.0  # seconds that are measured
EMBEDDING_DIM = 512


def loop(audio: Any, text: Any, labels: Any, scale: float) -> Any:
    """The formula, one positive after the other."""
    import torch

    logits = scale * torch.nn.functional.normalize(audio, dim=1) @ torch.nn.functional.normalize(text, dim=1).T
    distances = torch.cdist(labels, labels)
    total = 0.0
    for j in range(len(text)):
        negatives = distances >= distances[:, j : j + 1]
        total = total + (logits.masked_fill(~negatives, -torch.inf).logsumexp(1) - logits[:, j]).sum()
    return total / logits.numel()


def ours(audio: Any, text: Any, labels: Any, scale: float) -> Any:
    """One sort and one cumulative sum."""
    from emorank.losses import RankNContrast, Targets

    return RankNContrast()(audio, text, Targets(labels, labels), scale)


def measure(name: str, size: int) -> None:
    """Print the fewest seconds and the peak memory in MiB of a loss with its gradient, beyond what torch takes."""
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    import torch

    torch.manual_seed(0)
    audio, text = (torch.randn(size, EMBEDDING_DIM, requires_grad=True) for _ in range(2))
    labels = torch.rand(size, 2) * 6 + 1
    loss = {"loop": loop, "ours": ours}[name]
    loss(audio[:8], text[:8], labels[:8], 1.0).backward()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times = []
    while sum(times) < LEAST:
        start = time.perf_counter()
        value = loss(audio, text, labels, 10.0)
        value.backward()
        times.append(time.perf_counter() - start)
    print(min(times), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, value.item())


def main() -> None:
    """Print the table."""
    print("| N | loop | memory | emorank | memory | ratio of times |\n|---|---|---|---|---|---|")
    rows(__file__, ("loop", "ours"), SIZES, LIMIT, (3, 0))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        main()
