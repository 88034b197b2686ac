"""Whether what is asked can be."""

from emorank.affect import HIGHEST, LOWEST
from emorank.errors import EmorankError
from emorank.search.lasso import MOST_POINTS
from emorank.search.order import ASCENDING, DESCENDING, FIT
from emorank.search.query import Lasso, Query


def check(query: Query) -> None:
    """That a query asks for something, and for places on the plane.

    Raises:
        EmorankError: it does not.
    """
    if not (query.directions or query.near or query.region or query.where or query.choices or query.sort != FIT):
        raise EmorankError(
            "The query asks for nothing; give a description, a clip, a place on the plane, a filter or an order."
        )
    if query.top < 1 or query.offset < 0:
        raise EmorankError(f"{query.top} hits from {query.offset} on were asked for; ask for at least 1 from 0 on.")
    if query.best < 1:
        raise EmorankError(f"The best {query.best} shall be sorted; that has to be at least 1.")
    if query.order not in (None, ASCENDING, DESCENDING):
        raise EmorankError(f"The order is {query.order!r}; it is {ASCENDING} or {DESCENDING}.")
    for place in _places(query):
        if not LOWEST <= place <= HIGHEST:
            raise EmorankError(f"{place:g} is not on the plane; valence and arousal run from 1 to 7.")


def _places(query: Query) -> list[float]:
    """Every coordinate that is asked for.

    Raises:
        EmorankError: they make no place.
    """
    places: list[float] = []
    if query.near:
        places = [query.near.valence, query.near.arousal]
        if not query.near.radius > 0:
            raise EmorankError(f"The radius is {query.near.radius:g}; it has to be above 0.")
    if isinstance(query.region, Lasso):
        if not 3 <= len(query.region.corners) <= MOST_POINTS:
            raise EmorankError(f"The region has {len(query.region.corners)} corners; it needs 3 to {MOST_POINTS}.")
        places += [place for corner in query.region.corners for place in corner]
    elif query.region:
        places += [*query.region.valence, *query.region.arousal]
        for name, (low, high) in (("valence", query.region.valence), ("arousal", query.region.arousal)):
            if low > high:
                raise EmorankError(f"The region's {name} runs from {low:g} down to {high:g}; the lower comes first.")
    return places
