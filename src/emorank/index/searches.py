"""Searches that people keep in an index by a name: what was asked, as it was asked."""

from typing import Annotated

import msgspec

from emorank.affect import HIGHEST, LOWEST
from emorank.errors import EmorankError
from emorank.index.documents import Document
from emorank.index.naming import check_name

MOST_SEARCHES = 1_000

Value = Annotated[float, msgspec.Meta(ge=LOWEST, le=HIGHEST)]
Corner = tuple[Value, Value]


class Text(msgspec.Struct, frozen=True, omit_defaults=True):
    """A description, and how much it counts; below 0 it pushes away."""

    text: Annotated[str, msgspec.Meta(min_length=1)]
    weight: float = 1.0


class Like(msgspec.Struct, frozen=True, omit_defaults=True):
    """A moment by its id, and how much it counts."""

    id: str
    weight: float = 1.0


class Chosen(msgspec.Struct, frozen=True):
    """Values of a column; None stands for none."""

    column: str
    values: tuple[str | float | bool | None, ...]


class Saved(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is asked; see `emorank.search.Query`.

    Attributes:
        made: when it was saved, as ISO 8601 in UTC.
        texts: descriptions.
        likes: moments.
        near: valence, arousal and radius.
        region: lowest and highest valence, lowest and highest arousal.
        lasso: corners of a polygon.
        where: a filter.
        choices: values of columns.
        group: a column.
        sort: fit, recording, or a column.
        order: ascending, descending, or what the sort has by default.
        best: how many are sorted.
    """

    made: str = ""
    texts: tuple[Text, ...] = ()
    likes: tuple[Like, ...] = ()
    near: tuple[Value, Value, float] | None = None
    region: tuple[Value, Value, Value, Value] | None = None
    lasso: tuple[Corner, ...] = ()
    where: str | None = None
    choices: tuple[Chosen, ...] = ()
    group: str | None = None
    sort: str | None = None
    order: str | None = None
    best: int | None = None


SEARCHES = Document("searches.json", "searches", Saved)
Book = dict[str, Saved]


def found(book: Book, name: str) -> Saved:
    """A search.

    Raises:
        EmorankError: there is none of this name.
    """
    if name not in book:
        known = f"there are {', '.join(book)}" if book else "there are none yet"
        raise EmorankError(f"There is no search {name!r} ({known}).")
    return book[name]


def saved(book: Book, name: str, search: Saved) -> Book:
    """With a search under a name, in the place of what had it.

    Raises:
        EmorankError: the name cannot be one, or there are too many.
    """
    if name not in book:
        check_name(name, "a search")
        if len(book) >= MOST_SEARCHES:
            raise EmorankError(f"An index has up to {MOST_SEARCHES} searches; forget one first.")
    return {**book, name: search}


def forgotten(book: Book, name: str) -> Book:
    """Without a search.

    Raises:
        EmorankError: there is none of this name.
    """
    found(book, name)
    return {each: search for each, search in book.items() if each != name}
