"""Searches that are kept in an index by a name: saved, listed, forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from emorank.cli.asked import Asked
from emorank.cli.asking import as_saved
from emorank.cli.console import print_json, print_table, say
from emorank.cli.opening import Place
from emorank.errors import EmorankError


@dataclass(frozen=True)
class Keeping:
    """What else is done with a search.

    Args:
        save: Keep the search in the named index under a name, in the place of what had it.
        searches: List the searches that are kept in the named index.
        forget: Forget the search of a name.
    """

    save: str | None = None
    searches: Annotated[bool, Parameter(negative="")] = False
    forget: str | None = None

    @property
    def alone(self) -> bool:
        """Whether nothing is searched for."""
        return self.searches or self.forget is not None


def keep(place: Place, name: str, descriptions: Sequence[str], asked: Asked) -> None:
    """Keep a search under a name.

    Raises:
        EmorankError: it is not of a named index, or cannot be kept.
    """
    from emorank.index.searches import SEARCHES, saved

    if place.named is None:
        raise EmorankError("Searches are kept in indexes with a name; make one: emorank index DIR --name NAME")
    if asked.saved is not None:
        raise EmorankError("--saved is kept already; leave --save out.")
    search = as_saved(descriptions, asked, place)
    SEARCHES.change(place.named.folder, lambda book: saved(book, name, search))
    say(f"Kept as {name}; again: emorank search {place.named.name} --saved {name!r}")


def tend(index: str, keeping: Keeping, json: bool, wide: bool) -> None:
    """List the searches of a named index, or forget one.

    Raises:
        EmorankError: there is no such index or search.
    """
    from emorank.index.named import NamedIndex
    from emorank.index.searches import SEARCHES, forgotten
    from emorank.search.saved import words

    folder = NamedIndex.open(index).folder
    if keeping.forget is not None:
        name = keeping.forget
        SEARCHES.change(folder, lambda book: forgotten(book, name))
        say(f"{name}: forgotten.")
    if not keeping.searches:
        return
    book = SEARCHES.read(folder)
    if json:
        import msgspec

        print_json([{"name": name, **msgspec.to_builtins(search)} for name, search in book.items()])
    elif not book:
        say('No search is kept yet; keep one: emorank search "cold fury" INDEX --save NAME')
    else:
        print_table(
            ("search", "asks"),
            [(name, words(search)) for name, search in book.items()],
            frozenset({"search", "asks"}),
            wide=wide,
        )
