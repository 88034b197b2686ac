import polars as pl
import pytest

from emorank.corpora.schema import COLUMNS, conformed, table_of, typed


def test_every_column_is_there_with_its_type() -> None:
    table = table_of([{"path": "/a", "valence": 2.0, "level": None}, {"path": "/b", "level": 3.0}])
    assert table.columns == [*COLUMNS, "level"]
    assert {name: table.schema[name] for name in COLUMNS} == COLUMNS
    assert table["level"].to_list() == [None, 3.0]
    assert table_of([]).schema == COLUMNS


def test_numbers_as_other_programs_write_them() -> None:
    column = typed(pl.Series("valence", [" 3", "4.5 ", "", "nan", "NaN", None]))
    assert column.to_list() == [3.0, 4.5, None, None, None, None]
    assert typed(pl.Series("arousal", [1, 7])).to_list() == [1.0, 7.0]
    assert typed(pl.Series("speaker", [1, None])).to_list() == ["1", None]


@pytest.mark.parametrize("label", [0.5, 0.999, 7.001, float("inf"), -1.0])
def test_labels_lie_between_1_and_7(label: float) -> None:
    with pytest.raises(ValueError, match=r"'dominance' holds .* in row 2, outside 1 to 7"):
        typed(pl.Series("dominance", [4.0, label]))


def test_words_are_no_labels() -> None:
    with pytest.raises(ValueError, match="'valence' holds 'high' in row 2, which is not a number"):
        typed(pl.Series("valence", [None, "high"]))


@pytest.mark.parametrize("name", ["valence", "speaker"])
def test_lists_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        conformed(pl.DataFrame({name: [[1, 2]]}))
