"""What the checksums of rows cost a search: .venv/bin/python benchmarks/sums.py [ROWS]."""

import sys
import time

import numpy as np
import pyarrow as pa

from emorank.affect import DIMENSIONS
from emorank.index import Segments, sums
from emorank.listening.encode import fixed_size_list


def rows(count: int, dim: int = 512) -> pa.Table:
    """Segments, three a recording."""
    rng = np.random.default_rng(0)
    columns = {
        "path": [f"/data/recordings/some/folder/call{i // 3:07d}.wav" for i in range(count)],
        "start": rng.random(count),
        "end": rng.random(count),
        "channel": pa.nulls(count, pa.int16()),
        "embedding": fixed_size_list(rng.random((count, dim), np.float32)),
        **{name: rng.random(count, np.float32) for name in (*DIMENSIONS, "loudness", "speech")},
        "damage": pa.nulls(count, pa.string()),
        "reason": pa.nulls(count, pa.string()),
        "size": np.arange(count),
        "changed": np.arange(count),
        "digest": ["ab" * 16] * count,
        "peaks": pa.array([bytes(96)] * count, pa.binary(96)),
        "feature": fixed_size_list(rng.random((count, 64), np.float32).astype(np.float16)),
    }
    table = pa.table(columns)
    return table.append_column(sums.COLUMN, sums.sums(table))


def main() -> None:
    """Print seconds."""
    table = rows(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
    for name, work in (
        ("checking what a search reads", lambda: sums.good(table, "searched")),
        ("bringing it into the order and form of a search", lambda: Segments.of(table)),
    ):
        begun = time.perf_counter()
        work()
        print(f"{len(table)} segments, {name}: {time.perf_counter() - begun:.2f} s")


if __name__ == "__main__":
    main()
