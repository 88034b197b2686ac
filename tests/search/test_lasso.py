"""Polygons: what lies within is what a ray to the right says, whatever the outline does."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.errors import EmorankError
from emorank.search import Lasso, Query, find
from emorank.search.lasso import within
from tests.search.test_rank import four

grid = st.integers(8, 56).map(lambda eighth: eighth / 8)
corners = st.lists(st.tuples(grid, grid), min_size=3, max_size=12)


def slow(x: float, y: float, outline: list[tuple[float, float]]) -> bool:
    """Whether a ray to the right crosses the outline an odd number of times; exact."""
    crossings = 0
    for i, (x0, y0) in enumerate(outline):
        x1, y1 = outline[(i + 1) % len(outline)]
        if (y0 <= y) != (y1 <= y):
            crossings += Fraction(x) < Fraction(x0) + Fraction(y - y0) * Fraction(x1 - x0) / Fraction(y1 - y0)
    return crossings % 2 == 1


@settings(max_examples=300, deadline=None)
@given(corners, st.lists(st.tuples(grid, grid), min_size=1, max_size=40))
def test_within_is_what_a_ray_says(outline: list[tuple[float, float]], points: list[tuple[float, float]]) -> None:
    places = np.array(points, np.float32)
    found = within(places, np.argsort(places[:, 1], kind="stable"), outline)
    assert found.tolist() == [slow(x, y, outline) for x, y in points]


def test_a_place_that_is_not_known_is_nowhere() -> None:
    places = np.array([[4, 4], [np.nan, 4], [4, np.nan], [np.nan, np.nan]], np.float32)
    found = within(places, np.argsort(places[:, 1], kind="stable"), [(1, 1), (7, 1), (7, 7), (1, 7)])
    assert found.tolist() == [True, False, False, False]


def test_a_query_finds_what_lies_in_a_lasso() -> None:
    triangle = Lasso(((1.0, 1.0), (4.0, 1.0), (1.0, 4.5)))
    found = find(four(), Query(region=triangle))
    assert [(hit.path, hit.start, hit.distance) for hit in found.hits] == [("a", 3.0, None)]
    assert find(four(), Query(region=triangle, where="duration > 90")).total == 0


@pytest.mark.parametrize(
    ("lasso", "said"),
    [
        (((1, 1), (2, 2)), "2 corners; it needs 3 to 200"),
        (((4.0, 4.0),) * 201, "201 corners"),
        (((1, 1), (2, 8), (3, 3)), "8 is not on the plane"),
        (((1, 1), (2, float("nan")), (3, 3)), "nan is not on the plane"),
    ],
)
def test_what_is_no_lasso(lasso: tuple[tuple[float, float], ...], said: str) -> None:
    with pytest.raises(EmorankError, match=said):
        find(four(), Query(region=Lasso(lasso)))
