"""Schemas of a server of several indexes: what there is, and how two of them answer the same search."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from emorank.serve.answers import Hint, Hits
from emorank.serve.requests import Asked, Circle, Filter, Rectangle, Text, Top

_Name = Annotated[str, Field(max_length=200)]


class Listed(BaseModel):
    """An index that is served."""

    name: str
    path: str = Field(description="Of its page, from this server's root; its API lies under it.")
    index_version: int
    segments: int
    recordings: int
    seconds: float = Field(description="Length of all segments.")
    model: str
    dimensions: list[str]


class Running(BaseModel):
    """Whether a server of several indexes answers."""

    status: Literal["ok"]
    version: str
    indexes: list[str]


class Comparison(Asked):
    """The same search of two indexes."""

    indexes: Annotated[list[_Name], Field(min_length=2, max_length=2)]
    texts: Annotated[list[Text], Field(min_length=1, max_length=16)]
    near: Circle | None = None
    region: Rectangle | None = None
    where: Filter | None = None
    top: Top = 20


class Elsewhere(BaseModel):
    """Where a hit of one index is in the other."""

    id: str
    rank: int | None = Field(description="From 1; null where it does not pass the other's filters.")


class Agreed(BaseModel):
    """How far two searches agree on the moments that both have, known by the content of their recordings and span."""

    common: int = Field(description="How many both have and let pass.")
    correlation: float | None = Field(description="Spearman's, of their ranks over these moments; -1 to 1.")
    first: int = Field(description="Of how many of the best of these moments `overlap` is told.")
    overlap: int = Field(description="How many are among the best of both.")


class Compared(BaseModel):
    """What two indexes answer to the same search, in the order in which they were named."""

    hits: list[Hits]
    elsewhere: list[list[Elsewhere | None]] = Field(description="For each hit; null where the other does not have it.")
    agreement: Agreed
    hints: list[Hint]
