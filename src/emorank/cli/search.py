"""emorank search: the moments of a folder or of a named index that sound like a description, or like a clip."""

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import as_typed, clock, from_here, print_json, print_table, say, shown
from emorank.cli.listen import clip, listened
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.index.named import NamedIndex
    from emorank.model import EmotionRankCLAP
    from emorank.search import Collection, Direction, Near


def search(
    *words: str,
    like: list[Path] | None = None,
    unlike: list[Path] | None = None,
    ands: Annotated[list[str] | None, Parameter(name="--and", negative="")] = None,
    nots: Annotated[list[str] | None, Parameter(name="--not", negative="")] = None,
    near: str | None = None,
    where: str | None = None,
    group: Annotated[bool, Parameter(negative="")] = False,
    top: Annotated[int, Parameter(alias="-n")] = 10,
    json: Annotated[bool, Parameter(negative="")] = False,
    model: str | None = None,
    channels: str | None = None,
    index: Path | None = None,
    wide: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Find the moments of recordings that sound like a description or like a clip.

    The first search of a folder encodes its recordings and keeps an index; the next ones start from that and look
    only at what was added, changed or removed. A named index, made by emorank index, answers as it is.

    Examples:

        emorank search "furious, shouting" recordings/

        emorank search --like clip.wav recordings/

        emorank search "cold fury, quiet" calls --not "crying" --where "speaker = 'ann' and duration > 3"

        emorank search calls --near 2.0,6.0

    Args:
        words: The description in quotes, then the folder, recording or named index to search.
        like: A recording; find what sounds like it. May be given several times.
        unlike: A recording that hits shall not sound like. May be given several times.
        ands: A description that hits shall fit as well. May be given several times.
        nots: A description that hits shall not fit. May be given several times.
        near: Valence and arousal, such as 2.0,6.0, and if you like a radius, 2.0,6.0,0.5: only what lies there.
        where: Only segments that pass this filter. Columns: path, file, start, end, duration, valence, arousal,
            dominance, loudness, and those of the table given to emorank index.
        group: Show one moment a recording, its best.
        top: How many moments to show.
        json: Print a JSON list, best first: path, start and end in seconds, score, percentile, place, labels.
        model: A packaged model, a folder made by emorank train, or a hub id; by default emorank-base, or what the
            named index was made with.
        channels: Which channels of a recording are heard: auto (one where they hold the same, each where they hold
            different speech), mix, each, or a number from 1.
        index: Where the index of a folder is kept; by default in the user's cache.
        wide: Show all columns, also where the terminal is too narrow for them.
    """
    asked = like or unlike or ands or nots or near or where
    if len(words) > 2 or len(words) < (1 if asked else 2):
        raise EmorankError(
            'Give one description in quotes, and what to search: emorank search "a calm, warm voice" DIR'
            if not like
            else "Name what to search as well: emorank search --like clip.wav DIR"
        )
    if top < 1:
        raise EmorankError(f"--top is {top}; ask for at least 1.")
    place = words[-1]
    circle = _near(near) if near else None
    named = _named(place, model, index, channels)
    from emorank.search import Collection, Query, find

    if where:
        from emorank.search.collection import column_types
        from emorank.search.filter import where as understood

        understood(where, column_types(named.labels() if named else None))  # before a model is loaded
    if named:
        collection, clap = Collection.of(named), named.model
    else:
        collection, clap = _listened(place, model, index, channels or "auto")

    asked_about = [*(like or ()), *(unlike or ())]
    query = Query(
        directions=_directions(clap, [*words[:-1], *(ands or ())], nots or (), like or (), unlike or ()),
        near=circle,
        where=where,
        without=tuple(row for path in asked_about for row in collection.rows_of(os.path.abspath(path))),
        group=group,
        top=top,
    )
    found = find(collection, query)
    hits = [dataclasses.replace(hit, path=_typed(hit.path, place)) for hit in found.hits]
    if json:
        print_json([{k: v for k, v in dataclasses.asdict(hit).items() if k != "row"} for hit in hits])
        return
    labelled = collection.label_names
    dimensions = collection.segments.dimensions
    print_table(
        ("score", "beats", *dimensions, "from", "to", *labelled, "recording"),
        [
            (
                shown(hit.score, 3),
                "" if hit.percentile is None else f"{hit.percentile:.1f} %",
                *(shown(getattr(hit, name)) for name in dimensions),
                clock(hit.start),
                clock(hit.end),
                *("" if hit.labels[name] is None else str(hit.labels[name]) for name in labelled),
                hit.path,
            )
            for hit in hits
        ],
        first=("from", "beats", "valence", "arousal", *labelled, "to") if query.directions else ("from",),
        wide=wide,
    )
    passed = (
        "" if found.total in (len(collection), len(collection.recordings) - 1) else f", {found.total} pass the filters"
    )
    say(f"{len(hits)} of {len(collection)} segments in {len(collection.recordings) - 1} recordings{passed}.")


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


def _listened(place: str, model: str | None, index: Path | None, channels: str) -> "tuple[Collection, EmotionRankCLAP]":
    """A folder, listened to first."""
    from emorank.model import EmotionRankCLAP
    from emorank.search import Collection

    clap = EmotionRankCLAP.from_pretrained(model or DEFAULT_MODEL)
    segments = listened(place, clap, index, channels)
    return Collection(segments, shown=[as_typed(path, place) for path in segments.paths]), clap


def _directions(
    clap: "EmotionRankCLAP", texts: Sequence[str], nots: Sequence[str], like: Sequence[Path], unlike: Sequence[Path]
) -> "tuple[Direction, ...]":
    from emorank.search import NOT, Direction

    texts_in = clap.encode_text([*texts, *nots])
    clips_in = clap.encode_audio([clip(path) for path in (*like, *unlike)])
    weights = [1.0] * len(texts) + [NOT] * len(nots), [1.0] * len(like) + [NOT] * len(unlike)
    pairs = [*zip(texts_in, weights[0], strict=True), *zip(clips_in, weights[1], strict=True)]
    return tuple(Direction(embedding, weight) for embedding, weight in pairs)


def _near(text: str) -> "Near":
    from emorank.search import Near

    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 3):
        raise EmorankError(f"--near {text} is no place; write valence and arousal, such as --near 2.0,6.0")
    return Near(*numbers)


def _typed(path: str, place: str) -> str:
    """A path as a person who typed `place` would write it."""
    return as_typed(path, place) if os.path.exists(place) else from_here(path)
