"""The index: the segments of recordings on disk, followed, named and labelled."""

from emorank.index.plan import Update
from emorank.index.segments import Segments
from emorank.index.update import Index

__all__ = ["Index", "Segments", "Update"]
