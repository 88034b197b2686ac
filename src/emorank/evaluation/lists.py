"""The ordinality test's descriptions as a table, so that they can be written once and used again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from emorank.affect import STEPS
from emorank.errors import EmorankError
from emorank.evaluation.ordinality import DescriptionList, Dimension, description_lists

TESTS: dict[str, Dimension] = {"VOC": "valence", "AOC": "arousal"}


def table_of_lists(cells: Mapping[tuple[float, float], Sequence[str]], lists: int) -> pl.DataFrame:
    """Both tests' lists, one row a description: test, list, valence, arousal, caption.

    Args:
        cells: (valence, arousal) -> descriptions; all 14 x 14 cells.
        lists: how many of each test.
    """
    rows = []
    for test, varied in TESTS.items():
        for number, each in enumerate(description_lists(cells, varied, lists)):
            for value, text in zip(each.values, each.texts, strict=True):
                valence, arousal = (value, each.fixed) if varied == "valence" else (each.fixed, value)
                rows.append((test, number, valence, arousal, text))
    schema = {"test": pl.String, "list": pl.Int64, "valence": pl.Float64, "arousal": pl.Float64, "caption": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_lists(path: Path) -> pl.DataFrame:
    """Such a table from a .parquet or .csv file.

    Raises:
        EmorankError: the file cannot be read.
    """
    try:
        return pl.read_csv(path, glob=False) if path.suffix.lower() == ".csv" else pl.read_parquet(path, glob=False)
    except (OSError, UnicodeDecodeError, pl.exceptions.PolarsError) as error:
        raise EmorankError(f"{path}: the lists cannot be read; make them by emorank caption --grid.") from error


def lists_of_table(table: pl.DataFrame) -> dict[str, list[DescriptionList]]:
    """The lists that such a table holds, by test.

    Raises:
        EmorankError: a column or a test is missing, or a list is not one of 14 rising steps with the other value fixed.
    """
    missing = {"test", "list", "valence", "arousal", "caption"} - set(table.columns)
    if missing:
        raise EmorankError(
            f"The lists have no column {', '.join(sorted(missing))}; make them by emorank caption --grid."
        )
    result = {}
    for test, varied in TESTS.items():
        other = "arousal" if varied == "valence" else "valence"
        chosen = table.filter(pl.col("test") == test).sort("list", varied)
        lists = []
        for number, rows in chosen.group_by("list", maintain_order=True):
            if tuple(rows[varied]) != STEPS or rows[other].n_unique() != 1 or rows["caption"].null_count():
                raise EmorankError(
                    f"List {number[0]} of {test} is not 14 captions with {varied} from 0.5 to 7 and {other} fixed."
                )
            lists.append(DescriptionList(varied, float(rows[other][0]), STEPS, tuple(rows["caption"])))
        if len(lists) < 2:
            raise EmorankError(f"There are {len(lists)} lists of {test}; at least 2 are needed for a deviation.")
        result[test] = lists
    return result
