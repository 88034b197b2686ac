"""How far what a user's table says of a segment lies from where the model puts it on the plane.

Ratings of valence and arousal are compared as they are. Where a table has none, its column of emotions is: each of the
categories of `emorank.affect` has a place derived from Russell & Mehrabian (1977).
"""

from typing import TYPE_CHECKING

import numpy as np

from emorank.affect import CATEGORIES, DIMENSIONS, category_of, point

if TYPE_CHECKING:
    import polars as pl

COLUMN = "disagreement"
FAR = 2.0  # a third of the scale; from here on the page says that label and plane disagree
_PLANE = DIMENSIONS[:2]
_RATED = tuple(f"label_{name}" for name in _PLANE)
_MOSTLY = 0.5  # of a column's different words have to be categories


def column_of(labels: "pl.DataFrame") -> str | None:
    """The column of emotions: `emotion` where it is one, else the first whose words are mostly categories."""
    import polars as pl

    texts = [name for name, kind in labels.schema.items() if kind == pl.String and name != "path"]
    for name in sorted(texts, key=lambda name: name != "emotion"):
        words = labels[name].drop_nulls().unique().head(1000)
        known = sum(category_of(word) in CATEGORIES for word in words)
        if known and known >= _MOSTLY * len(words):
            return name
    return None


def compared(labels: "pl.DataFrame | None") -> tuple[str, ...]:
    """The columns of a user's table that are compared with the plane; none where it says nothing that can be."""
    if labels is None or COLUMN in labels.columns:
        return ()
    if rated := tuple(name for name in _RATED if name in labels.columns and labels[name].dtype.is_numeric()):
        return rated
    emotion = column_of(labels)
    return () if emotion is None else (emotion,)


def stated(labels: "pl.DataFrame", columns: tuple[str, ...]) -> np.ndarray:
    """(n, 2) the places on the plane that rows of a user's table say; NaN in what they do not.

    Args:
        labels: (n) rows.
        columns: those that are compared.
    """
    places = np.full((len(labels), len(_PLANE)), np.nan)
    if columns[0] in _RATED:
        for name in columns:
            places[:, _RATED.index(name)] = labels[name].cast(float).to_numpy()
        return places
    words = labels[columns[0]].fill_null("")
    points = {word: _place(word) for word in words.unique()}
    return np.array([points[word] for word in words], float).reshape(-1, len(_PLANE))


def distances(stated: np.ndarray, places: np.ndarray) -> "pl.Series":
    """(n,) distance on the plane between what is stated and the estimate, over the dimensions that both have.

    Args:
        stated: (n, 2) valence and arousal, NaN where they are not stated.
        places: (n, 3) where the model puts the segments.
    """
    import polars as pl

    apart = np.square(stated - places[:, : len(_PLANE)])
    known = ~np.isnan(apart)
    away = np.where(known.any(1), np.sqrt(np.where(known, apart, 0).sum(1)), np.nan)
    return pl.Series(COLUMN, away.round(3), nan_to_null=True)


def _place(word: str) -> tuple[float, float]:
    category = category_of(word)
    if category not in CATEGORIES:
        return np.nan, np.nan
    derived = point(category)
    return derived.valence, derived.arousal
