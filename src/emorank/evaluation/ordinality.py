"""The cross-modality emotion ordinality test (paper section 4.2.2).

A list of descriptions keeps one dimension fixed while the other rises in steps of 0.5 from 0.5 to 7. Every description
retrieves the clip with the highest cosine, no clip twice within a list. Kendall's tau-b between the values that were
asked for and the labels of the clips that came says whether the order survived. Valence ordinal consistency (VOC)
varies valence, arousal ordinal consistency (AOC) arousal; each is the mean over 100 lists.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emorank.affect import STEPS

LISTS = 100

Dimension = Literal["valence", "arousal"]


@dataclass(frozen=True)
class DescriptionList:
    """One list of the test.

    Args:
        varied: the dimension that rises.
        fixed: value of the other dimension.
        values: (14,) values of the varied dimension, ascending.
        texts: (14,) the descriptions.
    """

    varied: Dimension
    fixed: float
    values: tuple[float, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Ordinality:
    """Result of the test for one dimension.

    Args:
        taus: Kendall's tau-b of every list; 0 where all retrieved labels are equal.
        retrieved: of every list, the label of the clip that each description brought.
    """

    taus: tuple[float, ...]
    retrieved: tuple[tuple[float, ...], ...]

    @property
    def mean(self) -> float:
        """Mean over the lists."""
        return float(np.mean(self.taus))

    @property
    def std(self) -> float:
        """Standard deviation over the lists (n - 1)."""
        return float(np.std(self.taus, ddof=1))


def description_lists(
    cells: Mapping[tuple[float, float], Sequence[str]], varied: Dimension, lists: int = LISTS
) -> list[DescriptionList]:
    """The lists of the test.

    The fixed value rises by 0.5 from list to list and wraps after 7; each time round the next description of every
    cell is taken.

    Args:
        cells: (valence, arousal) -> descriptions; all 14 x 14 cells.
        varied: the dimension that rises within a list.
        lists: how many, 100 in the paper.
    """
    result = []
    for number in range(lists):
        turn, step = divmod(number, len(STEPS))
        fixed = STEPS[step]
        points = [(value, fixed) if varied == "valence" else (fixed, value) for value in STEPS]
        texts = tuple(cells[point][turn % len(cells[point])] for point in points)
        result.append(DescriptionList(varied, fixed, STEPS, texts))
    return result


def retrieve(similarity: np.ndarray) -> np.ndarray:
    """The clip that each description of a list gets, one after the other, no clip twice.

    Args:
        similarity: (descriptions, clips).

    Returns:
        (descriptions,) indices of clips; of equal similarities the first clip wins.

    Raises:
        ValueError: there are fewer clips than descriptions.
    """
    if similarity.shape[1] < similarity.shape[0]:
        raise ValueError(f"{similarity.shape[0]} descriptions need as many clips, there are {similarity.shape[1]}")
    open_ = similarity.astype(np.float64)
    chosen = np.zeros(len(open_), np.int64)
    for row in range(len(open_)):
        chosen[row] = np.argmax(open_[row])
        open_[:, chosen[row]] = -np.inf
    return chosen


def ordinality(
    lists: Sequence[DescriptionList],
    similarity_of: Callable[[Sequence[str]], np.ndarray],
    labels: np.ndarray,
) -> Ordinality:
    """Run the test.

    Args:
        lists: of one varied dimension.
        similarity_of: descriptions -> (descriptions, clips) similarity.
        labels: (clips,) label of every clip in the varied dimension, 1..7.
    """
    return _judged(lists, [labels[retrieve(similarity_of(each.texts))] for each in lists])


def oracle(lists: Sequence[DescriptionList], points: np.ndarray, labels: np.ndarray) -> Ordinality:
    """The test for a retrieval that always gives the clip whose label is nearest: what the clips allow at best.

    Args:
        lists: of one varied dimension.
        points: (clips, 2) valence and arousal of every clip.
        labels: (clips,) the varied dimension's column of `points`.
    """
    retrieved = []
    for each in lists:
        varied, other = points.T if each.varied == "valence" else points.T[::-1]
        squared = (np.array(each.values)[:, None] - varied) ** 2 + (each.fixed - other) ** 2
        retrieved.append(labels[retrieve(-squared)])
    return _judged(lists, retrieved)


def _judged(lists: Sequence[DescriptionList], retrieved: Sequence[np.ndarray]) -> Ordinality:
    from scipy.stats import kendalltau  # slow to import, and not needed to read lists

    taus = [kendalltau(each.values, labels).statistic for each, labels in zip(lists, retrieved, strict=True)]
    return Ordinality(
        tuple(0.0 if np.isnan(tau) else float(tau) for tau in taus),
        tuple(tuple(map(float, labels)) for labels in retrieved),
    )
