"""Schemas of what is seen beside the hits: counts, histograms, colours of the plane, searches that are kept."""

from pydantic import BaseModel, Field

from emorank.serve.requests import ColumnName, Filtered, Ordered

Shown = str | bool | float | None


class Counted(Filtered):
    """What is counted: segments that pass, by their values in columns."""

    columns: list[ColumnName] | None = Field(None, max_length=24, description="By default all that can be chosen from.")


class ValueCount(BaseModel):
    """A value, and how many segments have it."""

    value: Shown = Field(description="Null stands for no value.")
    count: int


class Facet(BaseModel):
    """A column, and how many segments that pass what is asked of other columns have each of its values."""

    column: str
    values: list[ValueCount] = Field(description="The 50 most frequent, and those that are chosen.")
    others: int = Field(description="How many further values there are.")


class Facets(BaseModel):
    """Counts beside the values."""

    index_version: int
    total: int = Field(description="How many pass everything.")
    facets: list[Facet]


class Grouped(Filtered):
    """What a histogram is of."""

    group: ColumnName | None = Field(None, description="recording, day, or a column; by default all are one group.")


class HistogramGroup(BaseModel):
    """A bar of each bin, of the segments that have a value."""

    value: Shown
    counts: list[int]


class Histogram(BaseModel):
    """How many segments lie where in one dimension, from 1 to 7."""

    dimension: str
    groups: list[HistogramGroup] = Field(description="The largest, at most 8.")
    others: list[int]


class Histograms(BaseModel):
    """One for each dimension that the model knows."""

    index_version: int
    histograms: list[Histogram]


class Colours(BaseModel):
    """What the codes of `/api/plane/codes` stand for."""

    index_version: int
    numbers: bool = Field(description="Whether the column is of numbers; a code is then 254 (x - low) / (high - low).")
    low: float | None
    high: float | None
    values: list[Shown] = Field(description="Of a column of anything else: code -> value; 254 stands for all others.")


class KeptSearch(BaseModel):
    """A search that is kept."""

    name: str
    made: str = Field(description="When, as ISO 8601 in UTC.")
    search: Ordered
