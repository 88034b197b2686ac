"""What clients may send, as the OpenAPI document shows it."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, StringConstraints

from emorank.search.order import BEST, RECORDING
from emorank.serve.limits import Limits
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
