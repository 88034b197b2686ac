"""What passes, counted instead of shown: the values of its columns, and how it lies on each dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from emorank.affect import HIGHEST, LOWEST
from emorank.cli.asked import Asked
from emorank.cli.asking import query_of
from emorank.cli.console import print_json, print_table, say
from emorank.cli.opening import Place
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.search.facets import Histogram
    from emorank.search.groups import Value
    from emorank.search.query import Query

_BARS = " ▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Counting:
    """What is counted.

    Args:
        facet: Instead of moments, how many of them have each value of a column. May be given several times.
        histogram: Instead of moments, how they lie on each dimension from 1 to 7, with --group by recording, day or the
            values of a column.
    """

    facet: Annotated[list[str] | None, Parameter(negative="")] = None
    histogram: Annotated[bool, Parameter(negative="")] = False

    def __bool__(self) -> bool:
        return bool(self.facet) or self.histogram


def count(counting: Counting, place: Place, descriptions: Sequence[str], asked: Asked, json: bool) -> None:
    """Print what is counted.

    Raises:
        EmorankError: there is no such column, the filter cannot be understood, or both kinds are asked for.
    """
    if counting.facet and counting.histogram:
        raise EmorankError("Ask for --facet or for --histogram, one at a time.")
    query = query_of(place, descriptions, asked, 1)[0]
    if counting.facet:
        _facets(counting.facet, place, query, json)
    else:
        _histograms(place, query, asked.group, json)


def _facets(columns: Sequence[str], place: Place, query: "Query", json: bool) -> None:
    from emorank.search.facets import facets

    counted = facets(place.collection, query, columns)
    if json:
        print_json(
            [
                {
                    "column": facet.column,
                    "values": [{"value": value, "count": number} for value, number in facet.values],
                    "others": facet.others,
                }
                for facet in counted
            ]
        )
        return
    for facet in counted:
        rows = [(_named(value), str(number)) for value, number in facet.values]
        print_table((facet.column, "moments"), rows, left=frozenset({facet.column}), wide=True)
        if facet.others:
            say(f"{facet.others} further values of {facet.column}.")


def _histograms(place: Place, query: "Query", group: str | None, json: bool) -> None:
    from emorank.search.facets import histograms

    made = histograms(place.collection, query, group)
    if json:
        print_json(
            [
                {
                    "dimension": each.dimension,
                    "from": LOWEST,
                    "to": HIGHEST,
                    "groups": [{"value": value, "counts": counts.tolist()} for value, counts in each.groups],
                    "others": each.others.tolist(),
                }
                for each in made
            ]
        )
        return
    columns = (group or "of", "moments", *(f"{each.dimension} 1 to 7" for each in made))
    print_table(columns, [*_rows(made, group is None)], left=frozenset({columns[0], *columns[2:]}), wide=True)
    say("Each is drawn by its own fullest part.")


def _rows(made: "Sequence[Histogram]", whole: bool) -> list[tuple[str, ...]]:
    """A line a group, all further ones in one, with the number of moments and a drawing of each dimension."""
    each = [
        ("all" if whole else _named(value), [one.groups[at][1] for one in made])
        for at, (value, _) in enumerate(made[0].groups)
    ]
    if any(one.others.any() for one in made):
        each.append(("others", [one.others for one in made]))
    return [(name, str(max(int(counts.sum()) for counts in parts)), *map(_drawn, parts)) for name, parts in each]


def _drawn(counts: Any) -> str:
    """Two bins a letter; what is not empty is seen."""
    pairs = counts.reshape(-1, 2).sum(axis=1)
    heights = -(-pairs * (len(_BARS) - 1) // max(1, int(pairs.max())))
    return "".join(_BARS[int(height)] for height in heights)


def _named(value: "Value") -> str:
    return "none" if value is None else str(value)
