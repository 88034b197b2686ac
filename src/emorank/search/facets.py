"""What the segments that pass are made of: the values of each column with their counts, and histograms of the plane."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.search.groups import Value
from emorank.search.query import Query
from emorank.search.rank import Searched, passing

MOST_VALUES = 50  # of one facet
MOST_FACETS = 24
BINS = 30
MOST_GROUPS = 8  # of a histogram, the largest
_OWN = ("path", "file", "damage", "date")  # text of the index's own that is no facet; recordings are one by themselves


@dataclass(frozen=True)
class Facet:
    """A column, and how many segments have each of its values and pass everything that is asked of other columns.

    Args:
        column: its name.
        values: the most frequent ones with their counts, and those that are chosen; None stands for none.
        others: how many further values there are that some segment has.
    """

    column: str
    values: tuple[tuple[Value, int], ...]
    others: int


@dataclass(frozen=True)
class Histogram:
    """How many segments lie where, in one dimension.

    Args:
        dimension: one of `emorank.affect.DIMENSIONS`.
        groups: values of a column, the most frequent first, each with (BINS,) counts from 1 to 7.
        others: (BINS,) counts of all further values together.
    """

    dimension: str
    groups: tuple[tuple[Value, np.ndarray], ...]
    others: np.ndarray


def facet_columns(collection: Searched) -> list[str]:
    """Columns whose values can be chosen from: text with values that recur, truth, the channel, the recording."""
    import polars as pl

    found = []
    for name, kind in collection.column_types.items():
        if name not in _OWN and (kind in (pl.String, pl.Boolean) or name == "channel"):
            different = len(collection.codes(name).values)
            if different and (different <= MOST_VALUES or different <= len(collection) / 2):
                found.append(name)
    return [*found[: MOST_FACETS - 1], "path"] if len(collection) else []


def facets(collection: Searched, query: Query, columns: Sequence[str] | None = None) -> list[Facet]:
    """The values of columns among what passes; what is chosen of a column itself does not count for it.

    Args:
        collection: what is searched.
        query: whose filters count; its directions do not.
        columns: which; by default `facet_columns`.

    Raises:
        EmorankError: a filter cannot be understood, or there is no such column.
    """
    return list(_facets(collection, query, facet_columns(collection) if columns is None else columns))


def _facets(collection: Searched, query: Query, columns: Sequence[str]) -> Iterator[Facet]:
    everything = passing(collection, query)
    for name in columns:
        chosen = [choice for choice in query.choices if choice.column == name]
        rest = tuple(choice for choice in query.choices if choice.column != name)
        mask = passing(collection, replace(query, choices=rest)) if chosen else everything
        codes = collection.codes(name)
        counts = codes.counts(mask)
        asked = {value for choice in chosen for value in choice.values}
        value = [*codes.values, None] if len(counts) <= 4 * MOST_VALUES else None  # not a million paths for fifty
        order = np.argsort(-counts, kind="stable")
        shown = [int(place) for place in order[:MOST_VALUES] if counts[place] > 0]
        named = {place: _value(codes.values, place) if value is None else value[place] for place in shown}
        missing = asked - set(named.values())
        if missing:
            places = {each: len(codes.values) if each is None else codes.place.get(each) for each in missing}
            named |= {place: each for each, place in places.items() if place is not None}
        pairs = sorted(((each, int(counts[place])) for place, each in named.items()), key=lambda pair: -pair[1])
        yield Facet(name, tuple(pairs), max(0, int((counts > 0).sum()) - len(shown)))


def _value(values: Sequence[Value], place: int) -> Value:
    return values[place] if place < len(values) else None


def histograms(collection: Searched, query: Query, group: str | None = None) -> list[Histogram]:
    """A histogram of each dimension that the model has, by the values of a column, of what passes.

    Raises:
        EmorankError: a filter cannot be understood, or there is no such column.
    """
    mask = passing(collection, query)
    rows = np.arange(len(collection.segments.start)) if mask is None else np.flatnonzero(mask)
    if group is None:
        codes = np.zeros(len(rows), np.int64)
        names: list[Value] = [None]
    else:
        column = collection.codes(group)
        counts = column.counts(mask)
        largest = [int(place) for place in np.argsort(-counts, kind="stable")[:MOST_GROUPS] if counts[place] > 0]
        place = np.full(len(counts), len(largest))
        place[largest] = np.arange(len(largest))
        codes, names = place[column.of[rows]], [_value(column.values, at) for at in largest]
    made = []
    for name in collection.segments.dimensions:
        values = collection.segments.places[rows, DIMENSIONS.index(name)]
        known = ~np.isnan(values)
        bins = ((values[known] - LOWEST) / (HIGHEST - LOWEST) * BINS).astype(np.int64).clip(0, BINS - 1)
        counted = np.bincount(codes[known] * BINS + bins, minlength=(len(names) + 1) * BINS).reshape(-1, BINS)
        made.append(Histogram(name, tuple(zip(names, counted, strict=False)), counted[len(names)]))
    return made
