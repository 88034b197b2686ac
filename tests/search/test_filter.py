"""Filters: what they mean is what SQLite means, and what they are not is refused in one sentence."""

import re
import sqlite3

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.search.filter import FilterError, where

TABLE = pl.DataFrame(
    {
        "speaker": ["ann", "Ben", None, "o'hara", "a_b", "100%"],
        "duration": [1.0, 2.5, 3.0, None, -4.0, 10.0],
        "take": [1, 2, 3, 4, None, 6],
        "end": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0],
    }
)
COLUMNS = dict(TABLE.schema)


def passing(expression: str) -> list[int]:
    return TABLE.with_row_index().filter(where(expression, COLUMNS))["index"].to_list()


def in_sqlite(expression: str) -> list[int]:
    with sqlite3.connect(":memory:") as database:
        database.execute("create table t (n integer, speaker text, duration real, take integer, `end` real)")
        database.executemany("insert into t values (?, ?, ?, ?, ?)", [(i, *row) for i, row in enumerate(TABLE.rows())])
        return [row[0] for row in database.execute(f"select n from t where {expression} order by n")]


texts = st.sampled_from(
    ["'speaker'", "'end'", "'ann'", "'Ben'", "'o''hara'", "'%'", "'a%'", "'_en'", "''", "'100%'", "'a_b'"]
)
numbers = st.sampled_from(["1", "2.5", "-4", "3e0", "10", ".5"])
signs = st.sampled_from(["=", "==", "!=", "<>", "<", "<=", ">", ">="])
number_columns = st.sampled_from(["duration", "take", "`end`"])
tests = st.one_of(
    st.builds("speaker {} {}".format, signs, texts),
    st.builds("speaker {}between {} and {}".format, st.sampled_from(["", "not "]), texts, texts),
    st.builds("{} {} {}".format, number_columns, signs, numbers),
    st.builds("speaker {}in ({}, {})".format, st.sampled_from(["", "not "]), texts, texts),
    st.builds("{} in ({})".format, number_columns, numbers),
    st.builds("speaker {}like {}".format, st.sampled_from(["", "NOT "]), texts),
    st.builds("{} {}between {} and {}".format, number_columns, st.sampled_from(["", "not "]), numbers, numbers),
    st.builds("{} is {}null".format, st.sampled_from(["speaker", "take"]), st.sampled_from(["", "not "])),
)
filters = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("{} and {}".format, inner, inner),
        st.builds("{} OR {}".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(filters)
def test_means_what_it_means_in_sqlite(expression: str) -> None:
    assert passing(expression) == in_sqlite(expression)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("speaker", "ends where a comparison"),
        ("speaker =", "ends where a value"),
        ("speaker = ann", "a value is expected: 'text' in quotes"),
        ("speaker = 3", "put 3 in quotes"),
        ("duration = 'long'", "holds no text"),
        ("duration like '3'", "is not text"),
        ("duration = true", "cannot be compared"),
        ("voice = 'ann'", "no column 'voice'; there are speaker, duration, take, end"),
        ("speaker = 'ann' duration > 3", "goes on after its end with 'duration'"),
        ("(speaker = 'ann'", "needs ')' where its end stands"),
        ("speaker in 'ann'", "needs '('"),
        ("speaker is 'ann'", "needs 'null'"),
        ("speaker ~ 'ann'", "cannot be read from \"~ 'ann'\""),
        ("speaker = 'ann", "cannot be read from"),
        ("duration between 1 or 2", "needs 'and'"),
        ("repeat('a', 1000000000) = speaker", "no column 'repeat'"),
        ("speaker = 'ann'; drop table t", "cannot be read from '; drop table t'"),
        ("3 = 3", "a column is expected"),
        ("speaker not null", "a comparison such as"),
        ("(" * 60 + "take = 1" + ")" * 60, "nested more than 50 deep"),
        ("not " * 60 + "take = 1", "nested more than 50 deep"),
        ("take = 1 or " * 100 + "take = 1", "1208 characters long; 1000 are allowed"),
    ],
)
def test_mistakes_are_one_sentence(expression: str, said: str) -> None:
    with pytest.raises(FilterError) as error:
        where(expression, COLUMNS)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


WORDS = "speaker take ( ) and or not in = < 'a' 3 null , like between"
words = st.sampled_from(re.split(" ", WORDS))


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(words).map(" ".join)))
def test_anything_else_is_a_filter_or_a_filter_error(expression: str) -> None:
    try:
        found = passing(expression)
    except FilterError:
        return
    assert set(found) <= set(range(6))


def test_the_worst_filter_of_the_allowed_length_ends() -> None:
    rows = pl.DataFrame({"speaker": ["a" * 200] * 20_000})
    pattern = "%a" * 450 + "b"
    # A backtracking match would not end.
    assert not len(rows.filter(where(f"speaker like '{pattern}'", dict(rows.schema))))
    alternatives = " or ".join(["speaker = 'b'"] * 55)
    assert not len(rows.filter(where(alternatives, dict(rows.schema))))
