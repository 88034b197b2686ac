"""What search and export can be asked, in one place: options, the index that is meant, the query that comes of both."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import as_typed, name_hints
from emorank.cli.listen import clip, listened
from emorank.cli.options import require
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.captions.familiar import Described
    from emorank.index.named import NamedIndex
    from emorank.index.plan import Indexed
    from emorank.model import EmotionRankCLAP
    from emorank.search import Collection, Direction, Found, Near


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
    """

    like: list[Path] | None = None
    unlike: list[Path] | None = None
    ands: Annotated[list[str] | None, Parameter(name="--and", negative="")] = None
    nots: Annotated[list[str] | None, Parameter(name="--not", negative="")] = None
    near: str | None = None
    where: str | None = None
    group: Annotated[bool, Parameter(negative="")] = False
    top: Annotated[int | None, Parameter(alias="-n")] = None

    def __post_init__(self) -> None:
        require(self.top is None or self.top >= 1, "--top", "at least 1", self.top)

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

    collection: "Collection"
    model: "EmotionRankCLAP"
    named: "NamedIndex | None" = None

    @cached_property
    def recordings(self) -> "dict[str, Indexed] | None":
        """What a named index knows of its recordings; None of a folder, which was looked at just now."""
        return self.named.reading.recordings() if self.named else None

    @cached_property
    def by_content(self) -> dict[str, list[str]]:
        """The paths of a named index's recordings by what is in them."""
        from emorank.taking.picked import by_content

        return by_content(self.recordings or {})


def opened(
    place: str, where: str | None, model: str | None = None, index: Path | None = None, channels: str | None = None
) -> Place:
    """A named index as it is, or a folder or recording that is listened to first.

    Raises:
        EmorankError: there is nothing of this name, or the filter cannot be understood.
    """
    named = _named(place, model, index, channels)
    from emorank.search import Collection

    if where:
        from emorank.search.collection import column_types
        from emorank.search.filter import where as understood

        understood(where, column_types(named.labels() if named else None))  # before a model is loaded
    if named:
        return Place(Collection.of(named), named.model, named)
    from emorank.model import EmotionRankCLAP

    clap = EmotionRankCLAP.from_pretrained(model or DEFAULT_MODEL)
    segments = listened(place, clap, index, channels or "auto")
    return Place(Collection(segments, shown=[as_typed(path, place) for path in segments.paths]), clap)


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
