"""Where a search comes from: the captions that a description is nearest to, and the place that they describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.captions.bank import bundled
from emorank.captions.familiar import Described


class Placed(Protocol):
    """What lies somewhere."""

    @property
    def valence(self) -> float | None:
        """1..7, as the next two; None where it is not known."""

    @property
    def arousal(self) -> float | None:
        """See `valence`."""

    @property
    def dominance(self) -> float | None:
        """See `valence`."""


@dataclass(frozen=True)
class Known:
    """A caption that the text encoder was tuned on.

    Args:
        text: the caption.
        cosine: to the description, -1..1.
        valence: 1..7, where it lies; as the next two, by who wrote it.
        arousal: 1..7.
        dominance: 1..7.
    """

    text: str
    cosine: float
    valence: float
    arousal: float
    dominance: float


def nearest_captions(description: Described) -> list[Known]:
    """The captions that a description is nearest to, the nearest first; none where nothing is known of its encoder."""
    bank = bundled("train")
    points = bank.points.clip(LOWEST, HIGHEST)
    return [
        Known(bank.texts[row], round(cosine, 3), *np.round(points[row].astype(float), 2).tolist())
        for row, cosine in description.near
    ]


def mean_place(placed: Sequence[Placed]) -> dict[str, float | None] | None:
    """The mean of where captions or hits lie, by dimension, None in one that is not known; None where there are none.

    Of the five captions that a description is nearest to, it is the place that is asked for: on the bank's development
    captions it is off by 0.5 in each dimension.
    """
    values = {name: [value for one in placed if (value := getattr(one, name)) is not None] for name in DIMENSIONS}
    return {name: round(float(np.mean(own)), 2) if own else None for name, own in values.items()} if placed else None
