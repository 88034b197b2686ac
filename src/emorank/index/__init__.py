"""The index: the segments of recordings on disk, followed, named and labelled."""

from emorank.index.update import Index, Segments, Update

__all__ = ["Index", "Segments", "Update"]
