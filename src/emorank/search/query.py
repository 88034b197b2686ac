"""What can be asked: descriptions and clips that pull or push, a place on the plane, filters; and what comes of it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from emorank.listening.caution import caution
from emorank.search.groups import Value
from emorank.search.order import BEST, FIT

NOT = -0.5  # the weight of a description or clip that is not wanted; a whole -1 drowns what is wanted


@dataclass(frozen=True)
class Direction:
    """A description or clip that segments shall sound like, or not.

    Args:
        embedding: (embedding_dim,), L2-normalised.
        weight: how much it counts; below 0 it pushes away.
    """

    embedding: np.ndarray
    weight: float = 1.0


@dataclass(frozen=True)
class Near:
    """A circle on the plane: valence and arousal 1..7, and a radius in the same unit."""

    valence: float
    arousal: float
    radius: float = 1.0


@dataclass(frozen=True)
class Region:
    """A rectangle on the plane: lowest and highest valence, lowest and highest arousal, 1..7."""

    valence: tuple[float, float]
    arousal: tuple[float, float]


@dataclass(frozen=True)
class Lasso:
    """A polygon on the plane: its corners as valence and arousal 1..7, 3 to 200 of them; even-odd where it crosses."""

    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Choice:
    """Some values of a column, of which a segment has to have one; None stands for no value."""

    column: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Query:
    """What is looked for.

    Directions rank. Where there are several, each one's cosines are brought to mean 0 and deviation 1 over the index,
    weighted and added, so that none drowns the others. Without directions, what lies nearest to the middle of `near`
    comes first; of a `region` every recording has its turn, so that the first hits lie all over it; and with filters
    alone the order is that of path and start.

    Args:
        directions: descriptions and clips.
        near: only segments in this circle.
        region: only segments in this rectangle or polygon.
        where: only segments that pass this filter, see `emorank.search.filter`.
        without: rows that are left out, such as those of the clip that is asked about.
        recording: only segments of this recording, by its absolute path.
        group: one hit, the best, of each value of a column; `recording` and `day` are such columns as well.
        top: how many hits.
        offset: how many of the best are skipped.
        choices: only segments that have one of the chosen values, in each of these columns.
        sort: `fit`, which is what is said above, `recording` (path and start), or a column; what has no value is last.
        order: ascending or descending; by default the best fit, numbers and dates descend, text and recordings ascend.
        best: with directions, a sort other than fit is of only so many that fit best.
    """

    directions: tuple[Direction, ...] = ()
    near: Near | None = None
    region: Region | Lasso | None = None
    where: str | None = None
    without: tuple[int, ...] = ()
    recording: str | None = None
    group: str | None = None
    top: int = 10
    offset: int = 0
    choices: tuple[Choice, ...] = ()
    sort: str = FIT
    order: str | None = None
    best: int = BEST


@dataclass(frozen=True)
class Hit:
    """A segment that was found.

    Args:
        row: its place in the collection.
        id: its short name.
        path: the recording, absolute.
        start: in seconds.
        end: in seconds.
        score: cosine similarity to the first direction, -1..1; None without directions.
        percentile: percent of all segments that fit the query less well; None without directions.
        distance: from the middle of `near`; None without it.
        valence: 1..7; None, as the next two, where the model lacks the dimension.
        arousal: 1..7.
        dominance: 1..7.
        loudness: in dB of full scale.
        speech: how long somebody speaks in it, in seconds; None where that is not known.
        channel: number of the channel that is heard, from 1; None where the recording is heard as one.
        damage: what is missing of the recording, in a sentence; None where nothing is.
        labels: the columns of the user's table.
        others: further segments of the group that pass, where hits are grouped.
        date: of the recording, such as 2026-03-09 14:05:00, see `emorank.search.dates`; None where there is none.
    """

    row: int
    id: str
    path: str
    start: float
    end: float
    score: float | None
    percentile: float | None
    distance: float | None
    valence: float | None
    arousal: float | None
    dominance: float | None
    loudness: float | None
    speech: float | None
    channel: int | None
    damage: str | None
    labels: dict[str, Any]
    others: int = 0
    date: str | None = None

    @property
    def caution(self) -> str | None:
        """Why it is to be taken with caution, see `emorank.listening.caution`."""
        return caution(self.speech)


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        total: how many segments (or groups, when grouped) pass all filters.
        hits: best first.
        percentile_error: percentile points that percentiles may be off by, in 95 of 100 cases, where they are found
            from a sample; None where they are exact.
    """

    total: int
    hits: tuple[Hit, ...]
    percentile_error: float | None = None
