"""Other orders than fit, groups of any column, and regions that are seen all over."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.errors import EmorankError
from emorank.search import Choice, Collection, Direction, Query, Region, find
from tests.search.test_rank import EAST, four, many

EVERY = "end > 0"
COLUMNS = ["valence", "arousal", "dominance", "duration", "loudness", "speaker", "recording", "file"]


def starts(collection: Collection, **asked: object) -> list[tuple[str, float]]:
    query = Query(**{"where": EVERY, "top": 99, **asked})  # type: ignore[arg-type]
    return [(hit.path, hit.start) for hit in find(collection, query).hits]


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 30),
    st.integers(0, 500),
    st.sampled_from(COLUMNS),
    st.sampled_from([None, "ascending", "descending"]),
    st.sampled_from([None, "recording", "speaker"]),
    st.sampled_from([None, 3, 8]),
)
def test_sorted_and_grouped_as_the_definitions_say(
    count: int, seed: int, sort: str, order: str | None, group: str | None, best: int | None
) -> None:
    collection = many(count, seed)
    direction = (Direction(np.eye(8, dtype=np.float32)[seed % 8]),) if best else ()
    query = Query(direction, where=EVERY, sort=sort, order=order, group=group, best=best or 200, top=50)
    found = find(collection, query)

    rows = collection.columns.with_row_index("row").to_dicts()
    cosines = collection.segments.embeddings @ np.eye(8, dtype=np.float32)[seed % 8]
    if best:
        rows = sorted(sorted(rows, key=lambda row: -cosines[row["row"]])[:best], key=lambda row: row["row"])
    key = {"recording": "row"}.get(sort, sort)
    text = sort in ("speaker", "file", "recording")
    up = order == "ascending" or (order is None and text)
    there = sorted((row for row in rows if row[key] is not None), key=lambda row: row["row"])
    there = sorted(there, key=lambda row: row[key], reverse=not up)
    if not up:  # reverse=True keeps equal ones in order as well
        assert there == sorted(there, key=lambda row: row[key], reverse=True)
    wanted = [*there, *(row for row in rows if row[key] is None)]
    leading: dict[object, int] = {}
    members: dict[object, int] = {}
    for row in wanted:
        name = row["path"] if group == "recording" else row["speaker"] if group else row["row"]
        leading.setdefault(name, row["row"])
        members[name] = members.get(name, 0) + 1
    assert [hit.row for hit in found.hits] == list(leading.values())
    assert [hit.others for hit in found.hits] == [members[name] - 1 for name in leading]
    assert found.total == len(leading)


def test_what_fits_least_comes_first_where_that_is_asked() -> None:
    assert [path for path, _ in starts(four(), directions=(Direction(EAST),), order="ascending")] == list("caab")


def test_dates_sort_and_group_by_day() -> None:
    labels = pl.DataFrame(
        {"path": ["a", "b", "c"], "date": ["2026-03-09T14:05", "2025-12-31", "some day"], "take": [1, 2, 3]}
    )
    collection = Collection(four().segments, labels)
    assert collection.columns["date"].to_list() == ["2026-03-09 14:05"] * 2 + ["2025-12-31", None]
    assert starts(collection, sort="date") == [("a", 0.0), ("a", 3.0), ("b", 0.0), ("c", 0.0)]
    assert starts(collection, sort="date", order="ascending")[0] == ("b", 0.0)
    assert starts(collection, where="date < '2026'") == [("b", 0.0)]
    days = find(collection, Query(where=EVERY, group="day"))
    assert [(hit.path, hit.others, hit.date) for hit in days.hits] == [
        ("a", 1, "2026-03-09 14:05"),
        ("b", 0, "2025-12-31"),
        ("c", 0, None),
    ]


def test_without_a_table_the_date_is_that_of_the_last_change(monkeypatch: pytest.MonkeyPatch) -> None:
    import time
    from dataclasses import replace

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    nanoseconds = np.array([86_400_000_000_000, 86_400_000_000_000, -1, 2**63 - 1])
    collection = Collection(replace(four().segments, changed=nanoseconds), pl.DataFrame({"path": ["a"], "take": [1]}))
    assert collection.columns["date"].to_list() == ["1970-01-02 00:00:00"] * 2 + [None, "2262-04-11 23:47:16"]
    assert Collection(four().segments).columns["date"].to_list() == [None] * 4


def test_a_region_is_shown_all_over_not_from_its_middle() -> None:
    """Ten segments of each of ten recordings, those of a recording close together on the plane."""
    rng = np.random.default_rng(0)
    one = many(0, 0).segments
    middles = rng.uniform(2, 6, (10, 3))
    segments = type(one)(
        [f"/r/{recording}.wav" for recording in range(10) for _ in range(10)],
        np.tile(np.arange(10.0), 10),
        np.tile(np.arange(10.0), 10) + 1,
        np.ones((100, 2), np.float32),
        (np.repeat(middles, 10, 0) + rng.normal(0, 0.1, (100, 3))).astype(np.float32),
        np.full(100, -20, np.float32),
        np.zeros(100, np.int16),
        {},
    )
    found = find(Collection(segments), Query(region=Region((1, 7), (1, 7)), top=10))
    assert found.total == 100
    assert len({hit.path for hit in found.hits}) == 10
    pages = [
        find(Collection(segments), Query(region=Region((1, 7), (1, 7)), top=25, offset=at)) for at in (0, 25, 50, 75)
    ]
    assert len({hit.row for page in pages for hit in page.hits}) == 100


def test_several_values_of_a_column_are_alternatives() -> None:
    labels = pl.DataFrame({"path": ["a", "b"], "speaker": ["ann", "o'hara <b>"], "loud": [True, False]})
    collection = Collection(four().segments, labels)

    def chosen(*choices: Choice) -> list[str]:
        return [path for path, _ in starts(collection, where=None, choices=choices)]

    assert chosen(Choice("speaker", ("ann", "o'hara <b>"))) == list("aab")
    assert chosen(Choice("speaker", (None,))) == ["c"]
    assert chosen(Choice("speaker", (None, "ann"))) == list("aac")
    assert chosen(Choice("speaker", ("nobody",))) == []
    assert chosen(Choice("speaker", ("ann",)), Choice("loud", (False,))) == []
    assert chosen(Choice("loud", (True,))) == list("aa")
    assert chosen(Choice("recording", ("b",))) == ["b"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sort": "voice"}, "nothing called 'voice' to sort by; there are fit, recording, path"),
        ({"order": "up"}, "order is 'up'; it is ascending or descending"),
        ({"group": "voice"}, "nothing called 'voice' to group by; there are recording, day, path"),
        ({"choices": (Choice("voice", ("a",)),)}, "nothing called 'voice'"),
        ({"best": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_sorted(asked: dict[str, object], said: str) -> None:
    with pytest.raises(EmorankError, match=said):
        starts(four(), **asked)


def test_one_place_that_is_not_known_takes_no_dimension_away() -> None:
    segments = four().segments
    segments.places[2] = np.nan
    collection = Collection(segments)
    assert segments.dimensions == ("valence", "arousal", "dominance")
    assert starts(collection, where=None, region=Region((1, 7), (1, 7))) != []
    assert ("b", 0.0) not in starts(collection, where=None, region=Region((1, 7), (1, 7)))
    assert starts(collection, sort="valence")[-1] == ("b", 0.0)
