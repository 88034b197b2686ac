"""What clients filter by, as a query."""

from emorank.search.query import Choice, Lasso, Near, Query, Region
from emorank.serve.errors import Refused
from emorank.serve.requests import Filtered, Outline, Rectangle
from emorank.serve.snapshots import Snapshot


def filtered(snapshot: Snapshot, asked: Filtered) -> Query:
    """A query that has these filters and nothing else.

    Raises:
        Refused: places are asked for that the model does not know.
    """
    if (asked.near or asked.region) and not snapshot.has_plane:
        known = ", ".join(snapshot.dimensions)
        raise Refused(400, "bad_query", f"The model of this index knows {known} alone; it cannot be asked for places.")
    return Query(
        near=Near(**asked.near.model_dump()) if asked.near else None,
        region=_region(asked.region),
        where=asked.where,
        choices=tuple(Choice(choice.column, tuple(choice.values)) for choice in asked.choices),
    )


def _region(asked: Rectangle | Outline | None) -> Region | Lasso | None:
    if isinstance(asked, Outline):
        return Lasso(tuple(asked.corners))
    return Region(asked.valence, asked.arousal) if asked else None
