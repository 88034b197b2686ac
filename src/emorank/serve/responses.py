"""What is answered on every route, as the OpenAPI document shows it; a search's own answers are in `answers`."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from emorank.serve.tokens import Scope

Place = Annotated[
    float | None,
    BeforeValidator(lambda value: None if value is None or math.isnan(value) else round(float(value), 2)),
    Field(description="1 to 7; null where the model does not know this dimension."),
]


class Segment(BaseModel):
    """A segment, and how well it fits where something was asked."""

    id: str
    row: int = Field(description="Its place in /api/plane where that holds all segments.")
    path: str = Field(description="For display; recordings are asked for by id.")
    file: str
    start: float = Field(description="In seconds.")
    end: float
    duration: float
    percentile: float | None = Field(description="Percent of the index that fits less well.")
    score: float | None = Field(description="Cosine to the first description or clip.")
    distance: float | None = Field(description="From the middle of near.")
    valence: Place
    arousal: Place
    dominance: Place
    loudness: float | None = Field(description="In dB of full scale.")
    speech: float | None = Field(description="How long somebody speaks in it, in seconds; null where it is not known.")
    caution: str | None = Field(description="Why its place and rank are doubtful: that hardly anybody speaks in it.")
    channel: int | None = Field(description="Of the recording, from 1; null where it is heard as one.")
    damage: str | None = Field(description="What is missing of the recording; null where nothing is.")
    date: str | None = Field(
        description="Of the recording, such as 2026-03-09 14:05:00, as the table or its file says."
    )
    labels: dict[str, Any]
    recording: str = Field(description="Its id, see /api/recordings.")
    moments: int = Field(description="How many segments its recording has.")
    others: int = Field(description="Further segments of the group that pass, when grouped.")


class Page(BaseModel):
    """A page of the list of segments, by path and start."""

    index_version: int
    total: int
    segments: list[Segment]


class Health(BaseModel):
    """Whether the server answers."""

    status: Literal["ok"]
    version: str
    index: str
    index_version: int
    segments: int


class ModelNote(BaseModel):
    """The model, and what it is and is not."""

    name: str
    audio_encoder: str
    text_encoder: str
    dimensions: list[str] = Field(description="That it knows: valence, arousal, dominance.")
    margins: dict[str, float] | None = Field(
        description="By dimension: nine in ten voices like those that it learnt from lie no farther from where it puts "
        "them; null where nobody measured it."
    )
    label_source: str
    note: str


class Column(BaseModel):
    """What a filter may ask about."""

    name: str
    kind: Literal["text", "number", "truth", "date"]
    values: list[str] | None = Field(description="Of text with few different values.")
    low: float | None
    high: float | None


class Bounds(BaseModel):
    """What may be asked for."""

    top: int
    query_characters: int
    filter_characters: int
    upload_bytes: int
    upload_seconds: float
    taken: int
    corners: int
    values: int


class IndexNote(BaseModel):
    """The index that is served."""

    name: str
    index_version: int
    segments: int
    recordings: int
    seconds: float = Field(description="Length of all segments.")
    model: ModelNote
    columns: list[Column]
    roots: list[str]
    limits: Bounds
    compared: list[str] = Field(description="Columns of labels that disagreement compares with the plane.")
    scopes: list[Scope] = Field(description="What the token that was shown allows; all where none is needed.")
    indexes: list[str] = Field(description="All that the server has; where there are several, each at ../NAME/.")


class Waveform(BaseModel):
    """A waveform as it is drawn: bars of 0 to 1; none where an old index did not keep them."""

    peaks: list[float]


class TimelineSegment(BaseModel):
    """A segment of a timeline."""

    id: str
    row: int
    start: float
    end: float
    channel: int | None
    valence: Place
    arousal: Place
    dominance: Place


class Timeline(BaseModel):
    """The segments of one recording, in order."""

    file: str
    path: str
    seconds: float = Field(description="Where the last segment ends.")
    segments: list[TimelineSegment]


class Located(BaseModel):
    """Where a recording lies, how long it is, and how long somebody speaks in it."""

    valence: Place
    arousal: Place
    dominance: Place
    seconds: float
    speech: float = Field(description="How long somebody speaks in it, in seconds.")
    caution: str | None = Field(description="Why this is doubtful: that hardly anybody speaks in it; else null.")
