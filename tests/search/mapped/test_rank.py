"""From files the same is found as in memory, whatever is asked and whatever was written meanwhile."""

import numpy as np
import polars as pl
import pytest

from emorank.errors import EmorankError
from emorank.index import Index
from emorank.search import NOT, Choice, Direction, Found, Lasso, Near, Query, Region, find
from emorank.search.facets import facets, histograms
from emorank.search.filter import FilterError
from emorank.search.mapped import follow, rank, scan
from emorank.serve.colours import coloured
from tests.search.mapped.conftest import add, in_memory, mapped

RECORDINGS = {
    f"/r/{'über ' if i % 7 == 0 else ''}{i:03d}{'-damaged' if i % 11 == 0 else ''}.wav": 1 + i % 5 for i in range(120)
}
LABELS = pl.DataFrame(
    {
        "path": [path for i, path in enumerate(RECORDINGS) if i % 4],
        "speaker": [["ann", "ben", "<b>o'neil"][i % 3] for i, path in enumerate(RECORDINGS) if i % 4],
        "take": [i % 9 for i, path in enumerate(RECORDINGS) if i % 4],
        "emotion": [["anger", "calm", None][i % 3] for i, path in enumerate(RECORDINGS) if i % 4],
    }
)
FILTERS = (
    None,
    "duration > 2",
    "speaker = 'ann'",
    "speaker = 'ann' and duration > 2 or take is null",
    "file like '%damaged%'",
    "damage is not null and channel = 1",
    "not (path like '/r/über%')",
    "valence > 4 and arousal <= 4.5",
    "start > 1000",
)

CHOICES = (
    (Choice("speaker", ("ann", "<b>o'neil")),),
    (Choice("speaker", (None,)), Choice("channel", (1, None))),
    (Choice("take", (3.0, 4.0)), Choice("recording", ("/r/003.wav", "/r/004.wav", "/r/nobody.wav"))),
)
SORTS = ("valence", "date", "recording", "speaker", "disagreement", "loudness", "duration", "file", "speech")


def questions(seed: int) -> list[Query]:
    rng = np.random.default_rng(seed)

    def directions(count: int) -> tuple[Direction, ...]:
        drawn = rng.standard_normal((count, 32)).astype(np.float32)
        weights = rng.permutation([1.0, 2.0, NOT])
        return tuple(Direction(v / np.linalg.norm(v), float(w)) for v, w in zip(drawn, weights, strict=False))

    asked = []
    for i in range(60):
        where, near, region = FILTERS[i % len(FILTERS)], None, None
        if i % 4 == 1:
            near = Near(4, 4, 2.0)
        if i % 4 == 2:
            region = Region((2, 6), (3, 7)) if i % 8 == 2 else Lasso(((1, 1), (6, 2), (5, 7), (3, 4), (1, 6)))
        several = directions(i % 4)
        if not (several or near or region or where):
            where = "end > 0"
        asked.append(
            Query(
                *(several, near, region, where, (3, 5)),
                group=("recording", None, "speaker", None, "day", "take")[i % 6] if i % 2 == 0 else None,
                top=7,
                offset=(0, 4, 1000)[i % 3 % 2],
                choices=CHOICES[i % len(CHOICES)] if i % 3 == 0 else (),
                sort=SORTS[i % len(SORTS)] if i % 5 > 2 else "fit",
                order=(None, "ascending", "descending")[i % 3] if i % 5 > 2 else None,
                best=40,
            )
        )
    return asked


def seen(found: Found) -> list[tuple[object, ...]]:
    return [
        (
            *(hit.id, hit.path, hit.start, hit.end, hit.distance, hit.valence, hit.loudness, hit.channel, hit.damage),
            *(hit.speech, hit.others, tuple(hit.labels.items()), hit.date),
        )
        for hit in found.hits
    ]


def same_answers(index: Index, seed: int) -> None:
    one, other = in_memory(index, labels=LABELS), mapped(index, labels=LABELS)
    assert len(one) == len(other)
    assert one.recording_count == other.recording_count
    assert one.seconds == pytest.approx(other.seconds)
    for query in questions(seed):
        left_out = [one.id_of(row) for row in query.without]
        there = Query(**{**query.__dict__, "without": tuple(other.rows[id] for id in left_out)})
        expected, found = find(one, query), find(other, there)
        assert found.total == expected.total, query
        assert seen(found) == seen(expected), query
        for name in ("score", "percentile"):
            values = [[getattr(hit, name) for hit in each.hits] for each in (found, expected)]
            assert (values[0] and values[0][0]) is None or values[0] == pytest.approx(
                values[1], abs=0.3 if name == "percentile" else 2e-4
            )
        assert found.percentile_error is None


def test_the_same_is_found_as_in_memory(index: Index) -> None:
    add(index, RECORDINGS)
    add(index, {"/r/unheard.wav": 1}, reason="nobody speaks")
    same_answers(index, 0)


def test_and_after_every_kind_of_update(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    add(index, RECORDINGS)
    before = mapped(index, labels=LABELS)
    query = Query((Direction(np.eye(32, dtype=np.float32)[0]),), top=20)
    first = seen(find(before, query))
    read = []
    some = follow.part_of
    monkeypatch.setattr(follow, "part_of", lambda *of: (read.append(len(of[1])), some(*of))[1])
    add(index, {"/r/new.wav": 3, "/r/aaa.wav": 2}, seed=1)
    same_answers(index, 1)
    add(index, {"/r/new.wav": 4, "/r/001.wav": 2}, seed=2)  # changed
    index._rows.delete(["/r/002.wav", "/r/003.wav"])
    same_answers(index, 2)
    assert sum(read) == 5 + 6  # what is new, nothing else
    add(index, {"/r/unheard.wav": 1, "/r/unheard2.wav": 1}, reason="nobody speaks")
    index._rows.delete(["/r/unheard.wav"])
    same_answers(index, 3)
    assert sum(read) == 5 + 6 + 1
    index._rows._table.optimize()  # all rows lie elsewhere now
    same_answers(index, 4)
    add(index, {"/r/000-damaged.wav": 5}, seed=3)
    same_answers(index, 5)
    assert sum(read) == 5 + 6 + 1 + (1 + 5)  # of what moved, the recording without segments alone
    assert seen(find(before, query)) == first  # who has an older version keeps it


def test_an_index_that_outgrew_its_files_gets_new_ones(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "SAMPLE", 10)
    add(index, {"/r/a.wav": 20})
    generation = mapped(index).store.manifest.generation
    add(index, {f"/s/{i}.wav": 5 for i in range(10)}, seed=1)
    collection = mapped(index)
    assert collection.store.manifest.generation != generation
    assert [place.name for place in collection.store.folder.glob("generation-*")] == [
        collection.store.manifest.generation
    ]
    assert len(collection) == 70


def test_only_what_lies_in_a_folder(index: Index) -> None:
    add(index, {"/a/1.wav": 2, "/a/b/2.wav": 3, "/a-b/3.wav": 4, "/a.wav": 1})
    for root, count in (("/a", 5), ("/a/b", 3), ("/a.wav", 1), ("/nowhere", 0)):
        one = in_memory(index)
        expected = type(one)(one.segments.under(root))
        other = mapped(index, under=root)
        assert len(other) == len(expected) == count
        query = Query((Direction(np.eye(32, dtype=np.float32)[0]),), top=20)
        assert seen(find(other, query)) == seen(find(expected, query))
        assert other.listed()[1] == count


def test_recall_and_percentiles_where_not_all_are_looked_at_exactly(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(index, {f"/r/{i:05d}.wav": 4 for i in range(2000)})
    monkeypatch.setattr(follow, "SAMPLE", 800)
    monkeypatch.setattr(rank, "RESCORED", 40)
    monkeypatch.setattr(scan, "_SHARED", 1000)  # cores share the rows
    one, other = in_memory(index), mapped(index)
    assert other.store.basis.shape[1] == 32
    found, inside, asked = 0, 0, 0
    for seed in range(40):
        direction = np.random.default_rng(seed).standard_normal(32).astype(np.float32)
        query = Query((Direction(direction / np.linalg.norm(direction)),), Near(4, 4, 3.0) if seed % 2 else None)
        exact, nearly = find(one, query), find(other, query)
        assert exact.total == nearly.total
        found += len({hit.id for hit in exact.hits} & {hit.id for hit in nearly.hits})
        true = {hit.id: hit.percentile for hit in exact.hits}
        assert nearly.percentile_error is not None
        assert 0 < nearly.percentile_error < 5
        for hit in nearly.hits:
            if hit.id in true:
                asked += 1
                inside += abs(hit.percentile - true[hit.id]) <= nearly.percentile_error  # type: ignore[operator]
    assert found / 400 >= 0.95
    assert inside / asked >= 0.9


def test_what_cannot_be_asked_is_said(index: Index) -> None:
    add(index, {"/r/a.wav": 2})
    collection = mapped(index)
    with pytest.raises(EmorankError, match="asks for nothing"):
        find(collection, Query())
    with pytest.raises(FilterError, match="no column 'speaker'"):
        find(collection, Query(where="speaker = 'ann'"))


def test_embeddings_come_in_the_order_in_which_they_are_asked_for(index: Index) -> None:
    add(index, {f"/r/{i}.wav": 4 for i in range(5)})
    one, other = in_memory(index).segments.embeddings, mapped(index).segments.embeddings
    np.testing.assert_array_equal(other[[7, 3, 7, 0]], one[[7, 3, 7, 0]])
    np.testing.assert_array_equal(other[5], one[5])
    assert other[[]].shape == (0, 32)


def test_an_index_whose_recordings_are_all_gone_finds_nothing(index: Index) -> None:
    add(index, {"/r/a.wav": 2})
    mapped(index)
    index._rows.delete(["/r/a.wav"])
    collection = mapped(index)
    assert len(collection) == 0
    assert find(collection, Query(where="end > 0")) == Found(0, ())
    assert find(collection, Query((Direction(np.ones(32, np.float32)),))).hits == ()
    assert list(collection.rows_of("/r/a.wav")) == []
    assert collection.recordings.get("/r/a.wav") is None


def test_counts_histograms_and_colours_are_those_of_memory(index: Index) -> None:
    add(index, RECORDINGS)
    index._rows.delete(["/r/002.wav", "/r/003.wav"])
    before = mapped(index, labels=LABELS)
    add(index, {"/r/001.wav": 2}, seed=2)
    one, other = in_memory(index, labels=LABELS), mapped(index, labels=LABELS)
    assert before.store.manifest.version < other.store.manifest.version
    place = {one.id_of(row): row for row in range(len(one))}
    rows = np.arange(len(other.store)) if other.alive is None else np.flatnonzero(other.alive)
    same = [place[other.id_of(row)] for row in rows.tolist()]
    for query in (Query(), Query(where="duration > 2", choices=(Choice("speaker", ("ann", None)),))):
        counted = [
            {facet.column: (sorted(facet.values, key=str), facet.others) for facet in facets(each, query)}
            for each in (one, other)
        ]
        paths = [each.pop("path") for each in counted]
        assert counted[0] == counted[1]
        assert paths[0][1] == paths[1][1]
        for group in (None, "speaker", "day"):
            for left, right in zip(*(histograms(each, query, group) for each in (one, other)), strict=True):
                assert left.dimension == right.dimension
                assert {str(v): c.tolist() for v, c in left.groups} == {str(v): c.tolist() for v, c in right.groups}
    for by in ("speaker", "dominance", "channel", "disagreement", "day"):
        expected, found = coloured(one, by), coloured(other, by)
        assert found[1:] == expected[1:]
        np.testing.assert_array_equal(found[0][rows], expected[0][same])


def test_what_a_large_index_is_not_asked(index: Index) -> None:
    add(index, RECORDINGS)
    least = Query((Direction(np.eye(32, dtype=np.float32)[0]),), order="ascending")
    with pytest.raises(EmorankError, match="Allow more with --memory"):
        find(mapped(index), least)
