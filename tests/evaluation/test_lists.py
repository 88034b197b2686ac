"""The ordinality test's lists as a table."""

from pathlib import Path

import polars as pl
import pytest

from emorank.affect import STEPS
from emorank.errors import EmorankError
from emorank.evaluation.lists import lists_of_table, read_lists, table_of_lists
from emorank.evaluation.ordinality import description_lists

CELLS = {(v, a): [f"{v} {a} {turn}" for turn in "xy"] for v in STEPS for a in STEPS}


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_lists_survive_a_file_in_any_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"lists.{suffix}"
    table = table_of_lists(CELLS, 20).sample(fraction=1.0, shuffle=True, seed=0)
    table.write_csv(path) if suffix == "csv" else table.write_parquet(path)
    found = lists_of_table(read_lists(path))
    assert found == {"VOC": description_lists(CELLS, "valence", 20), "AOC": description_lists(CELLS, "arousal", 20)}


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (lambda table: table.drop("list"), "no column list"),
        (lambda table: table.head(27), "is not 14 captions"),
        (lambda table: table.with_columns(arousal=pl.col("valence")), "is not 14 captions"),
        (lambda table: table.filter(pl.col("test") == "VOC"), "0 lists of AOC"),
        (lambda table: table.with_columns(caption=pl.lit(None, pl.String)), "is not 14 captions"),
    ],
)
def test_what_is_no_list_is_named(broken, sentence: str) -> None:
    with pytest.raises(EmorankError, match=sentence):
        lists_of_table(broken(table_of_lists(CELLS, 3)))


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("no")
    for name in ("x.parquet", "y.csv"):
        with pytest.raises(EmorankError, match="cannot be read"):
            read_lists(tmp_path / name)
