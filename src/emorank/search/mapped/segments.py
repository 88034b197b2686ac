"""The segments of a large index, by row."""

from collections.abc import Mapping, Sequence

import numpy as np

from emorank.affect import DIMENSIONS
from emorank.search.mapped import lookups
from emorank.search.mapped.exact import exact
from emorank.search.mapped.follow import Followed


class MappedSegments:
    """The same as `Segments` of an index, by row.

    Args:
        followed: the files, and the table that they follow.
    """

    def __init__(self, followed: Followed) -> None:
        store = followed.store
        self.paths: Sequence[str] = lookups.Texts(store)
        self.start, self.end, self.places = store["start"], store["end"], store["places"]
        self.loudness, self.channels, self.speech = store["loudness"], store["channel"], store["speech"]
        self.damage: Mapping[str, str] = lookups.Damage(store)
        self.embeddings = Embeddings(followed)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The dimensions that the model places speech in."""
        some = self.places[:1000]
        nowhere = [len(column) > 0 and bool(np.isnan(column).all()) for column in some.T]
        return tuple(name for name, lacking in zip(DIMENSIONS, nowhere, strict=True) if not lacking)


class Embeddings:
    """The embeddings of rows, read of the table when they are asked for."""

    def __init__(self, followed: Followed) -> None:
        self._followed = followed

    def __getitem__(self, rows: int | Sequence[int] | np.ndarray) -> np.ndarray:
        """(embedding_dim,) of a row, or (n, embedding_dim) of some."""
        chosen, places = np.unique(np.atleast_1d(np.asarray(rows, np.int64)), return_inverse=True)
        found = exact(self._followed, chosen, lambda embeddings: embeddings)[places]
        return found[0] if isinstance(rows, int | np.integer) else found
