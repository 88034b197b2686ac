"""Where a search comes from: the captions nearest to a description or a clip, and the place that they describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.captions.bank import bundled
from emorank.captions.familiar import Described, known, nearest
from emorank.captions.wording import spoken
from emorank.model import EmotionRankCLAP
from emorank.types import Array


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
        cosine: to the description or the clip, -1..1.
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
    return [_known(row, cosine) for row, cosine in description.near]


def captions_like(model: EmotionRankCLAP, clip: Array) -> list[Known]:
    """The captions that sound most like a clip to a model, the nearest first; none where its text encoder is not known.

    Args:
        model: that embedded the clip.
        clip: (embedding_dim,) of an utterance, L2-normalised.
    """
    rows, embeddings = _descriptions(model)
    if not len(rows):
        return []
    cosines, places = nearest(clip[None].astype(np.float32), embeddings)
    return [_known(int(rows[at]), float(cosine)) for at, cosine in zip(places[0], cosines[0], strict=True)]


def _known(row: int, cosine: float) -> Known:
    bank = bundled("train")
    place = np.round(bank.points[row].astype(float).clip(LOWEST, HIGHEST), 2)
    return Known(bank.texts[row], round(cosine, 3), *place.tolist())


@lru_cache(maxsize=2)
def _descriptions(model: EmotionRankCLAP) -> tuple[np.ndarray, Array]:
    """The bank's training captions that say how a voice sounds, not what it says: rows, and as a model embeds them."""
    vectors = known(model.text_encoder.fingerprint)
    texts = bundled("train").texts if vectors is not None else ()
    rows = np.flatnonzero([not spoken(text, 1) and text[-1] not in "!?" for text in texts])
    return rows, np.zeros((0, model.embedding_dim), np.float32) if vectors is None else model.text(vectors[rows])


def mean_place(placed: Sequence[Placed]) -> dict[str, float | None] | None:
    """The mean of where captions or hits lie, by dimension, None in one that is not known; None where there are none.

    Of the five captions that a description is nearest to, it is the place that is asked for: on the bank's development
    captions it is off by 0.5 in each dimension.
    """
    values = {name: [value for one in placed if (value := getattr(one, name)) is not None] for name in DIMENSIONS}
    return {name: round(float(np.mean(own)), 2) if own else None for name, own in values.items()} if placed else None
