"""Schemas of whole recordings."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from emorank.serve.limits import Limits
from emorank.serve.responses import Place, TimelineSegment

LONGEST = 10_000_000.0  # seconds
Seconds = Annotated[float, Field(ge=0, le=LONGEST, allow_inf_nan=False)]
Bins = Annotated[int, Field(ge=1, le=Limits().bins, description="Stretches of equal length that the part is cut into.")]


class Stretch(BaseModel):
    """A stretch that stands out; docs/serving.md says by what rule."""

    name: str = Field(description="Such as angriest.")
    start: float = Field(description="In seconds.")
    end: float
    valence: Place = None
    arousal: Place = None
    dominance: Place = None


class Voice(BaseModel):
    """What was heard of a recording as one: all of it, or one of its channels."""

    channel: int | None = Field(description="From 1; null where the recording is heard as one.")
    speaker: str | None = Field(description="As the table of the index says; null where it does not.")
    segment: str = Field(description="Its first segment; its /audio is this voice.")
    moments: int = Field(description="How many segments it has.")
    speech: float = Field(description="Seconds of them.")
    stretches: list[Stretch]


class Recording(BaseModel):
    """A recording as the index knows it."""

    index_version: int
    id: str
    path: str = Field(description="For display.")
    file: str
    seconds: float = Field(description="Where its last segment ends; it may go on behind.")
    moments: int
    damage: str | None = Field(description="What is missing of it; null where nothing is.")
    labels: dict[str, Any]
    dimensions: list[str] = Field(description="That the model knows.")
    voices: list[Voice]


class Line(BaseModel):
    """A dimension, a value a stretch; null where nothing is spoken."""

    low: list[Place]
    mean: list[Place] = Field(description="Weighted by the time that is spoken.")
    high: list[Place]


class VoiceCourse(BaseModel):
    """The course of one voice; a dimension that the model does not know is null."""

    channel: int | None
    valence: Line | None
    arousal: Line | None
    dominance: Line | None


class Course(BaseModel):
    """Valence, arousal and dominance over a part of a recording."""

    start: float
    end: float
    voices: list[VoiceCourse]


class Moments(BaseModel):
    """The segments of a part of a recording, by their start."""

    total: int = Field(description="How many there are; no more than 1,000 are given.")
    segments: list[TimelineSegment]
