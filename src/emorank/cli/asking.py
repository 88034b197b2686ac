"""What search and export can be asked, in one place: options, the index that is meant, the query that comes of both."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import as_typed, late_progress, name_hints
from emorank.cli.listen import clip, updated
from emorank.cli.options import require
from emorank.errors import EmorankError
from emorank.memory import parsed

if TYPE_CHECKING:
    from emorank.captions.familiar import Described
    from emorank.index.named import NamedIndex
    from emorank.index.plan import Indexed
    from emorank.model import EmotionRankCLAP
    from emorank.search import Direction, Found, Near
    from emorank.search.rank import Searched


@dataclass(frozen=True)
class Asked:
    """What is looked for, beside descriptions.

    Args:
        like: A recording; find what sounds like it. May be given several times.
        unlike: A recording that hits shall not sound like. May be given several times.
        ands: A description that hits shall fit as well. May be given several times.
        nots: A description that hits shall not fit. May be given several times.
        near: Valence and arousal, such as 2.0,6.0, and if you like a radius, 2.0,6.0,0.5: only what lies there.
        where: Only segments that pass this filter. Columns: path, file, start, end, duration, valence, arousal,
            dominance, loudness, and those of the table given to emorank index.
        group: One moment a recording, its best.
        top: How many moments; by default search shows 10, and export takes all.
        memory: How much memory the index may take, such as 4GB; what is larger is searched from files. By default what
            100,000 moments need, and never more than half of what is free.
    """

    like: list[Path] | None = None
    unlike: list[Path] | None = None
    ands: Annotated[list[str] | None, Parameter(name="--and", negative="")] = None
    nots: Annotated[list[str] | None, Parameter(name="--not", negative="")] = None
    near: str | None = None
    where: str | None = None
    group: Annotated[bool, Parameter(negative="")] = False
    top: Annotated[int | None, Parameter(alias="-n")] = None
    memory: str | None = None

    def __post_init__(self) -> None:
        require(self.top is None or self.top >= 1, "--top", "at least 1", self.top)
        allowed(self.memory)

    @property
    def ranks(self) -> bool:
        """Whether anything but a filter is asked."""
        return bool(self.like or self.unlike or self.ands or self.nots or self.near)


@dataclass(frozen=True)
class Place:
    """What is searched.

    Args:
        collection: its segments.
        model: that placed them.
        named: the index by its name; None where it is a folder or a recording.
    """

    collection: "Searched"
    model: "EmotionRankCLAP"
    named: "NamedIndex | None" = None

    @cached_property
    def recordings(self) -> "Mapping[str, Indexed] | None":
        """What a named index knows of its recordings; None of a folder, which was looked at just now."""
        from emorank.search.mapped import MappedCollection

        if self.named and isinstance(self.collection, MappedCollection):
            return self.collection.recordings
        return self.named.reading.recordings() if self.named else None

    @cached_property
    def by_content(self) -> "Mapping[str, Sequence[str]]":
        """The paths of a named index's recordings by what is in them."""
        from emorank.search.mapped import MappedCollection

        if isinstance(self.collection, MappedCollection):
            return self.collection.by_content
        from emorank.taking.picked import by_content

        return by_content(self.recordings or {})


def opened(
    place: str,
    where: str | None,
    model: str | None = None,
    index: Path | None = None,
    channels: str | None = None,
    memory: str | None = None,
) -> Place:
    """A named index as it is, or a folder or recording that is listened to first.

    Raises:
        EmorankError: there is nothing of this name, or the filter cannot be understood.
    """
    named = _named(place, model, index, channels)
    from emorank.search.opened import folder_collection, named_collection

    if where:
        from emorank.search.columns import column_types
        from emorank.search.filter import where as understood

        understood(where, column_types(named.labels() if named else None))  # before a model is loaded
    if named:
        with late_progress(f"reading {named.name}") as bar:
            return Place(named_collection(named, allowed(memory), bar), named.model, named)
    from emorank.model import EmotionRankCLAP

    clap = EmotionRankCLAP.from_pretrained(model or DEFAULT_MODEL)
    kept = updated(place, clap, index, channels or "auto")
    with late_progress(f"reading the index of {place}") as bar:
        collection = folder_collection(kept, place, lambda path: as_typed(path, place), allowed(memory), bar)
    if not len(collection):
        raise EmorankError(f"{place}: there are no recordings that can be searched.")
    return Place(collection, clap)


def allowed(memory: str | None) -> int | None:
    """Bytes that --memory allows; None where it says nothing.

    Raises:
        EmorankError: it is no size.
    """
    return None if memory is None else parsed(memory)


@dataclass(frozen=True)
class Answer:
    """What was found, and the descriptions that shall fit as the model took them."""

    found: "Found"
    wanted: "list[Described]"


def found(place: Place, descriptions: Sequence[str], asked: Asked, top: int) -> "Found":
    """What descriptions and options find, best first; see `answered`."""
    return answered(place, descriptions, asked, top).found


def answered(place: Place, descriptions: Sequence[str], asked: Asked, top: int) -> Answer:
    """What descriptions and options find, best first.

    Raises:
        EmorankError: nothing is asked, or not what can be.
    """
    from emorank.captions.familiar import described
    from emorank.search import Query, find

    clips = [*(asked.like or ()), *(asked.unlike or ())]
    texts = [*descriptions, *(asked.ands or ())]
    understood = described(place.model, [*texts, *(asked.nots or ())])
    name_hints(understood)
    wanted, unwanted = understood[: len(texts)], understood[len(texts) :]
    query = Query(
        directions=_directions(place.model, wanted, unwanted, asked.like or (), asked.unlike or ()),
        near=near_of(asked.near),
        where=asked.where,
        without=tuple(row for path in clips for row in place.collection.rows_of(os.path.abspath(path))),
        group=asked.group,
        top=top,
    )
    return Answer(find(place.collection, query), wanted)


def near_of(text: str | None) -> "Near | None":
    """A circle on the plane, as --near writes it.

    Raises:
        EmorankError: it is none.
    """
    if text is None:
        return None
    from emorank.search import Near

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise EmorankError(f"--near {text} is no place; write valence and arousal, such as --near 2.0,6.0")
    return Near(*numbers)


def _named(place: str, model: str | None, index: Path | None, channels: str | None) -> "NamedIndex | None":
    """The named index that is searched; None where it is a folder or a recording."""
    from emorank.index.named import NamedIndex, is_named

    if not is_named(place):
        if not os.path.exists(place):
            raise EmorankError(f"{place}: there is no such file or folder, and no index of this name.")
        return None
    if model is not None or index is not None or channels is not None:
        raise EmorankError(
            f"{place} is a named index with its own model, place and channels; leave --model, --index, --channels out."
        )
    return NamedIndex.open(place)


def _directions(
    clap: "EmotionRankCLAP",
    texts: "Sequence[Described]",
    nots: "Sequence[Described]",
    like: Sequence[Path],
    unlike: Sequence[Path],
) -> "tuple[Direction, ...]":
    from emorank.search import NOT, Direction

    texts_in = [each.embedding for each in (*texts, *nots)]
    clips_in = clap.encode_audio([clip(path) for path in (*like, *unlike)])
    weights = [1.0] * len(texts) + [NOT] * len(nots), [1.0] * len(like) + [NOT] * len(unlike)
    pairs = [*zip(texts_in, weights[0], strict=True), *zip(clips_in, weights[1], strict=True)]
    return tuple(Direction(embedding, weight) for embedding, weight in pairs)
