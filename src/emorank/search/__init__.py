"""Search: recordings are cut into segments, kept in an index, and found by descriptions, clips, places and filters."""

from emorank.search.collection import Collection
from emorank.search.index import Index, Segments, Update
from emorank.search.query import NOT, Direction, Found, Hit, Near, Query, Region
from emorank.search.ranking import find

__all__ = [
    "NOT",
    "Collection",
    "Direction",
    "Found",
    "Hit",
    "Index",
    "Near",
    "Query",
    "Region",
    "Segments",
    "Update",
    "find",
]
