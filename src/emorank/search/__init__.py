"""Search: recordings are cut into segments, kept in an index, and ranked by a description or a clip."""

from emorank.search.index import Index, Segments, Update
from emorank.search.query import Hit, rank

__all__ = ["Hit", "Index", "Segments", "Update", "rank"]
