"""What every reader gives, and the scan that it becomes."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from emorank import audio
from emorank.errors import AudioError

_THREADS = 8  # reading waits for the disk as often as for the processor


@dataclass(frozen=True)
class LeftOut:
    """A file or row that is not in the table, and the reason.

    Args:
        path: the recording, or the name that metadata gives for one that is not there.
        reason: why; the same words for the same cause, so that they can be counted.
    """

    path: str
    reason: str


@dataclass(frozen=True)
class Reader:
    """How a corpus is read.

    Args:
        title: as in "no RAVDESS speech there".
        layout: what is expected in its folder, as in "data.tsv and samples/ were" (expected).
        utterances: folder -> table (`schema.COLUMNS` and any others) and what is not in it.
    """

    title: str
    layout: str
    utterances: Callable[[Path], tuple[pl.DataFrame, list[LeftOut]]]


@dataclass(frozen=True)
class CorpusScan:
    """A corpus as found.

    Args:
        name: of the corpus.
        table: one row an utterance, in the order of the paths; see `schema.COLUMNS`.
        left_out: what is not in it, and why.
    """

    name: str
    table: pl.DataFrame
    left_out: list[LeftOut]

    def summary(self) -> str:
        """What was found and what was left out, for a person."""
        known = self.table["duration"].drop_nulls()
        length = f"{known.sum() / 3600:.2f} h" if len(known) or self.table.is_empty() else "length not read"
        speakers = self.table["speaker"].drop_nulls().n_unique()
        lines = [f"{self.name}: {len(self.table)} utterances of {speakers} speakers, {length}"]
        for column, title in (("split", "split"), ("emotion", "emotion"), ("label_source", "labels")):
            counts = Counter(value or "none" for value in self.table[column])
            listed = ", ".join(f"{value} {count}" for value, count in sorted(counts.items()))
            lines += [f"  {title}: {listed}"] if counts else []
        examples = {left.reason: left.path for left in reversed(self.left_out)}
        for reason, count in Counter(left.reason for left in self.left_out).most_common():
            lines.append(f"  left out {count}: {reason} (such as {examples[reason]})")
        return "\n".join(lines)


def finish(name: str, table: pl.DataFrame, left_out: list[LeftOut], durations: bool) -> CorpusScan:
    """Order the table; with `durations`, fill them in and leave out recordings that cannot be decoded or are empty."""
    table = table.sort("path")
    if durations:
        found = _durations(table["path"])
        failed = [LeftOut(p, f) for p, f in zip(table["path"], found, strict=True) if isinstance(f, str)]
        left_out = left_out + failed
        seconds = pl.Series("duration", [None if isinstance(f, str) else f for f in found], dtype=pl.Float64)
        table = table.with_columns(seconds).filter(pl.col("duration").is_not_null())
    return CorpusScan(name, table, sorted(left_out, key=lambda left: (left.path, left.reason)))


def _durations(paths: Iterable[str]) -> list[float | str]:
    """Length of each recording in seconds, or the reason why it has none."""

    def of(path: str) -> float | str:
        try:
            return audio.length(path)
        except AudioError as error:
            return error.reason

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(of, paths))
