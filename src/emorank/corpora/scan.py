"""What every reader gives, and how it becomes an utterance table."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from emorank import audio
from emorank.errors import AudioError

#: Columns of an utterance table that readers fill; any others of a user's own table stay beside them.
COLUMNS: dict[str, Any] = {
    "path": pl.String,
    "valence": pl.Float64,
    "arousal": pl.Float64,
    "dominance": pl.Float64,
    "emotion": pl.String,
    "caption": pl.String,
    "speaker": pl.String,
    "gender": pl.String,
    "split": pl.String,
    "corpus": pl.String,
    "language": pl.String,
    "label_source": pl.String,
    "transcript": pl.String,
    "duration": pl.Float64,
}


@dataclass(frozen=True)
class LeftOut:
    """A file or row that is not in the table, and the reason."""

    path: str
    reason: str


Row = dict[str, Any]
Reader = Callable[[Path], tuple[list[Row], list[LeftOut]]]


@dataclass(frozen=True)
class CorpusScan:
    """A corpus as found.

    Args:
        name: of the corpus.
        table: one row an utterance, see `COLUMNS`.
        left_out: what is not in it, and why.
    """

    name: str
    table: pl.DataFrame
    left_out: tuple[LeftOut, ...]

    def summary(self) -> str:
        """What was found and what was left out, for a person."""
        table = self.table
        hours = (table["duration"].sum() or 0) / 3600
        lines = [
            f"{self.name}: {len(table)} utterances of {table['speaker'].drop_nulls().n_unique()} speakers, {hours:.2f} h"
        ]
        for column in ("split", "emotion", "label_source"):
            counts = Counter(value for value in table[column] if value is not None)
            if counts:
                listed = ", ".join(f"{value} {count}" for value, count in sorted(counts.items()))
                lines.append(f"  {column.replace('label_source', 'labels')}: {listed}")
        for reason, count in Counter(left.reason for left in self.left_out).most_common():
            example = next(left.path for left in self.left_out if left.reason == reason)
            lines.append(f"  left out {count}: {reason} (such as {example})")
        return "\n".join(lines)


def finish(name: str, rows: list[Row], left_out: list[LeftOut], durations: bool) -> CorpusScan:
    """Rows -> table in the order of the paths; recordings whose header cannot be read are left out with the reason."""
    rows = sorted(rows, key=lambda row: str(row["path"]))
    if durations:
        kept = []
        for row, found in zip(rows, _durations(row["path"] for row in rows), strict=True):
            if isinstance(found, AudioError):
                left_out.append(LeftOut(found.path, found.reason))
            else:
                kept.append({**row, "duration": found})
        rows = kept
    extra = {column: None for row in rows for column in row if column not in COLUMNS}
    table = pl.DataFrame(
        {column: [row.get(column) for row in rows] for column in (*COLUMNS, *extra)},
        schema_overrides=COLUMNS,
        strict=False,
    )
    return CorpusScan(name, table, tuple(sorted(left_out, key=lambda left: left.path)))


def _durations(paths: Iterable[str]) -> Iterator[float | AudioError]:
    def of(path: str) -> float | AudioError:
        try:
            return audio.duration(path)
        except AudioError as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(of, paths)


def recordings(folder: Path) -> list[Path]:
    """All recordings under a folder, whatever their suffix, without hidden ones."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in audio.SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
