"""Search: the segments of an index are found by descriptions, clips, places and filters."""

from emorank.search.collection import Collection
from emorank.search.query import NOT, Choice, Direction, Found, Hit, Lasso, Near, Query, Region
from emorank.search.rank import find

__all__ = ["NOT", "Choice", "Collection", "Direction", "Found", "Hit", "Lasso", "Near", "Query", "Region", "find"]
