"""Queries: best first, ties by path and start, and the same as the slow way from the definitions."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.errors import EmorankError
from emorank.index import Segments
from emorank.search import NOT, Collection, Direction, Near, Query, Region, find, rank, scan


def four() -> Collection:
    embeddings = np.array([[1, 0], [0.6, 0.8], [1, 0], [0, 1]], np.float32)
    points = np.arange(1, 13, dtype=np.float32).reshape(4, 3) / 2
    return Collection(
        Segments(
            ["a", "a", "b", "c"],
            np.array([0.0, 3.0, 0.0, 0.0]),
            np.array([3.0, 6.0, 2.0, 1.0]),
            embeddings,
            points,
            np.array([-20, -30, np.nan, -10], np.float32),
            np.zeros(4, np.int16),
            {},
        )
    )


def many(count: int, seed: int) -> Collection:
    """Segments of a few recordings, with a table of speakers."""
    rng = np.random.default_rng(seed)
    embeddings = np.abs(rng.standard_normal((count, 8))).astype(np.float32)
    paths = sorted(f"/r/{rng.integers(0, max(1, count // 3))}.wav" for _ in range(count))
    start = np.array([2.0 * (row - paths.index(path)) for row, path in enumerate(paths)])
    speakers = pl.DataFrame({"path": list(dict.fromkeys(paths))}).with_columns(
        pl.Series("speaker", [["ann", "ben", None][rng.integers(3)] for _ in dict.fromkeys(paths)], dtype=pl.String)
    )
    return Collection(
        Segments(
            paths,
            start,
            start + rng.uniform(1, 2, count),
            embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True),
            rng.uniform(1, 7, (count, 3)).astype(np.float32),
            rng.uniform(-50, 0, count).astype(np.float32),
            np.zeros(count, np.int16),
            {},
        ),
        speakers,
    )


def in_turns(rows: list[int], recordings: list[str]) -> list[tuple[float, int]]:
    """Every recording's first, then every one's second, and so on, each round in an order that looks drawn."""
    drawn = {row: (row + 1) * 0.6180339887498949 % 1 for row in rows}
    scores = []
    for row in rows:
        turn = sum(recordings[other] == recordings[row] and drawn[other] < drawn[row] for other in rows)
        scores.append((-(turn + drawn[row]), row))
    return scores


EAST = np.array([1, 0], np.float32)
NORTH = np.array([0, 1], np.float32)


def paths(collection: Collection, query: Query) -> list[tuple[str, float]]:
    return [(hit.path, hit.start) for hit in find(collection, query).hits]


def test_best_first_with_ties_in_order() -> None:
    found = find(four(), Query((Direction(EAST),), top=3))
    assert [(hit.path, hit.start, hit.score) for hit in found.hits] == [
        ("a", 0.0, 1.0),
        ("b", 0.0, 1.0),
        ("a", 3.0, 0.6),
    ]
    assert (found.hits[2].valence, found.hits[2].arousal, found.hits[2].dominance) == (2.0, 2.5, 3.0)
    assert [hit.loudness for hit in found.hits] == [-20.0, None, -30.0]
    assert found.total == 4


def test_a_percentile_is_the_share_of_the_index_that_fits_less_well() -> None:
    found = find(four(), Query((Direction(EAST),)))
    assert [hit.percentile for hit in found.hits] == [50.0, 50.0, 25.0, 0.0]


def test_not_pushes_away() -> None:
    assert paths(four(), Query((Direction(NORTH),), top=1)) == [("c", 0.0)]
    pushed = Query((Direction(EAST), Direction(NORTH, NOT)), top=4)
    assert paths(four(), pushed)[-1] == ("c", 0.0)
    assert paths(four(), Query((Direction(EAST, -1.0),), top=1)) == [("c", 0.0)]


def test_both_is_what_fits_both() -> None:
    assert paths(four(), Query((Direction(EAST), Direction(NORTH)), top=1)) == [("a", 3.0)]


def test_a_circle_keeps_what_lies_in_it_nearest_first() -> None:
    near = Query(near=Near(2.0, 2.5, 2.5), top=9)
    found = find(four(), near)
    assert [(hit.path, hit.start, hit.distance) for hit in found.hits] == [
        ("a", 3.0, 0.0),
        ("a", 0.0, 2.12),
        ("b", 0.0, 2.12),
    ]
    assert [hit.percentile for hit in found.hits] == [None] * 3
    assert paths(four(), Query((Direction(EAST),), near=Near(2.0, 2.5, 2.5), top=1)) == [("a", 0.0)]


def test_a_region_keeps_what_lies_in_it() -> None:
    region = Region((1.5, 4.0), (2.0, 4.5))
    assert paths(four(), Query(region=region)) == [("a", 3.0), ("b", 0.0)]


def test_grouped_by_recording() -> None:
    found = find(four(), Query((Direction(NORTH),), group="recording", top=3))
    assert [(hit.path, hit.start, hit.others) for hit in found.hits] == [("c", 0.0, 0), ("a", 3.0, 1), ("b", 0.0, 0)]
    assert found.total == 3


def test_rows_can_be_left_out() -> None:
    collection = four()
    query = Query((Direction(EAST),), without=tuple(collection.rows_of("a")))
    assert paths(collection, query) == [("b", 0.0), ("c", 0.0)]
    assert list(collection.rows_of("nowhere")) == []


def test_labels_come_with_the_hits_and_can_be_asked_about() -> None:
    labels = pl.DataFrame({"path": ["b", "elsewhere"], "speaker": ["ann", "ben"], "take": [3, 4]})
    collection = Collection(four().segments, labels)
    found = find(collection, Query(where="speaker = 'ann'"))
    assert [(hit.path, hit.labels) for hit in found.hits] == [("b", {"speaker": "ann", "take": 3})]
    assert find(collection, Query(where="speaker is null")).total == 3
    assert find(collection, Query(where="loudness > -25 and duration >= 3")).total == 1


def test_pages_follow_each_other() -> None:
    collection = many(50, 0)
    direction = (Direction(np.eye(8, dtype=np.float32)[0]),)
    whole = paths(collection, Query(direction, top=50))
    pages = [paths(collection, Query(direction, top=7, offset=offset)) for offset in range(0, 50, 7)]
    assert [hit for page in pages for hit in page] == whole
    assert paths(collection, Query(direction, top=7, offset=50)) == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (Query(), "asks for nothing"),
        (Query(near=Near(8, 4)), "8 is not on the plane"),
        (Query(near=Near(2, 4, 0)), "radius is 0"),
        (Query(near=Near(2, 4, float("nan"))), "radius is nan"),
        (Query(region=Region((5, 2), (1, 7))), "valence runs from 5 down to 2"),
        (Query(where="duration > 1", top=0), "ask for at least 1"),
    ],
)
def test_what_cannot_be_asked(query: Query, said: str) -> None:
    with pytest.raises(EmorankError, match=said):
        find(four(), query)


def test_an_empty_index_finds_nothing() -> None:
    empty = many(0, 0)
    assert find(empty, Query((Direction(np.ones(8, np.float32)),))).hits == ()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(0, 1000),
    st.lists(st.sampled_from([1.0, 2.0, NOT, -1.0]), max_size=3),
    st.sampled_from([None, Near(3, 4, 1.5)]),
    st.sampled_from([None, Region((2, 6), (1, 5))]),
    st.sampled_from([None, "speaker = 'ann'", "not (duration < 1.5) or speaker is null"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_finds_what_the_definitions_say(
    count: int,
    seed: int,
    weights: list[float],
    near: Near | None,
    region: Region | None,
    where: str | None,
    group: bool,
    offset: int,
) -> None:
    collection = many(count, seed)
    rng = np.random.default_rng(seed)
    directions = tuple(Direction(rng.standard_normal(8).astype(np.float32), weight) for weight in weights)
    query = Query(
        directions,
        near,
        region,
        where or (None if directions or near or region else "end > 0"),
        group="recording" if group else None,
    )
    query = Query(**{**query.__dict__, "top": 5, "offset": offset})
    found = find(collection, query)

    segments, table = collection.segments, collection.columns
    scores = []
    for row in range(count):
        valence, arousal = (float(x) for x in segments.places[row, :2])
        if near and np.hypot(valence - near.valence, arousal - near.arousal) > near.radius:
            continue
        if region and not (2 <= valence <= 6 and 1 <= arousal <= 5):
            continue
        speaker, duration = table["speaker"][row], table["duration"][row]
        if where and "ann" in where and speaker != "ann":
            continue
        if where and "not" in where and not (duration >= 1.5 or speaker is None):
            continue
        score = 0.0
        for direction in directions:
            cosines = segments.embeddings.astype(np.float64) @ direction.embedding
            score += direction.weight * (cosines[row] - cosines.mean()) / max(cosines.std(), 1e-9)
        if not directions and near:
            score = -float(np.hypot(valence - near.valence, arousal - near.arousal))
        scores.append((score, row))
    if region and not directions and not near:
        scores = in_turns([row for _, row in scores], segments.paths)
    scores.sort(key=lambda pair: (-round(pair[0], 4), pair[1]))
    best: dict[object, tuple[float, int]] = {}
    for score, row in scores:
        best.setdefault(segments.paths[row] if group else row, (score, row))
    expected = list(best.values())
    assert found.total == len(expected)
    assert len(found.hits) == len(expected[offset : offset + 5])
    every = dict((row, score) for score, row in scores)
    np.testing.assert_allclose(
        [every[hit.row] for hit in found.hits], [score for score, _ in expected[offset : offset + 5]], atol=2e-3
    )


def test_many_segments_are_scanned_in_fewer_dimensions_with_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    few = rng.standard_normal((4000, 6)) @ rng.standard_normal((6, 64))  # of low rank, as embeddings are
    embeddings = np.maximum(few + 0.05 * rng.standard_normal(few.shape), 0).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    seconds = np.arange(4000.0)
    points = rng.uniform(1, 7, (4000, 3)).astype(np.float32)
    paths = [f"/r/{row // 3:04d}.wav" for row in range(4000)]
    heard = (np.full(4000, -20, np.float32), np.zeros(4000, np.int16), {})
    segments = Segments(paths, seconds % 3, seconds % 3 + 1, embeddings, points, *heard)
    exact, nearly = Collection(segments), Collection(segments)
    assert exact.scan.reduced is None
    monkeypatch.setattr(scan, "LARGE", 1000)
    monkeypatch.setattr(rank, "_RESCORED", 100)
    assert nearly.scan.reduced is not None
    for seed in range(20):
        some = np.random.default_rng(seed)
        directions = tuple(
            Direction(embeddings[some.integers(4000)], weight) for weight in (1.0, NOT, 2.0)[: 1 + seed % 3]
        )
        near = Near(4, 4, 1.5) if seed % 2 else None
        asked = Query(directions, near, group="recording" if seed % 5 == 0 else None, top=10)
        one, other = find(exact, asked), find(nearly, asked)
        assert one.total == other.total
        assert [hit.row for hit in one.hits] == [hit.row for hit in other.hits]
        np.testing.assert_allclose([hit.score for hit in one.hits], [hit.score for hit in other.hits], atol=1e-3)
        np.testing.assert_allclose([h.percentile for h in one.hits], [h.percentile for h in other.hits], atol=0.2)
