"""Where the collections of an index are kept: one document beside its tables."""

from emorank.index.documents import Document
from emorank.index.picks import Picks

COLLECTIONS = Document("collections.json", "collections", Picks)
PICKS_FILE = COLLECTIONS.file

read, change, is_sound = COLLECTIONS.read, COLLECTIONS.change, COLLECTIONS.is_sound
