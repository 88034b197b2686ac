"""An index larger than memory: recall, times, memory and updates of a server of one, beside LanceDB's exact search.

    .venv/bin/python benchmarks/large.py RECORDINGS [--counts 1000000 10000000] [--folder FOLDER] [--within CGROUP]

Recordings are indexed with emorank-base, and synthetic indexes are drawn from their embeddings (see
benchmarks/synthetic.py) in FOLDER, about 2.3 GB for a million moments, and removed again. Their tables lack the
encoder's outputs, which no search reads. Queries are 50 real descriptions, one at a time. A moment that was found
counts when it is as near as the tenth really is. The update adds 900 moments and takes away ten recordings here and
there. Processor time is that of all cores, and counts where others use them too. Memory is that of the process that
serves: its own, and apart from that the pages of mapped files, which the system takes back when it needs them. CGROUP
is a folder of Linux's control groups: the queries are asked of a process within its limit of memory too, which mapped
files count for, and of which nothing is held when they begin.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as emorank serve does

import lancedb
import numpy as np

from emorank.captions.bank import bundled
from emorank.index import table
from emorank.index.named import NamedIndex, folder_of
from emorank.listening.encode import matrix
from emorank.search import NOT, Collection, Direction, Near, Query, find
from emorank.search.mapped import follow
from emorank.search.opened import named_collection
from emorank.serve.snapshots import ServedIndex
from synthetic import A_RECORDING, half_apart, made, rows

TOP = 10


def memory() -> dict[str, float]:
    """GB of this process: its own, of mapped files, and the most there ever was of both."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    parts = {name: int(size) / 1e6 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", rollup, re.MULTILINE)}
    most = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1e6
    return {"own": parts["Anonymous"], "mapped": parts["Rss"] - parts["Anonymous"], "most": most}


def queries(named: NamedIndex) -> np.ndarray:
    """(50, embedding_dim)."""
    texts = np.random.default_rng(0).permutation(sorted(bundled("test").texts))[:50]
    return named.model.encode_text([str(text) for text in texts])


def serve(name: str) -> None:
    """Open an index as a server does, ask it, and print what was measured as JSON."""
    named = NamedIndex.open(name)
    asked = queries(named)
    begun = time.perf_counter()
    served = ServedIndex(named, memory=0)
    report: dict[str, object] = {"opened": time.perf_counter() - begun, "at first": memory()}
    kinds = {
        "a description": lambda q, other: Query((Direction(q),), top=TOP),
        "two and a not": lambda q, other: Query((Direction(q), Direction(other), Direction(-q, NOT)), top=TOP),
        "near a place": lambda q, other: Query((Direction(q),), Near(2, 6, 0.7), top=TOP),
        "duration > 3": lambda q, other: Query((Direction(q),), where="duration > 3", top=TOP),
        "of a recording's name": lambda q, other: Query((Direction(q),), where="file like '%7.wav'", top=TOP),
        "one a recording": lambda q, other: Query((Direction(q),), group="recording", top=TOP),
        "a place alone": lambda q, other: Query(near=Near(2, 6, 0.7), top=TOP),
    }
    times: dict[str, list[float]] = {}
    work: dict[str, list[float]] = {}
    found = []
    for kind, query in kinds.items():
        for i in range(len(asked) if kind == "a description" else 10):
            begun, worked = time.perf_counter(), time.process_time()
            answer = find(served.snapshot.collection, query(asked[i], asked[i - 1]))
            times.setdefault(kind, []).append(1000 * (time.perf_counter() - begun))
            work.setdefault(kind, []).append(1000 * (time.process_time() - worked))
            if kind == "a description":
                found.append([hit.id for hit in answer.hits])
                report["percentile_error"] = answer.percentile_error
    report |= {"found": found, "times": times, "work": work, "after": memory()}
    print(json.dumps(report), flush=True)
    if not sys.stdin.readline():  # else 1,000 rows were written meanwhile
        return
    slowest, done = 0.0, []
    import threading

    worker = threading.Thread(target=lambda: done.append(served.renew()))
    before = served.snapshot.version
    begun = time.perf_counter()
    worker.start()
    while worker.is_alive():
        asking = time.perf_counter()
        find(served.snapshot.collection, kinds["a description"](asked[0], asked[1]))
        slowest = max(slowest, time.perf_counter() - asking)
    report["renewed"] = time.perf_counter() - begun
    assert served.snapshot.version > before
    asking = time.perf_counter()
    find(served.snapshot.collection, kinds["a description"](asked[0], asked[1]))
    report |= {"first after": time.perf_counter() - asking, "slowest meanwhile": slowest, "in the end": memory()}
    print(json.dumps(report), flush=True)


def recall(named: NamedIndex, found: list[list[str]]) -> float:
    """Share of what was found that is as near as the tenth really is."""
    asked = queries(named).T
    view = named.reading.view()
    assert view is not None
    best = np.full((TOP, asked.shape[1]), -1, np.float32)
    for _, some in view.all(["embedding"], ()):
        best = -np.partition(-np.concatenate([best, matrix(some["embedding"]) @ asked]), TOP - 1, axis=0)[:TOP]
    collection = named_collection(named, memory=0)
    near = 0
    for i, ids in enumerate(found):
        at = collection.segments.embeddings[[collection.rows[id] for id in ids]] @ asked[:, i]
        near += int((at >= best[:, i].min() - 1e-6).sum())
    return near / TOP / len(found)


def forget(folder: Path) -> None:
    """Have the system drop what it holds of files, so that who reads them next is charged for them."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def charged(within: Path) -> str:
    """The most memory that was counted in a control group, mapped files included."""
    (most,) = [each for name in ("memory.peak", "memory.max_usage_in_bytes") if (each := within / name).exists()]
    return f"{int(most.read_text()) / 1e9:.2f} GB"


def by_lancedb(rows_table: lancedb.table.Table, asked: np.ndarray) -> float:
    """Seconds of LanceDB's own search of all rows, the median of a few."""
    times = []
    for query in asked[:5]:
        begun = time.perf_counter()
        rows_table.search(query, vector_column_name="embedding").distance_type("cosine").select(
            ["path", "_distance"]
        ).limit(TOP).to_arrow()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))


def answered(name: str, within: Path | None = None) -> tuple[dict[str, Any], "subprocess.Popen[str]"]:
    """What a server measured of queries, and the server, which waits; in a control group it has ended."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    if within:
        (within / "cgroup.procs").write_text(str(server.pid))
    report = json.loads(server.stdout.readline())
    if within:
        server.communicate()
    return report, server


def quantiles(times: list[float]) -> str:
    """The median and what 95 of 100 stay below."""
    return f"{np.quantile(times, 0.5):.0f} / {np.quantile(times, 0.95):.0f}"


def measured(real: np.ndarray, model: str, count: int, within: Path | None) -> dict[str, str]:
    """Make, serve, update and measure an index: what was measured -> as it is shown."""
    name = f"large-{count}"
    begun = time.perf_counter()
    named = made(real, name, model, count)
    writing = time.perf_counter() - begun
    view = named.reading.view()
    assert view is not None
    begun = time.perf_counter()
    follow.followed(view)
    files = time.perf_counter() - begun
    size = sum(file.stat().st_size for file in follow.folder_of(view).rglob("*") if file.is_file())
    report, server = answered(name)
    near = recall(named, report["found"])
    rows_table = lancedb.connect(named.folder).open_table(table.table_name(named.model))
    alternative = by_lancedb(rows_table, queries(named))
    rows_table.add(rows(real, half_apart(real), count, 900, rows_table.schema))
    gone = np.random.default_rng(0).choice(count // A_RECORDING, 10, replace=False)  # here and there
    rows_table.delete(f"path IN ({', '.join(repr(f'/recordings/{n:08d}.wav') for n in gone)})")
    report |= json.loads(server.communicate("\n")[0])
    described = float(np.median(report["times"]["a description"]))
    shown = {f"{kind}, p50 / p95 ms": quantiles(times) for kind, times in report["times"].items()}
    shown["a description, processor ms"] = f"{np.median(report['work']['a description']):.0f}"
    shown["a description by LanceDB, exact"] = f"{1000 * alternative:.0f} (ratio {1000 * alternative / described:.1f})"
    shown["recall@10"] = f"{near:.3f}"
    shown["percentiles within"] = f"{report['percentile_error']}"
    shown["table written, files made"] = f"{writing:.0f} s, {files:.0f} s of {size / 1e9:.2f} GB"
    shown["opened in"] = f"{report['opened']:.1f} s"
    for when in ("at first", "after", "in the end"):
        own, mapped, most = (report[when][part] for part in ("own", "mapped", "most"))
        shown[f"memory {when}: own, mapped, most GB"] = f"{own:.2f}, {mapped:.2f}, {most:.2f}"
    shown["an update of 1,000 rows is followed in"] = f"{report['renewed']:.2f} s"
    shown["slowest answer meanwhile"] = f"{report['slowest meanwhile']:.2f} s"
    shown["first query afterwards"] = f"{report['first after']:.2f} s"
    if within:
        forget(follow.folder_of(view))
        forget(named.folder)
        limited, _ = answered(name, within)
        for kind in ("a description", "duration > 3"):
            shown[f"{kind}, within the limit, p50 / p95 ms"] = quantiles(limited["times"][kind])
        shown["counted within the limit at most"] = charged(within)
    return shown


def main() -> None:
    """Measure every count."""
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("recordings")
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000_000], help="of synthetic moments")
    parser.add_argument("--folder", type=Path, help="where there is room; by default the temporary one")
    parser.add_argument("--within", type=Path, help="control group with a limit of memory")
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="emorank-large-", dir=options.folder) as place:
        os.environ |= {"EMORANK_DATA": f"{place}/data", "EMORANK_CACHE": f"{place}/cache"}
        indexing = [sys.executable, "-m", "emorank", "index", options.recordings, "--name", "voices"]
        subprocess.run(indexing, check=True, stdout=sys.stderr)
        named = NamedIndex.open("voices")
        real = Collection.of(named).segments.embeddings
        found = {}
        for count in options.counts:
            found[count] = measured(real, named.model_name, count, options.within)
            shutil.rmtree(folder_of(f"large-{count}"))
            shutil.rmtree(f"{place}/cache/search", ignore_errors=True)
    print(f"| of {len(real)} real moments | {' | '.join(f'{count:,}' for count in found)} |")
    print("|---" * (len(found) + 1) + "|")
    for what in next(iter(found.values())):
        print(f"| {what} | {' | '.join(each[what] for each in found.values())} |")


if __name__ == "__main__":
    main()
