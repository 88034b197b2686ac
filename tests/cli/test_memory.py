"""--memory: what an index may take, and the same answers where it may take nothing."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from emorank import memory
from emorank.errors import EmorankError
from tests.cli.conftest import Run

Emorank = Callable[..., Run]


def rounded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {name: pytest.approx(row[name], abs=0.02) for name in ("score", "percentile")} for row in rows]


def test_what_is_not_held_in_memory_is_found_and_exported_alike(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path, tmp_path: Path
) -> None:
    root = recordings(6)
    asked = ["--not", "angry", "--like", root / "clip001.wav", "--near", "4,4,6", "--json", "--model", tiny_model]
    held, files = (emorank("search", "calm", root, *asked, *more) for more in ([], ["--memory", 0]))
    assert files.json == rounded(held.json)
    table = tmp_path / "speakers.csv"
    table.write_text("\n".join(["path,speaker", *(f"{path},ann" for path in sorted(root.glob("*1.wav")))]))
    assert emorank("index", root, "--name", "calls", "--model", tiny_model, "--table", table).status == 0
    asked = ["calls", "--group", "recording", "--where", "speaker = 'ann' or speaker is null", "--json"]
    held, files = (emorank("search", "calm", *asked, *more) for more in ([], ["--memory", "0"]))
    assert files.json == rounded(held.json)
    for format in ("csv", "jsonl"):
        one, other = (emorank("export", "calls", "--format", format, *more).out for more in ([], ["--memory", "0"]))
        assert one == other
    tables = []
    for more in ([], ["--memory", "0"]):
        assert (
            emorank("export", "calls", "--out", tmp_path / "calls.parquet", "--where", "end > 0.1", *more).status == 0
        )
        tables.append(pl.read_parquet(io.BytesIO((tmp_path / "calls.parquet").read_bytes())))
    assert tables[0].equals(tables[1])
    assert tables[0]["embedding"].to_numpy().shape[1] == 32
    wrong = emorank("search", "calm", "calls", "--memory", "much")
    assert (wrong.status, len(wrong.err.strip().splitlines())) == (1, 1)
    assert "--memory much is no size; write it like 4GB or 500MB." in wrong.err


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4 * 10**9), ("1.5 g", 15 * 10**8), ("500mb", 5 * 10**8), ("0", 0), ("12k", 12_000), ("7 MiB", 7 * 10**6)],
)
def test_sizes_as_people_write_them(text: str, size: int) -> None:
    assert memory.parsed(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "4 apples", "1e9", "nan"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(EmorankError, match="is no size"):
        memory.parsed(text)


def test_there_is_memory() -> None:
    assert 10**7 < memory.free() < 10**14
