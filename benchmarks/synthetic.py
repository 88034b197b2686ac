"""Draws synthetic indexes from real embeddings: there are not a million real recordings.

Embeddings are drawn again and again with noise: half the distance between a moment and its nearest neighbour, in a
random direction, kept positive and normalised as the head does.
"""

from collections.abc import Iterator
from functools import cache

import lancedb
import numpy as np
import pyarrow as pa

from emorank.index import table
from emorank.index.about import FORMAT, About, write
from emorank.index.named import NamedIndex, folder_of
from emorank.listening.encode import fixed_size_list

AT_ONCE = 50_000
A_RECORDING = 10  # moments


@cache
def noise(width: int) -> np.ndarray:
    """Normal numbers, of which a moment's noise is cut at any place: drawing them all would take most of the time."""
    return np.random.default_rng(0).standard_normal(4_000_000 + width, np.float32)


def half_apart(real: np.ndarray) -> float:
    """Half the distance between a real moment and its nearest neighbour."""
    some = np.random.default_rng(0).choice(len(real), min(2000, len(real)), replace=False)
    near = real[some] @ real.T
    near[np.arange(len(some)), some] = -1
    return 0.5 * float(np.median(np.sqrt(np.maximum(0, 2 - 2 * near.max(1)))))


def drawn(real: np.ndarray, half: float, count: int, seed: int) -> np.ndarray:
    """(count, embedding_dim) like the real ones: with noise of half the distance to the nearest neighbour."""
    rng = np.random.default_rng(seed)
    part = real[rng.integers(0, len(real), count)]
    width = real.shape[1]
    windows = np.lib.stride_tricks.sliding_window_view(noise(width), width)
    some = windows[rng.integers(0, len(windows), count)]
    part += some * (half / np.linalg.norm(some, axis=1, keepdims=True))
    np.maximum(part, 0, out=part)
    part /= np.linalg.norm(part, axis=1, keepdims=True)
    return part


def layout(model: object) -> pa.Schema:
    """The schema of the table, with a feature of one number."""
    real = table.made_now(table.schema(model))
    at = real.get_field_index("feature")
    return real.set(at, pa.field("feature", pa.list_(pa.float16(), 1), nullable=False))


def rows(real: np.ndarray, half: float, first: int, count: int, schema: pa.Schema) -> pa.Table:
    """Moments from a number on, ten a recording."""
    rng = np.random.default_rng(first + 1)
    numbers = np.arange(first, first + count)
    places = rng.uniform(1, 7, (count, 3)).astype(np.float32)
    values = {
        "path": [f"/recordings/{n // A_RECORDING:08d}.wav" for n in numbers],
        "size": np.full(count, 100_000),
        "changed": np.full(count, 1),
        "digest": [f"{n // A_RECORDING:032x}" for n in numbers],
        "start": numbers % A_RECORDING * 5.0,
        "end": numbers % A_RECORDING * 5.0 + rng.uniform(1, 5, count),
        "loudness": rng.uniform(-50, -10, count).astype(np.float32),
        "speech": rng.uniform(0, 5, count).astype(np.float32),
        "valence": places[:, 0],
        "arousal": places[:, 1],
        "dominance": places[:, 2],
        "feature": fixed_size_list(np.zeros((count, 1), np.float16)),
        "embedding": fixed_size_list(drawn(real, half, count, first)),
    }
    columns = {
        field.name: values.get(field.name, pa.nulls(count, field.type)) for field in schema if field.name != "sums"
    }
    made = pa.table({name: pa.array(v) if isinstance(v, np.ndarray | list) else v for name, v in columns.items()})
    return table.summed(made.cast(pa.schema([f.with_nullable(True) for f in schema if f.name != "sums"])), schema)


def made(real: np.ndarray, name: str, model: str, count: int) -> NamedIndex:
    """A named index of synthetic moments."""
    folder = folder_of(name)
    folder.mkdir(parents=True)
    write(folder, About(FORMAT, model, ["/recordings"]))
    named = NamedIndex.open(name)
    schema, half = layout(named.model), half_apart(real)

    def batches() -> Iterator[pa.RecordBatch]:
        for first in range(0, count, AT_ONCE):
            yield from rows(real, half, first, min(AT_ONCE, count - first), schema).to_batches()

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    lancedb.connect(folder).create_table(table.table_name(named.model), data=reader, schema=schema)
    return named
