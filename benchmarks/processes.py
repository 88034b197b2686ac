"""One contrastive batch over 1, 2 and 4 processes: the same work whatever their number, gloo, one thread each.

Each process contrasts its own anchors with the candidates of all. Beside it, in turns in the same processes, what is
simpler to write: every process gathers the batch and computes the whole loss. Loss and gradient, Rank-N-Contrast with
both anchors; the median of some rounds. Processor time is that of one process, so it does not depend on how many cores
there are and what else they do; seconds do.

    .venv/bin/python benchmarks/processes.py [ROWS]
"""

import os
import socket
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

ROWS, EMBEDDING_DIM, ROUNDS = 4096, 512, 5
COUNTS = (1, 2, 4)


def work(rank: int, count: int, port: int, rows: int, answers: Any) -> None:
    """One of the processes: put the name of the way, seconds and processor seconds of every round."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch
    from torch import distributed
    from torch.distributed.nn.functional import all_gather

    from emorank.losses import RankNContrast, Targets, across

    warnings.simplefilter("ignore", FutureWarning)  # of all_gather with gradients; what is to replace it takes one size
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=count)
    generator = torch.Generator().manual_seed(rank)
    own = rows // count
    audio, text = (torch.randn(own, EMBEDDING_DIM, generator=generator, requires_grad=True) for _ in range(2))
    labels = torch.rand(2, own, 3, generator=generator) * 6 + 1
    loss = RankNContrast(anchors="both")

    def by_rows() -> torch.Tensor:
        return across(loss, audio, text, Targets(*labels), 10.0)

    def whole() -> torch.Tensor:
        a, t, a_labels, t_labels = (torch.cat(all_gather(each)) for each in (audio, text, *labels))
        return loss(a, t, Targets(a_labels, t_labels), 10.0)

    ways: dict[str, Callable[[], torch.Tensor]] = {"rows": by_rows, "whole": whole}
    for number in range(ROUNDS + 1):
        for name, way in ways.items():
            distributed.barrier()
            wall, processor = time.perf_counter(), time.process_time()
            way().backward()
            distributed.barrier()
            if number:  # the first round warms up
                answers.put((name, time.perf_counter() - wall, time.process_time() - processor))
    distributed.destroy_process_group()


def measure(count: int, rows: int) -> dict[str, tuple[float, float]]:
    """Way -> median seconds of a round, and median processor seconds of a process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = get_context("spawn")
    answers = context.Queue()
    started = [context.Process(target=work, args=(rank, count, port, rows, answers)) for rank in range(count)]
    for process in started:
        process.start()
    found = [answers.get(timeout=600) for _ in range(2 * ROUNDS * count)]
    for process in started:
        process.join()
    return {
        name: (
            statistics.median(wall for way, wall, _ in found if way == name),
            statistics.median(processor for way, _, processor in found if way == name),
        )
        for name in ("rows", "whole")
    }


def main() -> None:
    """Print the table."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(
        f"| processes on {os.cpu_count()} cores | processor, each | seconds | whole loss in each: processor | seconds |"
    )
    print("|---|---|---|---|---|")
    for count in COUNTS:
        found = measure(count, rows)
        (own, own_processor), (whole, whole_processor) = found["rows"], found["whole"]
        cells = f"{own_processor:.2f} s | {own:.2f} s | {whole_processor:.2f} s | {whole:.2f} s"
        print(f"| {count} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
