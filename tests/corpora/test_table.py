"""A user's own table: round trips, relative paths, and every mistake in one sentence."""

from pathlib import Path

import polars as pl
import pytest
import soundfile
from tests.conftest import voice

from emorank.corpora import read_table, read_tables, scan_corpus, write_table
from emorank.errors import EmorankError


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_round_trip(tmp_path: Path, suffix: str) -> None:
    table = pl.DataFrame(
        {"path": [str(tmp_path / "ä b.wav"), str(tmp_path / "c.wav")], "valence": [1.5, None], "my own": [1, 2]}
    )
    write_table(table, tmp_path / f"t{suffix}")
    assert read_table(tmp_path / f"t{suffix}").equals(table)


def test_relative_paths_count_from_the_table(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,valence\nsub/a.wav,3\n/b.wav,4\n")
    assert read_table(tmp_path / "t.csv")["path"].to_list() == [str(tmp_path / "sub" / "a.wav"), "/b.wav"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", "file,valence\na.wav,3\n", "no column 'path'; it has file, valence"),
        ("t.csv", "path,valence\na.wav,0.2\n", "outside 1 to 7"),
        ("t.csv", "path,valence\na.wav,high\n", "not a number"),
        ("t.xlsx", "x", "a .parquet or .csv file"),
        ("t.parquet", "not parquet", "cannot be read"),
        ("t.csv", "", "cannot be read"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(EmorankError, match=sentence):
        read_table(tmp_path / name)


def test_writing_to_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"a \.parquet or \.csv file"):
        write_table(pl.DataFrame({"path": ["a"]}), tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_missing_and_double_rows_are_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", voice(0.05), 16_000)
    (tmp_path / "t.csv").write_text("path,speaker\na.wav,x\na.wav,x\nb.wav,y\n")
    scan = scan_corpus("table", tmp_path / "t.csv")
    assert scan.table["speaker"].to_list() == ["x"]
    assert sorted(left.reason for left in scan.left_out) == ["it is in the table twice", "there is no such file"]


def test_tables_with_other_columns_join(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"path": ["/a"], "valence": [2.0]}), tmp_path / "a.csv")
    write_table(pl.DataFrame({"path": ["/b"], "speaker": ["x"]}), tmp_path / "b.parquet")
    assert read_tables([tmp_path / "a.csv", tmp_path / "b.parquet"]).rows() == [("/a", 2.0, None), ("/b", None, "x")]
