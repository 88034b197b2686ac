"""An index that is not held in memory: what is scanned lies in mapped files, what is compared exactly in the table."""

from emorank.search.mapped.collection import MappedCollection

__all__ = ["MappedCollection"]
