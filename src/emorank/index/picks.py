"""Named collections of an index: moments that somebody picked, and what they say of them. Pure functions.

A moment is known by the content of its recording and its span, so that it stays what it is when the recording is moved
or the index is made anew.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from emorank.affect import DIMENSIONS, HIGHEST, LOWEST
from emorank.errors import EmorankError
from emorank.index.naming import LONGEST as LONGEST_WORD
from emorank.index.naming import check_name

MOST_MOMENTS, MOST_COLLECTIONS = 100_000, 1_000
LONGEST_NOTE, MOST_TAGS = 2_000, 32  # characters, tags

Value = Annotated[float, msgspec.Meta(ge=LOWEST, le=HIGHEST)]
Key = tuple[str, float, int]  # content, start, channel


class Label(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody says of a moment; at least one of the first four.

    Attributes:
        by: who.
        at: when, as ISO 8601 in UTC.
        valence: 1..7.
        arousal: 1..7.
        dominance: 1..7.
        category: a word, such as anger.
    """

    by: Annotated[str, msgspec.Meta(min_length=1)]
    at: str
    valence: Value | None = None
    arousal: Value | None = None
    dominance: Value | None = None
    category: str | None = None


class Pick(msgspec.Struct, frozen=True, omit_defaults=True):
    """A moment of a collection.

    Attributes:
        digest: of the content of its recording, see `emorank.digest`.
        path: where that lay when it was picked, absolute.
        start: in seconds.
        end: in seconds.
        channel: number of the channel, from 1; 0 where the recording was heard as one.
        labels: one a person, the latest last.
    """

    digest: str
    path: str
    start: float
    end: float
    channel: int = 0
    labels: tuple[Label, ...] = ()

    @property
    def key(self) -> Key:
        """What it is known by."""
        return self.digest, round(self.start, 3), self.channel


class Picks(msgspec.Struct, frozen=True, omit_defaults=True):
    """A collection.

    Attributes:
        note: of its owner.
        tags: of its owner.
        made: when, as ISO 8601 in UTC.
        moments: in the order in which they were added.
    """

    note: str = ""
    tags: tuple[str, ...] = ()
    made: str = ""
    moments: tuple[Pick, ...] = ()


Book = dict[str, Picks]  # every collection of an index by its name
Change = Callable[[Book], Book]


def now() -> str:
    """The time, as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def found(book: Book, name: str) -> Picks:
    """A collection.

    Raises:
        EmorankError: there is none of this name.
    """
    if name not in book:
        known = f"there are {', '.join(book)}" if book else "there are none yet"
        raise EmorankError(f"There is no collection {name!r} ({known}).")
    return book[name]


def described(book: Book, name: str, note: str | None = None, tags: Sequence[str] | None = None) -> Book:
    """With a collection that has this note and these tags; made where it is not there. None leaves them as they are.

    Raises:
        EmorankError: the name, the note or a tag cannot be one, or there are too many.
    """
    old = book.get(name) or Picks(made=now())
    if name not in book:
        check_name(name, "a collection")
        if len(book) >= MOST_COLLECTIONS:
            raise EmorankError(f"An index has up to {MOST_COLLECTIONS} collections; delete one first.")
    if note is not None and len(note) > LONGEST_NOTE:
        raise EmorankError(f"The note is {len(note)} characters long; {LONGEST_NOTE} are allowed.")
    unique = None if tags is None else tuple(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if unique is not None and (len(unique) > MOST_TAGS or any(len(tag) > LONGEST_WORD for tag in unique)):
        raise EmorankError(f"A collection has up to {MOST_TAGS} tags of up to {LONGEST_WORD} characters.")
    return {
        **book,
        name: msgspec.structs.replace(
            old, note=old.note if note is None else note, tags=old.tags if unique is None else unique
        ),
    }


def added(book: Book, name: str, moments: Iterable[Pick]) -> Book:
    """With moments at the end of a collection, those that it does not have yet; made where it is not there.

    Raises:
        EmorankError: the name cannot be one, or the collection would become too large.
    """
    book = described(book, name)
    known = {pick.key for pick in book[name].moments}
    new = {pick.key: pick for pick in moments if pick.key not in known}
    every = (*book[name].moments, *new.values())
    if len(every) > MOST_MOMENTS:
        raise EmorankError(f"A collection holds up to {MOST_MOMENTS} moments; {name!r} would have {len(every)}.")
    return {**book, name: msgspec.structs.replace(book[name], moments=every)}


def removed(book: Book, name: str, keys: Iterable[Key]) -> Book:
    """Without some moments of a collection.

    Raises:
        EmorankError: there is no such collection, or it has not all of them.
    """
    kept = {pick.key: pick for pick in found(book, name).moments}
    for key in set(keys):
        if key not in kept:
            raise EmorankError(f"A moment that shall be removed is not in the collection {name!r}.")
        del kept[key]
    return {**book, name: msgspec.structs.replace(book[name], moments=tuple(kept.values()))}


def renamed(book: Book, name: str, new: str) -> Book:
    """With a collection under another name, in its place.

    Raises:
        EmorankError: there is no such collection, or the new name cannot be one or is taken.
    """
    found(book, name)
    check_name(new, "a collection")
    if new in book and new != name:
        raise EmorankError(f"There is a collection {new!r} already; delete or rename it first.")
    return {new if each == name else each: picks for each, picks in book.items()}


def deleted(book: Book, name: str) -> Book:
    """Without a collection.

    Raises:
        EmorankError: there is no such collection.
    """
    found(book, name)
    return {each: picks for each, picks in book.items() if each != name}


def labelled(book: Book, name: str, keys: Iterable[Key], label: Label) -> Book:
    """With somebody's label for moments of a collection, in the place of what the same person said before of them.

    A label that says nothing takes that away.

    Raises:
        EmorankError: there is no such collection or moment in it, or a value lies outside 1..7.
    """
    for dimension in DIMENSIONS:
        value = getattr(label, dimension)
        if value is not None and not LOWEST <= value <= HIGHEST:
            raise EmorankError(f"{dimension} is {value:g}; it runs from {LOWEST:g} to {HIGHEST:g}.")
    for word in (label.by, label.category or "-"):
        if not 0 < len(word.strip()) <= LONGEST_WORD or not word.isprintable():
            raise EmorankError(f"Who labels, and the category, are words of 1 to {LONGEST_WORD} characters.")
    kept = {pick.key: pick for pick in found(book, name).moments}
    says = label.category is not None or any(getattr(label, dimension) is not None for dimension in DIMENSIONS)
    for key in set(keys):
        if key not in kept:
            raise EmorankError(f"A moment that shall be labelled is not in the collection {name!r}; add it first.")
        others = tuple(one for one in kept[key].labels if one.by != label.by)
        kept[key] = msgspec.structs.replace(kept[key], labels=(*others, label) if says else others)
    return {**book, name: msgspec.structs.replace(book[name], moments=tuple(kept.values()))}
