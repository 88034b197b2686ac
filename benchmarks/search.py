"""Which way of finding the nearest segments is how good and how fast, for 10,000, 100,000 and 1,000,000 of them.

pip install faiss-cpu usearch
OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/search.py INDEX [COUNT ...]

INDEX is a name known to emorank index; more embeddings are drawn from its own (see benchmarks/synthetic.py). Queries
are 100 real descriptions, one at a time. A segment that was found counts when it is as near as the tenth really is.
"Filtered" is the time with a filter that a tenth of the segments passes.
"""

import sys
import tempfile
import time
from collections.abc import Callable

import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import HnswSq, IvfPq

from emorank.captions.bank import bundled
from emorank.index import Segments
from emorank.index.named import NamedIndex
from emorank.search import Collection, Direction, Query, find
from emorank.search.scan import Scan
from synthetic import AT_ONCE, drawn, half_apart

TOP = 10
RESCORED = 2_000  # as a query does
LARGEST_BUILT = 100_000  # segments; what has to be built takes a quarter of an hour and more for a million on two cores
Search = Callable[[np.ndarray], np.ndarray]  # a query -> rows


def best(scores: np.ndarray) -> np.ndarray:
    """Rows of the highest scores."""
    return np.argpartition(scores, len(scores) - TOP)[-TOP:]


def row(
    name: str, data: np.ndarray, queries: np.ndarray, built: float, search: Search, filtered: Search | None
) -> None:
    """Measure a way and print its row."""
    hits, times, masked = 0, [], []
    for query in queries:
        begun = time.perf_counter()
        found = search(query)
        times.append(time.perf_counter() - begun)
        exact = data @ query
        tenth = np.partition(exact, len(exact) - TOP)[-TOP]
        hits += int((exact[found] >= tenth - 1e-6).sum())
        if filtered is not None:
            begun = time.perf_counter()
            filtered(query)
            masked.append(time.perf_counter() - begun)
    p50, p95 = (1000 * np.quantile(times, q) for q in (0.5, 0.95))
    with_filter = f"{1000 * np.median(masked):.1f}" if masked else ""
    recall = hits / TOP / len(queries)
    print(f"| {name} | {recall:.3f} | {p50:.1f} | {p95:.1f} | {with_filter} | {built:.1f} |", flush=True)


def in_memory(data: np.ndarray, queries: np.ndarray, passing: np.ndarray) -> None:
    """Numpy and our scan."""
    row(
        "numpy, exact",
        data,
        queries,
        0.0,
        lambda query: best(data @ query),
        lambda query: best(np.where(passing, data @ query, -1)),
    )
    for dims in (16, 32, 64):
        begun = time.perf_counter()
        scan = Scan(data, dims=dims)
        built = time.perf_counter() - begun

        def found(query: np.ndarray, scan: Scan = scan, mask: np.ndarray | None = None) -> np.ndarray:
            cosines = scan.scores(query[:, None])[:, 0]
            rows = np.arange(len(cosines)) if mask is None else np.flatnonzero(mask)
            rows = rows[np.argpartition(cosines[rows], -min(RESCORED, len(rows)))[-RESCORED:]]
            return rows[best(data[rows] @ query)]

        row(f"our scan, {dims} dimensions", data, queries, built, found, lambda q, f=found: f(q, mask=passing))

    collection = collected(data)
    begun = time.perf_counter()
    collection.scan  # noqa: B018  - made now
    built = time.perf_counter() - begun

    def whole(query: np.ndarray) -> np.ndarray:
        return np.array([hit.row for hit in find(collection, Query((Direction(query),), top=TOP)).hits])

    row("emorank: a whole query, with percentiles", data, queries, built, whole, None)


def collected(data: np.ndarray) -> Collection:
    """Segments with these embeddings, ten a recording."""
    rows = np.arange(len(data))
    paths = [f"/recordings/{number // 10:06d}.wav" for number in rows]
    points = np.random.default_rng(2).uniform(1, 7, (len(data), 3)).astype(np.float32)
    return Collection(
        Segments(
            paths,
            rows % 10 * 5.0,
            rows % 10 * 5.0 + 4,
            data,
            points,
            np.zeros(len(data), np.float32),
            np.zeros(len(data), np.int16),
            {},
        )
    )


def in_lancedb(data: np.ndarray, queries: np.ndarray, passing: np.ndarray) -> None:
    """A table on disk, without and with its indexes."""
    with tempfile.TemporaryDirectory() as folder:
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(data.reshape(-1)), data.shape[1])
        columns = {"row": pa.array(np.arange(len(data))), "passes": pa.array(passing), "vector": vectors}
        table = lancedb.connect(folder).create_table("t", pa.table(columns))

        def found(query: np.ndarray, where: str | None = None, **options: int) -> np.ndarray:
            search = table.search(query).distance_type("cosine").select(["row", "_distance"]).limit(TOP)
            for name, value in options.items():
                search = getattr(search, name)(value)
            if where:
                search = search.where(where, prefilter=True)
            return search.to_arrow()["row"].to_numpy()

        row("LanceDB, exact", data, queries[:10], 0.0, found, lambda query: found(query, "passes"))
        if len(data) > LARGEST_BUILT:
            return
        for kind, config, options in (
            ("IVF_PQ", IvfPq(distance_type="cosine"), {"nprobes": 20, "refine_factor": 20}),
            ("IVF_HNSW_SQ", HnswSq(distance_type="cosine"), {"nprobes": 20, "refine_factor": 5, "ef": 200}),
        ):
            begun = time.perf_counter()
            table.create_index("vector", config=config, replace=True)
            built = time.perf_counter() - begun
            row(
                f"LanceDB {kind}, {', '.join(f'{name} {value}' for name, value in options.items())}",
                data,
                queries,
                built,
                lambda query, options=options: found(query, **options),
                lambda query, options=options: found(query, "passes", **options),
            )


def in_libraries(data: np.ndarray, queries: np.ndarray) -> None:
    """Faiss and usearch."""
    if len(data) > LARGEST_BUILT:
        return
    import faiss
    from usearch.index import Index

    begun = time.perf_counter()
    lists = int(4 * np.sqrt(len(data)))
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(data.shape[1]), data.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    ivf.train(data[:: max(1, len(data) // (40 * lists))])
    ivf.add(data)
    built = time.perf_counter() - begun
    for probes in (8, 64):
        ivf.nprobe = probes
        row(f"faiss IVF, {probes} probes", data, queries, built, lambda query: ivf.search(query[None], TOP)[1][0], None)
    begun = time.perf_counter()
    graph = Index(ndim=data.shape[1], metric="ip", dtype="f16", expansion_search=128)
    graph.add(np.arange(len(data)), data)
    built = time.perf_counter() - begun
    row("usearch HNSW, f16", data, queries, built, lambda query: graph.search(query, TOP).keys.astype(np.int64), None)


def main() -> None:
    """Print a table for every count."""
    named = NamedIndex.open(sys.argv[1])
    counts = [int(count) for count in sys.argv[2:]] or [10_000, 100_000, 1_000_000]
    real = Collection.of(named).segments.embeddings
    texts = np.random.default_rng(0).permutation(sorted(bundled("test").texts))[:100]
    queries = named.model.encode_text([str(text) for text in texts])
    spread = np.linalg.eigvalsh(np.cov(real.T))[::-1]
    kept = ", ".join(f"{dims}: {spread[:dims].sum() / spread.sum():.4f}" for dims in (4, 8, 16, 32, 64))
    print(f"{len(real)} real segments; share of the variance in the first dimensions: {kept}")
    half = half_apart(real)
    for count in counts:
        starts = range(0, count, AT_ONCE)
        data = np.concatenate([drawn(real, half, min(AT_ONCE, count - start), start) for start in starts])
        passing = np.random.default_rng(1).random(count) < 0.1
        print(f"\n{count:,} segments\n\n| way | recall@10 | p50 ms | p95 ms | filtered, p50 ms | build s |")
        print("|---|---|---|---|---|---|")
        in_memory(data, queries, passing)
        in_lancedb(data, queries, passing)
        in_libraries(data, queries)


if __name__ == "__main__":
    main()
