"""What search and export can be asked, in one place: options, the index that is meant, the query that comes of both."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import as_typed, late_progress, name_hints
from emorank.cli.listen import clip, updated
from emorank.cli.options import require
from emorank.cli.places import choices_of, near_of, region_of
from emorank.errors import EmorankError
from emorank.memory import parsed

if TYPE_CHECKING:
    from emorank.captions.familiar import Described
    from emorank.index.named import NamedIndex
    from emorank.index.plan import Indexed
    from emorank.index.searches import Saved
    from emorank.model import EmotionRankCLAP
    from emorank.search import Direction, Found, Query
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
        region: Only what lies in a rectangle, lowest and highest valence, then arousal, such as 1,3,5,7; or in a
            polygon, its corners as valence,arousal with blanks between them, such as "1,5 3,7 3,5".
        where: Only segments that pass this filter. Columns: path, file, start, end, duration, valence, arousal,
            dominance, loudness, date, and those of the table given to emorank index.
        choice: Only segments with a value in a column, such as speaker=ann; none stands for no value. May be given
            several times: values of one column are alternatives.
        group: One moment, the best, of each recording, day, or value of a column, such as speaker.
        sort: What orders: fit, recording, or a column such as valence, arousal, dominance, date, duration, loudness.
            Of what is described, the --best are ordered so.
        order: ascending or descending; by default the best fit, numbers and dates come highest first, text and
            recordings lowest.
        best: Of so many that fit a description best is another --sort; by default 200, or --top where that is more.
        saved: A search that was kept with --save, by its name.
        top: How many moments; by default search shows 10, and export takes all.
        memory: How much memory the index may take, such as 4GB; what is larger is searched from files. By default what
            100,000 moments need, and never more than half of what is free.
    """

    like: list[Path] | None = None
    unlike: list[Path] | None = None
    ands: Annotated[list[str] | None, Parameter(name="--and", negative="")] = None
    nots: Annotated[list[str] | None, Parameter(name="--not", negative="")] = None
    near: str | None = None
    region: str | None = None
    where: str | None = None
    choice: Annotated[list[str] | None, Parameter(negative="")] = None
    group: str | None = None
    sort: str | None = None
    order: Literal["ascending", "descending"] | None = None
    best: int | None = None
    saved: str | None = None
    top: Annotated[int | None, Parameter(alias="-n")] = None
    memory: str | None = None

    def __post_init__(self) -> None:
        require(self.top is None or self.top >= 1, "--top", "at least 1", self.top)
        require(self.best is None or self.best >= 1, "--best", "at least 1", self.best)
        allowed(self.memory)
        near_of(self.near)  # before anything is listened to
        region_of(self.region)
        if self.saved is not None and (self.ranks_itself or self.where or self.group or self.order or self.best):
            raise EmorankError("--saved is a whole search; only --top goes with it.")

    @property
    def ranks_itself(self) -> bool:
        """Whether anything but a filter is asked here, not by a search that was kept."""
        places = self.near or self.region or self.choice or self.sort
        return bool(self.like or self.unlike or self.ands or self.nots or places)

    @property
    def ranks(self) -> bool:
        """Whether anything but a filter is asked."""
        return self.ranks_itself or self.saved is not None


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
    from emorank.search import find

    query, wanted = query_of(place, descriptions, asked, top)
    return Answer(find(place.collection, query), wanted)


def query_of(place: Place, descriptions: Sequence[str], asked: Asked, top: int) -> "tuple[Query, list[Described]]":
    """The query that descriptions and options are, and the descriptions that shall fit as the model took them.

    Raises:
        EmorankError: a search that was kept is not there, or an option is not what it has to be.
    """
    from emorank.captions.familiar import described
    from emorank.search import Query

    if asked.saved is not None:
        kept, wanted = _kept(place, asked.saved, bool(descriptions))
        return dataclasses.replace(kept, top=top), wanted
    from emorank.search.order import BEST, FIT

    clips = [*(asked.like or ()), *(asked.unlike or ())]
    texts = [*descriptions, *(asked.ands or ())]
    understood = described(place.model, [*texts, *(asked.nots or ())])
    name_hints(understood)
    wanted, unwanted = understood[: len(texts)], understood[len(texts) :]
    query = Query(
        directions=_directions(place.model, wanted, unwanted, asked.like or (), asked.unlike or ()),
        near=near_of(asked.near),
        region=region_of(asked.region),
        where=asked.where,
        choices=choices_of(asked.choice or (), place.collection.column_types) if asked.choice else (),
        without=tuple(row for path in clips for row in place.collection.rows_of(os.path.abspath(path))),
        group=asked.group,
        sort=asked.sort or FIT,
        order=asked.order,
        best=asked.best or max(BEST, top),
        top=top,
    )
    return query, wanted


def as_saved(descriptions: Sequence[str], asked: Asked, place: Place) -> "Saved":
    """What is asked, to be kept under a name.

    Raises:
        EmorankError: a clip is asked about, which an index does not keep.
    """
    from emorank.index import picks
    from emorank.index.searches import Chosen, Saved, Text
    from emorank.search import NOT, Lasso

    if asked.like or asked.unlike:
        raise EmorankError("A clip is not kept with a search; leave --like and --unlike out.")
    near, region = near_of(asked.near), region_of(asked.region)
    lasso = region.corners if isinstance(region, Lasso) else ()
    chosen = choices_of(asked.choice or (), place.collection.column_types) if asked.choice else ()
    return Saved(
        made=picks.now(),
        texts=(
            *(Text(text) for text in [*descriptions, *(asked.ands or ())]),
            *(Text(text, NOT) for text in asked.nots or ()),
        ),
        near=(near.valence, near.arousal, near.radius) if near else None,
        region=(*region.valence, *region.arousal) if region and not isinstance(region, Lasso) else None,
        lasso=lasso,
        where=asked.where,
        choices=tuple(Chosen(choice.column, choice.values) for choice in chosen),
        group=asked.group,
        sort=asked.sort,
        order=asked.order,
        best=asked.best,
    )


def _kept(place: Place, name: str, more: bool) -> "tuple[Query, list[Described]]":
    """A search that was kept, as a query and the descriptions that shall fit."""
    from emorank.captions.familiar import described
    from emorank.index.searches import SEARCHES
    from emorank.index.searches import found as known
    from emorank.search.saved import query_of

    if more:
        raise EmorankError("--saved is a whole search; leave the description out.")
    if place.named is None:
        raise EmorankError("Searches are kept in indexes with a name; name one: emorank search INDEX --saved NAME")
    search = known(SEARCHES.read(place.named.folder), name)
    texts = described(place.model, [text.text for text in search.texts])
    name_hints(texts)
    wanted = [each for each, text in zip(texts, search.texts, strict=True) if text.weight > 0]
    return query_of(search, place.collection, [each.embedding for each in texts]), wanted


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
