"""emorank search: the moments of a folder or of a named index that sound like a description, or like a clip."""

import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emorank.cli.asked import Asked
from emorank.cli.asking import Answer, answered
from emorank.cli.console import as_typed, clock, from_here, name_doubtful, print_json, print_table, say, shown
from emorank.cli.counting import Counting, count
from emorank.cli.cutting import Cut, Selected, cut_into
from emorank.cli.keeping import Keeping, keep, tend
from emorank.cli.opening import Place, opened
from emorank.cli.why import explain
from emorank.errors import EmorankError

if TYPE_CHECKING:
    from emorank.search import Found, Hit

_TOP = 10  # moments that are shown where nothing else is said


def search(
    *words: str,
    asked: Annotated[Asked | None, Parameter(name="*")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
    wide: Annotated[bool, Parameter(negative="")] = False,
    why: Annotated[bool, Parameter(negative="")] = False,
    cut: Annotated[Cut | None, Parameter(name="*")] = None,
    keeping: Annotated[Keeping | None, Parameter(name="*")] = None,
    counting: Annotated[Counting | None, Parameter(name="*")] = None,
    play: Annotated[bool, Parameter(negative="")] = False,
    model: str | None = None,
    channels: str | None = None,
    index: Path | None = None,
) -> None:
    """Find the moments of recordings that sound like a description or like a clip.

    The first search of a folder encodes its recordings and keeps an index; the next ones start from that and look
    only at what was added, changed or removed. A named index, made by emorank index, answers as it is.

    Examples:

        emorank search "furious, shouting" recordings/

        emorank search --like clip.wav recordings/

        emorank search "cold fury, quiet" calls --not "crying" --where "speaker = 'ann' and duration > 3"

        emorank search calls --near 2.0,6.0

        emorank search "warm, calm" calls --play

        emorank search "warm, calm" calls --top 50 --cut warm/ --clip-format flac

        emorank search "cold fury" calls --choice speaker=ann --choice speaker=ben --sort date --save "cold ones"

        emorank search calls --saved "cold ones"

    Args:
        words: The description in quotes, then the folder, recording or named index to search.
        asked: What is looked for, beside the description.
        json: Print a JSON list, best first: path, start and end in seconds, score, percentile, place, labels.
        wide: Show all columns, also where the terminal is too narrow for them.
        why: Say where the result comes from: the captions that a description or clip is nearest to, the place that is
            asked for and the one that was found.
        cut: Where clips go.
        keeping: What else is done.
        counting: What is counted.
        play: Play the moments one after another; in a terminal n is the next, a the same again, s stops.
        model: A packaged model, a folder made by emorank train, or a hub id; by default emorank-base, or what the
            named index was made with.
        channels: Which channels of a recording are heard: auto (one where they hold the same, each where they hold
            different speech), mix, each, or a number from 1.
        index: Where the index of a folder is kept; by default in the user's cache.
    """
    asked, cut, keeping, counting = asked or Asked(), cut or Cut(), keeping or Keeping(), counting or Counting()
    if keeping.alone:
        if len(words) != 1 or asked != Asked() or keeping.save or counting:
            raise EmorankError(
                "--searches and --forget go with the name of an index alone: emorank search INDEX --searches"
            )
        tend(words[0], keeping, json, wide)
        return
    if len(words) > 2 or len(words) < (1 if asked.ranks or asked.where or counting else 2):
        raise EmorankError(
            'Give one description in quotes, and what to search: emorank search "a calm, warm voice" DIR'
            if not asked.like
            else "Name what to search as well: emorank search --like clip.wav DIR"
        )
    place = opened(words[-1], asked.where, model, index, channels, asked.memory)
    if counting:
        count(counting, place, words[:-1], asked, json)
        return
    answer = answered(place, words[:-1], asked, asked.top or _TOP)
    result = answer.found
    typed = from_here if place.named else functools.partial(as_typed, root=words[-1])
    hits = [dataclasses.replace(hit, path=typed(hit.path)) for hit in result.hits]
    if json:
        print_json([{k: v for k, v in dataclasses.asdict(hit).items() if k != "row"} for hit in hits])
    else:
        _print(place, result, hits, wide)
        name_doubtful([(f"{hit.path} at {clock(hit.start)}", hit.caution) for hit in hits if hit.caution])
        if fit := _fit(place, answer):
            say(f"Best hits: {fit}.")
    if why:
        explain(answer, place.model)
    if cut.cut:
        cut_into(cut.cut, cut, Selected(place, result.hits))
    if keeping.save is not None:
        keep(place, keeping.save, words[:-1], asked)
    if play:
        from emorank.cli import playing

        playing.play(Selected(place, result.hits))


def _print(place: Place, result: "Found", hits: "list[Hit]", wide: bool) -> None:
    collection = place.collection
    labelled, dimensions = collection.label_names, collection.segments.dimensions
    ranked = any(hit.percentile is not None for hit in hits)
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
        first=("from", *(("beats",) if ranked else ()), *dimensions[:2], *labelled, "to"),
        wide=wide,
    )
    recordings = collection.recording_count
    passed = "" if result.total in (len(collection), recordings) else f", {result.total} pass the filters"
    off = result.percentile_error
    nearly = "" if off is None else f'; "beats" is from a sample, within {off:g} %'
    say(f"{len(hits)} of {len(collection)} segments in {recordings} recordings{passed}{nearly}.")


def _fit(place: Place, answer: Answer) -> str | None:
    """How well the best hits fit the descriptions, in words; None where that is not known."""
    from emorank.captions.fit import BEST, WORDS, fit

    rows = [hit.row for hit in answer.found.hits[:BEST]]
    word = fit(place.model, answer.wanted, place.collection.segments.embeddings[rows])
    return WORDS[word] if word else None
