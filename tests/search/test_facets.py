"""Counts beside the values, histograms, and where label and plane disagree, against what a person would count."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.affect import point
from emorank.search import Choice, Collection, Query
from emorank.search import facets as made
from emorank.search.facets import facets, histograms
from tests.search.test_rank import four, many

speakers = st.sampled_from([(), ("ann",), ("ann", "ben"), (None,), ("nobody",)])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(0, 100), speakers, st.sampled_from([None, "duration > 1.5"]), st.booleans())
def test_counts_follow_the_other_filters(
    count: int, seed: int, chosen: tuple[str | None, ...], where: str | None, first: bool
) -> None:
    collection = many(count, seed)
    rows = collection.columns.to_dicts()
    path = rows[0]["path"]
    choices = (Choice("speaker", chosen),) if chosen else ()
    choices += (Choice("path", (path,)),) if first else ()
    for facet in facets(collection, Query(where=where, choices=choices)):
        counted: dict[object, int] = {}
        for row in rows:
            passes = not where or row["duration"] > 1.5
            passes &= not chosen or facet.column == "speaker" or row["speaker"] in chosen
            passes &= not first or facet.column == "path" or row["path"] == path
            if passes:
                counted[row[facet.column]] = counted.get(row[facet.column], 0) + 1
        said = dict(facet.values)
        assert {value: number for value, number in said.items() if number} == counted
        assert [number for _, number in facet.values] == sorted(said.values(), reverse=True)
        if facet.column == "speaker":
            assert {value for value in chosen if value in {row["speaker"] for row in rows}} <= set(said)


def test_what_has_too_many_values_to_choose_from_is_no_facet() -> None:
    collection = many(120, 0)
    names = dict.fromkeys(collection.segments.paths)
    labels = pl.DataFrame({"path": list(names), "said": [f"words {i}" for i in range(len(names))]})
    labels = labels.with_columns(pl.Series("corpus", ["x"] * len(names)), pl.Series("loud", [True] * len(names)))
    found = {facet.column: facet for facet in facets(Collection(collection.segments, labels), Query())}
    assert set(found) >= {"corpus", "loud", "path"}
    many_paths = many(300, 1)
    facet = facets(many_paths, Query(), ["path"])[0]
    assert len(facet.values) == made.MOST_VALUES
    assert facet.others == len(set(many_paths.segments.paths)) - made.MOST_VALUES


def test_an_empty_index_has_no_facets() -> None:
    empty = Collection(many(0, 0).segments)
    assert facets(empty, Query()) == []
    assert [int(one.groups[0][1].sum()) for one in histograms(empty, Query())] == [0, 0, 0]
    assert histograms(empty, Query(), "channel")[0].groups == ()


def test_histograms_count_every_place_once_by_group() -> None:
    collection = many(60, 3)
    places = collection.segments.places
    places[4, 2] = np.nan
    passing = collection.columns["duration"].to_numpy() > 1.5
    for place, one in enumerate(histograms(collection, Query(where="duration > 1.5"), "speaker")):
        edges = np.linspace(1, 7, made.BINS + 1)
        said = collection.columns["speaker"].to_list()
        for value, counts in one.groups:
            rows = [row for row in range(60) if passing[row] and said[row] == value]
            wanted, _ = np.histogram([x for x in places[rows, place] if not np.isnan(x)], edges)
            np.testing.assert_array_equal(counts, wanted)
        assert one.others.sum() == 0
    several = histograms(collection, Query(where="end > 0"), "recording")[0]
    assert len(several.groups) == made.MOST_GROUPS
    assert sum(int(counts.sum()) for _, counts in several.groups) + int(several.others.sum()) == 60


def test_a_dimension_that_the_model_lacks_has_no_histogram() -> None:
    collection = many(5, 0)
    collection.segments.places[:, 0] = np.nan
    assert [one.dimension for one in histograms(collection, Query())] == ["arousal", "dominance"]


def test_ratings_disagree_by_their_distance_from_the_plane() -> None:
    labels = pl.DataFrame({"path": ["a", "b"], "label_valence": [5.0, None], "label_arousal": [1.0, 2.0]})
    labels = labels.with_columns(pl.Series("emotion", ["anger", "anger"]))  # ratings come before categories
    collection = Collection(four().segments, labels)
    valence, arousal = four().segments.places[:, 0], four().segments.places[:, 1]
    wanted = [np.hypot(5 - valence[0], 1 - arousal[0]), np.hypot(5 - valence[1], 1 - arousal[1]), abs(2 - arousal[2])]
    assert collection.columns["disagreement"].to_list() == [*(pytest.approx(x, abs=1e-3) for x in wanted), None]


def test_categories_disagree_by_the_distance_from_their_derived_place() -> None:
    labels = pl.DataFrame({"path": ["a", "b", "c"], "speaker": ["x", "y", "z"], "mood": ["Angry", "sad", "pride"]})
    collection = Collection(four().segments, labels)
    for row, category in ((0, "anger"), (1, "anger"), (2, "sadness")):
        place, found = point(category), four().segments.places[row]
        wanted = np.hypot(place.valence - found[0], place.arousal - found[1])
        assert collection.columns["disagreement"][row] == pytest.approx(wanted, abs=1e-3)
    assert collection.columns["disagreement"][3] is None
    assert "disagreement" not in Collection(four().segments, labels.drop("mood")).columns.columns
    own = labels.with_columns(pl.Series("disagreement", [1, 2, 3]))
    assert Collection(four().segments, own).columns["disagreement"].to_list() == [1, 1, 2, 3]
