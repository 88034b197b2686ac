"""From descriptions and options to a query, and what it finds."""

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emorank.cli.asked import Asked
from emorank.cli.console import name_hints
from emorank.cli.listen import clip
from emorank.cli.opening import Place
from emorank.cli.places import choices_of, near_of, region_of
from emorank.errors import EmorankError

if TYPE_CHECKING:
    import numpy as np

    from emorank.captions.familiar import Described
    from emorank.index.searches import Saved
    from emorank.model import EmotionRankCLAP
    from emorank.search import Direction, Found, Query


@dataclass(frozen=True)
class Answer:
    """What was found, the descriptions that shall fit as the model took them, and the clips with their embeddings."""

    found: "Found"
    wanted: "list[Described]"
    clips: "list[tuple[Path, np.ndarray]]"


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
    clips = _clips(asked)
    embeddings = [each.embedding for each in query.directions[len(query.directions) - len(clips) :]]
    return Answer(find(place.collection, query), wanted, list(zip(clips, embeddings, strict=True)))


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
        without=tuple(row for path in _clips(asked) for row in place.collection.rows_of(os.path.abspath(path))),
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


def _clips(asked: Asked) -> list[Path]:
    """What hits shall sound like, then what they shall not."""
    return [*(asked.like or ()), *(asked.unlike or ())]


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
