"""A user's own table as a corpus."""

import datetime
from pathlib import Path

import polars as pl
import pytest

from emorank.corpora import scan_corpus
from emorank.corpora.schema import COLUMNS
from emorank.errors import EmorankError
from tests.corpora.layouts import clip


def test_missing_double_and_nameless_rows_are_left_out(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    (tmp_path / "t.csv").write_text("path,speaker\na.wav,x\n./a.wav,x\nlink.wav,x\nb.wav,y\n,z\n")
    scan = scan_corpus("table", tmp_path / "t.csv")
    assert scan.table["path"].to_list() == [str(tmp_path / "a.wav")]
    assert scan.table["duration"].to_list() == [0.05]
    assert scan.table.columns == list(COLUMNS)
    assert sorted(left.reason for left in scan.left_out) == [
        "it is in the table twice",
        "it is in the table twice",
        "its row has no path",
        "there is no such file",
    ]


def test_columns_of_its_own_keep_their_types(tmp_path: Path) -> None:
    clip(tmp_path / "a.wav")
    day = datetime.date(2025, 5, 29)
    pl.DataFrame({"day": [day], "path": ["a.wav"], "valence": [3], "duration": [9.0]}).write_parquet(
        tmp_path / "t.parquet"
    )
    table = scan_corpus("table", tmp_path / "t.parquet", durations=False).table
    assert table.select("valence", "day", "duration").rows() == [(3.0, day, 9.0)]
    assert scan_corpus("table", tmp_path / "t.parquet").table["duration"].to_list() == [0.05]


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"no such table; a \.csv or \.parquet file was expected"):
        scan_corpus("table", tmp_path)
