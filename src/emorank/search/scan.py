"""Cosines of all segments at once: exact while that is fast, from fewer dimensions where there are many segments.

Embeddings fill few of their 512 directions (benchmarks/search.py), so a product in the leading ones orders nearly as
the whole does. It gives a score to every segment, which percentiles and filters need and an approximate index does not
give; the best are then scored exactly.
"""

import numpy as np

LARGE = 50_000  # segments from which on fewer dimensions are worth it
_DIMS = 32
_SAMPLE = 50_000  # segments that the leading directions are found from
_AT_ONCE = 50_000  # rows that are projected together


class Scan:
    """Scores of all rows for a few directions.

    Args:
        embeddings: (n, embedding_dim) float32.
        dims: leading directions that are kept; None keeps all while there are less than `LARGE` rows.
    """

    def __init__(self, embeddings: np.ndarray, dims: int | None = None) -> None:
        self.embeddings = embeddings
        self.reduced: np.ndarray | None = None
        if dims is None and len(embeddings) < LARGE:
            return
        sample = embeddings[:: max(1, len(embeddings) // _SAMPLE)]
        _, vectors = np.linalg.eigh(sample.T @ sample)
        self._basis = np.ascontiguousarray(vectors[:, ::-1][:, : dims or _DIMS].astype(np.float32))
        self.reduced = np.empty((len(embeddings), self._basis.shape[1]), np.float32)
        for start in range(0, len(embeddings), _AT_ONCE):
            self.reduced[start : start + _AT_ONCE] = embeddings[start : start + _AT_ONCE] @ self._basis

    def scores(self, directions: np.ndarray) -> np.ndarray:
        """(embedding_dim, k) -> (n, k) cosines; nearly, where there are many rows."""
        if self.reduced is None:
            exact: np.ndarray = self.embeddings @ directions
            return exact
        nearly: np.ndarray = self.reduced @ (self._basis.T @ directions)
        return nearly

    def sharpen(self, cosines: np.ndarray, rows: np.ndarray, directions: np.ndarray) -> None:
        """Make the scores of some rows exact."""
        if self.reduced is not None:
            cosines[rows] = self.embeddings[rows] @ directions
