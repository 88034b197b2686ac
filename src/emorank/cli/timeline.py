"""emorank timeline: valence and arousal over a recording."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank import DEFAULT_MODEL
from emorank.cli.console import clock, places, print_table, say, shown
from emorank.cli.listen import listened
from emorank.errors import EmorankError, MissingExtra

if TYPE_CHECKING:
    from emorank.index import Segments

_PLOTS = (".png", ".svg", ".pdf")
_TABLES = (".csv", ".jsonl", ".parquet")


def timeline(
    recording: str,
    /,
    *,
    out: Path | None = None,
    name: str | None = None,
    model: str | None = None,
    channels: str | None = None,
    index: Path | None = None,
) -> None:
    """Valence and arousal over a recording, as a table, a plot or a file for other tools.

    The recording is cut by voice activity into moments of up to 10 s and read in blocks, so that hours of it need no
    more memory than minutes. A recording that a named index holds is not listened to again.

    Examples:

        emorank timeline interview.wav

        emorank timeline interview.wav --out interview.png

        emorank timeline interview.wav --out interview.csv

    Args:
        recording: The recording.
        out: .png, .svg or .pdf draws it; .csv, .jsonl or .parquet writes start, end, valence, arousal, dominance.
        name: A named index that holds the recording; without it every one of the same model is asked.
        model: A packaged model, a folder made by emorank train, or a hub id; by default emorank-base.
        channels: Which channels of a recording are heard: auto (one where they hold the same, each where they hold
            different speech), mix, each, or a number from 1.
        index: Where the index is kept; by default in the user's cache.
    """
    suffix = out.suffix.lower() if out else ""
    if out and suffix not in (*_PLOTS, *_TABLES):
        raise EmorankError(
            f"{out}: name a file that ends in {', '.join(_PLOTS)} for a plot, {', '.join(_TABLES)} for data."
        )
    if name is not None and (model is not None or index is not None or channels is not None):
        raise EmorankError("--name is an index with its own model, place and channels; leave those out.")
    if name is None and not os.path.isfile(recording):
        raise EmorankError(f"{recording}: there is no such recording.")
    if suffix in _PLOTS:
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise MissingExtra("A plot", "plot") from error
    segments = _segments(recording, name, model, index, channels)
    spans = zip(
        segments.start.tolist(), segments.end.tolist(), places(segments.places), segments.channels.tolist(), strict=True
    )
    rows = [
        {"start": round(start, 2), "end": round(end, 2), **place, "channel": channel or None}
        for start, end, place, channel in spans
    ]
    if out is None:
        apart = ["channel"] if segments.channels.any() else []
        print_table(
            ("from", "to", *segments.dimensions, *apart),
            [
                (
                    clock(row["start"]),
                    clock(row["end"]),
                    *(shown(row[name]) for name in segments.dimensions),
                    *(str(row[name]) for name in apart),
                )
                for row in rows
            ],
        )
        _name_striking(segments)
        return
    try:
        _write(segments, rows, os.path.basename(recording), out)
    except OSError as error:
        raise EmorankError(f"{out}: it cannot be written ({error.strerror or error}).") from error
    say(f"{len(rows)} moments of {recording} written to {out}.")


def _segments(
    recording: str, name: str | None, model: str | None, index: Path | None, channels: str | None
) -> "Segments":
    """From a named index that holds the recording as it is now, else by listening."""
    from emorank.index.named import NamedIndex, names

    path = os.path.abspath(recording)
    if name is not None:
        found = NamedIndex.open(name).segments_of(path)
        if found is None:
            raise EmorankError(
                f"{recording}: index {name!r} does not hold it as it is now; run: emorank index --name {name}"
            )
        return found
    for each in names() if index is None and channels is None else ():
        named = NamedIndex.open(each)
        if named.model_name == named.absolute(model or DEFAULT_MODEL) and (found := named.segments_of(path)):
            return found
    from emorank.model import EmotionRankCLAP

    return listened(recording, EmotionRankCLAP.from_pretrained(model or DEFAULT_MODEL), index, channels or "auto")


def _name_striking(segments: "Segments") -> None:
    """The stretches that stand out, a line for each voice, as the page of a recording says them."""
    from emorank.search.course import striking

    for channel in sorted(set(segments.channels.tolist())):
        own = segments.channels == channel
        found = striking(segments.start[own], segments.end[own], segments.places[own], segments.dimensions)
        if found:
            voice = f"Channel {channel} sounds" if channel else "Sounds"
            say(f"{voice} {', '.join(f'{one.name} from {clock(one.start)} to {clock(one.end)}' for one in found)}.")


def _write(segments: "Segments", rows: list[dict[str, Any]], title: str, out: Path) -> None:
    if out.suffix.lower() in _PLOTS:
        from emorank.plots import draw

        draw(segments, title, out)
        return
    import polars as pl

    from emorank.search.export import write
    from emorank.storage import written_whole

    schema = {name: pl.Int64 if name == "channel" else pl.Float64 for name in rows[0]}
    with written_whole(out) as temporary, open(temporary, "wb") as file:
        write([pl.DataFrame(rows, schema=schema)], file, out.suffix.lower().lstrip("."))
