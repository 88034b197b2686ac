import os
from pathlib import Path

import polars as pl
import pytest

from emorank.corpora import read_table, read_tables, write_table
from emorank.corpora.schema import table_of
from emorank.errors import EmorankError

FORMATS = pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])


@FORMATS
def test_round_trip_of_every_column(tmp_path: Path, suffix: str) -> None:
    rows = [
        {"path": str(tmp_path / "ä b.wav"), "valence": 1.5, "speaker": "01", "transcript": 'a, "b"\nc', "my own": 1},
        {"path": str(tmp_path / "c.wav"), "arousal": 4 / 3, "speaker": "02", "split": "test2", "my own": 2},
    ]
    table = table_of(rows)
    write_table(table, tmp_path / "new" / f"t{suffix}")
    assert read_table(tmp_path / "new" / f"t{suffix}").equals(table)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [f"t{suffix}"]


def test_relative_paths_count_from_the_table(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "t[1].csv").write_text("path,valence\nx/a.wav,3\n/b.wav,4\n../c.wav,\n", "utf-8-sig")
    paths = read_table(tmp_path / "sub" / "t[1].csv")["path"].to_list()
    assert paths == [str(tmp_path / "sub" / "x" / "a.wav"), "/b.wav", str(tmp_path / "c.wav")]
    pl.DataFrame({"path": ["x/a.wav"]}).write_parquet(tmp_path / "t[1].parquet")
    assert read_table(tmp_path / "t[1].parquet")["path"].to_list() == [str(tmp_path / "x" / "a.wav")]


def test_a_linked_folder_is_left_by_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "disk" / "tables").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "tables")
    (tmp_path / "disk" / "tables" / "t.csv").write_text("path\n../a.wav\nb.wav\n")
    paths = read_table(tmp_path / "link" / "t.csv")["path"].to_list()
    assert paths == [str(tmp_path / "disk" / "a.wav"), str(tmp_path / "link" / "b.wav")]


def test_lines_without_a_path_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("path,valence\n/a.wav,3\n,4\n,\n")
    assert read_table(tmp_path / "t.csv").rows() == [("/a.wav", 3.0)]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.csv", b"file,valence\na.wav,3\n", "no column 'path'; it has file, valence"),
        ("t.csv", b"path;valence\na.wav;3\n", "separated by commas"),
        ("t.csv", b"path,valence\na.wav,0.5\n", "outside 1 to 7"),
        ("t.csv", b"path,valence\na.wav,high\n", "'high' in row 1, which is not a number"),
        ("t.csv", b"", "cannot be read"),
        ("t.csv", b"path,valence\n\xff\xfe.wav,3\n", "cannot be read"),
        ("t.xlsx", b"x", "a .parquet or .csv file"),
        ("t", b"x", "a .parquet or .csv file"),
        ("t.parquet", b"not parquet", "cannot be read"),
    ],
)
def test_mistakes(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EmorankError, match=sentence) as error:
        read_table(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert "\n" not in str(error.value)


def test_no_table(tmp_path: Path) -> None:
    for path in (tmp_path / "t.csv", tmp_path):
        with pytest.raises(EmorankError, match="no such table"):
            read_table(path)


def test_other_suffixes_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"a \.parquet or \.csv file"):
        write_table(pl.DataFrame({"path": ["a"]}), tmp_path / "t.json")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_table(tmp_path: Path) -> None:
    target = tmp_path / "t.csv"
    write_table(pl.DataFrame({"path": ["/a"]}), target)
    with pytest.raises(EmorankError, match="cannot be written"):
        write_table(pl.DataFrame({"path": ["/b"], "list": [[1]]}), target)
    assert read_table(target)["path"].to_list() == ["/a"]
    assert list(tmp_path.iterdir()) == [target]
    (tmp_path / "taken.csv").mkdir()
    with pytest.raises(EmorankError, match=r"cannot be written \(Is a directory\)"):
        write_table(pl.DataFrame({"path": ["/a"]}), tmp_path / "taken.csv")


def test_others_may_read_what_the_umask_allows(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_table(pl.DataFrame({"path": ["/a"]}), tmp_path / "t.csv")
    finally:
        os.umask(before)
    assert (tmp_path / "t.csv").stat().st_mode & 0o777 == 0o644


def test_tables_with_other_columns_join(tmp_path: Path) -> None:
    write_table(pl.DataFrame({"path": ["/a"], "valence": [2.0]}), tmp_path / "a.csv")
    write_table(pl.DataFrame({"path": ["/b"], "speaker": ["x"]}), tmp_path / "b.parquet")
    assert read_tables([tmp_path / "a.csv", tmp_path / "b.parquet"]).rows() == [("/a", 2.0, None), ("/b", None, "x")]
