"""Schemas of collections: what is asked and answered under /api/collections."""

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from emorank.index.naming import LONGEST as LONGEST_WORD
from emorank.index.picks import LONGEST_NOTE, MOST_TAGS
from emorank.serve.requests import Asked, Chosen, Scale
from emorank.serve.responses import Segment

Name = Annotated[str, StringConstraints(pattern=r"^[^\W_][\w .-]*$", max_length=LONGEST_WORD)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_WORD)]


class Described(Asked):
    """What a collection is; what is left out stays as it is."""

    note: Annotated[str | None, Field(max_length=LONGEST_NOTE)] = None
    tags: Annotated[list[Word] | None, Field(max_length=MOST_TAGS)] = None
    name: Name | None = Field(None, description="Another name for it.")


class Labelled(Chosen):
    """How segments of a collection sound, as one person says; without any of the four, what was said is taken away."""

    by: Word
    valence: Scale | None = None
    arousal: Scale | None = None
    dominance: Scale | None = None
    category: Word | None = None


class Summary(BaseModel):
    """A collection without its segments."""

    name: str
    note: str
    tags: list[str]
    made: str = Field(description="When, as ISO 8601 in UTC.")
    moments: int
    labelled: int
    missing: int = Field(description="Moments that are not in the index now; they stay in the collection.")


class OwnLabel(BaseModel):
    """What somebody said of a segment."""

    by: str
    at: str = Field(description="When, as ISO 8601 in UTC.")
    valence: float | None
    arousal: float | None
    dominance: float | None
    category: str | None


class Member(BaseModel):
    """A segment of a collection, with what people said of it, the latest last."""

    segment: Segment
    labels: list[OwnLabel]


class Members(Summary):
    """A collection with a page of its segments, in the order in which they were added."""

    members: list[Member]
