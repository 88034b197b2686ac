"""Tables to be captioned, and what of their captions is on disk."""

import sqlite3
from pathlib import Path

import polars as pl


def table(folder: Path, rows: int, **columns: list[object]) -> Path:
    """Utterances on as many different points of the plane, in steps of 0.1."""
    path = folder / "table.parquet"
    places = [(1 + i % 61 / 10, 1 + i // 61 / 10) for i in range(rows)]
    data = {
        "path": [f"{i}.wav" for i in range(rows)],
        "valence": [v for v, _ in places],
        "arousal": [a for _, a in places],
    }
    pl.DataFrame(data | columns, strict=False).write_parquet(path)
    return path


def accepted(cache: Path) -> dict[str, int]:
    """Point -> captions, as they lie on disk right now."""
    files = list((cache / "captions").glob("*.sqlite"))
    if not files:
        return {}
    with sqlite3.connect(files[0]) as connection:
        return dict(connection.execute("SELECT point, COUNT(*) FROM captions GROUP BY point").fetchall())
