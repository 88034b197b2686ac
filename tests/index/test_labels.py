"""Rows of a table find the recordings that people mean, and good labels are never blanked."""

import unicodedata
from pathlib import Path

import polars as pl
import pytest

from emorank.errors import EmorankError
from emorank.index.labels import fitted, merged

ROOT = "/data/calls"
RECORDINGS = [
    f"{ROOT}/ann/a.wav",
    f"{ROOT}/ben/a.wav",
    f"{ROOT}/ben/b.wav",
    f"{ROOT}/{unicodedata.normalize('NFD', 'é')}.wav",
]


def found(written: str, folder: str = "/tables") -> list[str]:
    """Where a table in `folder` says `written`, as read_table gives it."""
    path = written if written.startswith("/") else f"{folder}/{written}"
    table = pl.DataFrame({"path": [path], "note": ["x"]})
    return fitted(table, folder, [ROOT], RECORDINGS).labels["path"].to_list()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (f"{ROOT}/ann/a.wav", 0),
        ("ann/a.wav", 0),  # from the indexed folder
        ("calls/ben/a.wav", 1),  # from the folder around it
        ("ben\\a.wav", 1),
        ("BEN/B.WAV", 2),
        ("C:\\corpus\\elsewhere\\b.wav", 2),  # by its file name alone
        ("/home/other/b.wav", 2),
        (unicodedata.normalize("NFC", "é") + ".wav", 3),
    ],
)
def test_every_way_to_write_a_path(written: str, meant: int) -> None:
    assert found(written) == [RECORDINGS[meant]]


def test_from_the_tables_own_folder() -> None:
    assert found("a.wav", f"{ROOT}/ann") == [RECORDINGS[0]]


def test_a_name_that_two_recordings_or_two_rows_have_means_none() -> None:
    with pytest.raises(EmorankError, match=r"fits none of the 4 recordings: .* such as /home/other/a\.wav"):
        found("/home/other/a.wav")
    table = pl.DataFrame({"path": ["/x/b.wav", "/y/b.wav", f"{ROOT}/ann/a.wav"], "note": ["1", "2", "3"]})
    fit = fitted(table, "/tables", [ROOT], RECORDINGS)
    assert fit.labels["note"].to_list() == ["3"]
    assert (fit.rows, fit.by_name) == (3, 0)


def test_a_new_table_wins_where_it_says_something_and_blanks_nothing() -> None:
    old = pl.DataFrame({"path": ["a", "b"], "speaker": ["ann", "ben"], "age": [30, 40]})
    new = pl.DataFrame({"path": ["b", "c"], "speaker": [None, "eve"], "mood": ["calm", "glad"]})
    both = merged(old, new).sort("path")
    assert both.to_dict(as_series=False) == {
        "path": ["a", "b", "c"],
        "speaker": ["ann", "ben", "eve"],
        "age": [30, 40, None],
        "mood": [None, "calm", "glad"],
    }


def test_a_column_may_change_its_type(tmp_path: Path) -> None:
    old = pl.DataFrame({"path": ["a", "b"], "age": ["30", "old"]})
    both = merged(old, pl.DataFrame({"path": ["a"], "age": [31]})).sort("path")
    assert both["age"].to_list() == [31, None]
