"""What a search answers beside segments: hints, how well it fits, where it comes from."""

import math
from collections.abc import Sequence
from dataclasses import asdict

from pydantic import BaseModel, Field

from emorank.affect import DIMENSIONS
from emorank.captions.familiar import Described
from emorank.captions.fit import Fit
from emorank.captions.hints import Kind
from emorank.captions.origin import Placed, captions_like, mean_place, nearest_captions
from emorank.model import EmotionRankCLAP
from emorank.search.query import Hit
from emorank.serve.responses import Place, Segment
from emorank.types import Array


class Hint(BaseModel):
    """What there is to say of a description."""

    text: str
    kind: Kind = Field(
        description="unknown: hardly understood; foreign: read as another language; unread: so it should be, but what "
        "reads it is not installed; negated: has a “not”; spoken: reads like speech."
    )
    familiarity: float = Field(description="-1 to 1: mean cosine to the five nearest descriptions that it learnt from.")
    message: str = Field(description="For a person: the sentence, and what to try.")
    sentence: str = Field(description="The same without what to try.")
    suggestions: list[str] = Field(description="Descriptions to try instead.")
    wanted: str | None = Field(description="Of a negated one, what is wanted, perhaps nothing; else null.")
    unwanted: str | None = Field(description="Of a negated one, what is not wanted; else null.")


class Known(BaseModel):
    """A caption that the model learnt from, and where it lies."""

    text: str
    cosine: float
    valence: Place
    arousal: Place
    dominance: Place


class Spot(BaseModel):
    """A place on the dimensions."""

    valence: Place
    arousal: Place
    dominance: Place


class Origin(BaseModel):
    """What a description is taken for."""

    text: str
    nearest: list[Known] = Field(description="The captions that it is nearest to; none for an unknown text encoder.")
    place: Spot | None = Field(description="The mean of where they lie: the place that is asked for.")


class Sound(BaseModel):
    """What a clip is taken for."""

    id: str | None = Field(description="Of a segment of the index; null for a recording that was uploaded.")
    nearest: list[Known] = Field(description="The captions that sound most like it; none for an unknown text encoder.")
    place: Spot = Field(description="Where it lies.")


class Why(BaseModel):
    """Where an answer comes from."""

    descriptions: list[Origin]
    clips: list[Sound]
    found: Spot | None = Field(description="The mean place of the hits of this answer.")


class Hits(BaseModel):
    """What was found, best first."""

    index_version: int
    total: int = Field(description="How many pass all filters.")
    milliseconds: float
    hits: list[Segment]
    percentile_error: float | None = Field(
        description="Points that percentiles may be off by in 95 of 100 cases; null where they are exact."
    )
    fit: Fit | None = Field(
        description="How well the best five fit the descriptions, against how close recordings come to such captions; "
        "null without descriptions, with unknown ones, for unknown models, and from the second page on."
    )
    caution: str | None = Field(description="A sentence where hardly anybody speaks in an uploaded clip; else null.")
    hints: list[Hint] = Field(description="Where there is something to say of a description; else empty.")
    why: Why | None = Field(description="Where it was asked for.")


class Suggestion(BaseModel):
    """A description that goes on from what is written."""

    text: str
    valence: Place
    arousal: Place


class Suggestions(BaseModel):
    """Descriptions that go on from what is written, the likeliest first."""

    suggestions: list[Suggestion]


def hints_of(texts: Sequence[Described]) -> list[Hint]:
    """A hint once for each description that has one."""
    return [
        Hint(
            **{**asdict(hint), "familiarity": round(hint.familiarity, 3)}, message=hint.message, sentence=hint.sentence
        )
        for hint in dict.fromkeys(text.hint for text in texts)
        if hint
    ]


def why(
    model: EmotionRankCLAP, texts: Sequence[Described], clips: Sequence[tuple[str | None, Array]], hits: Sequence[Hit]
) -> Why:
    """What descriptions and clips are taken for, and where the hits lie.

    Args:
        model: that embedded them.
        texts: the descriptions.
        clips: id and (embedding_dim,) embedding of each.
        hits: what was found.
    """
    origins = []
    for text in {text.text: text for text in texts}.values():
        captions = nearest_captions(text)
        known = [Known(**asdict(caption)) for caption in captions]
        origins.append(Origin(text=text.text, nearest=known, place=_spot(captions)))
    return Why(descriptions=origins, clips=[_sound(model, *clip) for clip in clips], found=_spot(hits))


def _sound(model: EmotionRankCLAP, id: str | None, embedding: Array) -> Sound:
    captions = [Known(**asdict(caption)) for caption in captions_like(model, embedding)]
    values = model.places(embedding[None])[0].astype(float).round(2).tolist()
    places = {name: None if math.isnan(value) else value for name, value in zip(DIMENSIONS, values, strict=True)}
    return Sound(id=id, nearest=captions, place=Spot(**places))


def _spot(placed: Sequence[Placed]) -> Spot | None:
    mean = mean_place(placed)
    return Spot(**mean) if mean else None
