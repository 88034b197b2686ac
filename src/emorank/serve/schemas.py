"""Schemas of requests and answers, as the OpenAPI document shows them."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from emorank.search.order import BEST, RECORDING
from emorank.serve.limits import Limits
from emorank.serve.tokens import Scope
from emorank.taking.clips import ClipFormat
from emorank.taking.cutting import LONGEST_PAD

_LIMITS = Limits()

Scale = Annotated[float, Field(ge=1, le=7, allow_inf_nan=False)]
Weight = Annotated[
    float, Field(ge=-10, le=10, allow_inf_nan=False, description="How much it counts; below 0 it pushes away.")
]
Description = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_LIMITS.query_characters)
]
Place = Annotated[
    float | None,
    BeforeValidator(lambda value: None if value is None or math.isnan(value) else round(float(value), 2)),
    Field(description="1 to 7; null where the model does not know this dimension."),
]
SegmentId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
RecordingId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]
Filter = Annotated[
    str,
    StringConstraints(max_length=_LIMITS.filter_characters),
    Field(description="Such as: speaker = 'ann' and duration > 3", examples=["duration > 3"]),
]
Top = Annotated[int, Field(ge=1, le=_LIMITS.top)]
PAD = 0.3  # seconds
Pad = Annotated[float, Field(ge=0, le=LONGEST_PAD, allow_inf_nan=False, description="Seconds before and after.")]
Offset = Annotated[int, Field(ge=0, le=_LIMITS.offset)]


ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=_LIMITS.column_characters)]
Value = Annotated[str, StringConstraints(max_length=_LIMITS.value_characters)] | bool | FiniteFloat | None
Group = Annotated[
    ColumnName | None,
    BeforeValidator(
        lambda value: (
            {True: RECORDING, False: None, "true": RECORDING, "false": None}.get(value, value)
            if isinstance(value, bool | str)
            else value
        )
    ),
    Field(description="One segment, the best, of each recording, day, or value of a column; true is recording."),
]
Sort = Annotated[ColumnName, Field(description="fit, recording (path and start), or a column; no value comes last.")]
Order = Annotated[
    Literal["ascending", "descending"] | None,
    Field(description="By default the best fit, numbers and dates descend, text and recordings ascend."),
]
Best = Annotated[
    int,
    Field(ge=1, le=_LIMITS.offset, description="Of what is described, another sort is of so many that fit best."),
]


class Asked(BaseModel):
    """Base of what clients send: unknown fields are mistakes."""

    model_config = ConfigDict(extra="forbid")


class Text(Asked):
    """A description of how segments shall sound."""

    text: Description
    weight: Weight = 1.0


class Like(Asked):
    """A segment that others shall sound like."""

    id: SegmentId
    weight: Weight = 1.0


class Circle(Asked):
    """A circle on the plane."""

    valence: Scale
    arousal: Scale
    radius: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0


class Rectangle(Asked):
    """A rectangle on the plane: lowest and highest."""

    valence: tuple[Scale, Scale]
    arousal: tuple[Scale, Scale]


class Outline(Asked):
    """A polygon on the plane: valence and arousal of its corners."""

    corners: Annotated[list[tuple[Scale, Scale]], Field(min_length=3, max_length=_LIMITS.corners)]


class Choice(Asked):
    """Values of a column, of which segments have one; null stands for no value."""

    column: ColumnName
    values: Annotated[list[Value], Field(min_length=1, max_length=_LIMITS.values)]


class Filtered(Asked):
    """What segments have to pass."""

    near: Circle | None = None
    region: Rectangle | Outline | None = None
    where: Filter | None = None
    choices: Annotated[list[Choice], Field(max_length=_LIMITS.parts)] = []


class Ordered(Filtered):
    """At least one of texts, likes, near, region, where, choices and a sort other than fit."""

    texts: Annotated[list[Text], Field(max_length=_LIMITS.parts)] = []
    likes: Annotated[list[Like], Field(max_length=_LIMITS.parts)] = []
    recording: RecordingId | None = None
    group: Group = None
    sort: Sort = "fit"
    order: Order = None
    best: Best = BEST


class Search(Ordered):
    """At least one of texts, likes, near, region, where, choices and a sort other than fit."""

    why: bool = Field(False, description="Whether to say where the answer comes from.")
    top: Top = 20
    offset: Offset = 0


class Chosen(Asked):
    """Segments that are taken out, in the order of their ranks."""

    ids: Annotated[list[SegmentId], Field(min_length=1, max_length=_LIMITS.taken)]


class Clips(Chosen):
    """Segments that are cut out of their recordings."""

    pad: Pad = PAD
    format: ClipFormat = "wav"
    lists: Annotated[
        list[Literal["parquet", "m3u", "audacity", "elan", "textgrid", "datasets"]],
        Field(max_length=6, description="Besides moments.csv and moments.jsonl."),
    ] = []


class List(Chosen):
    """A list of segments; audacity, elan and textgrid are a zip with a file for each recording."""

    format: Literal["csv", "jsonl", "parquet", "m3u", "audacity", "elan", "textgrid"] = "csv"


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
