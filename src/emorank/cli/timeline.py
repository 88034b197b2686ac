"""emorank timeline: valence and arousal over a recording."""

import os
from pathlib import Path

from emorank.cli.console import clock, print_table, say
from emorank.cli.listen import listened
from emorank.errors import EmorankError

_PLOTS = (".png", ".svg", ".pdf")
_TABLES = (".csv", ".jsonl", ".parquet")


def timeline(
    recording: str,
    /,
    *,
    out: Path | None = None,
    model: str = "emorank-base",
    index: Path | None = None,
) -> None:
    """Valence and arousal over a recording, as a table, a plot or a file for other tools.

    The recording is cut by voice activity into moments of 2 to 10 s and read in blocks, so that hours of it need no
    more memory than minutes.

    Examples:

        emorank timeline interview.wav

        emorank timeline interview.wav --out interview.png

        emorank timeline interview.wav --out interview.csv

    Args:
        recording: The recording.
        out: .png, .svg or .pdf draws it; .csv, .jsonl or .parquet writes start, end, valence, arousal, dominance.
        model: A packaged model, a folder made by emorank train, or a hub id.
        index: Where the index is kept; by default in the user's cache.
    """
    if not os.path.isfile(recording):
        raise EmorankError(f"{recording}: there is no such recording.")
    suffix = out.suffix.lower() if out else ""
    if out and suffix not in (*_PLOTS, *_TABLES):
        raise EmorankError(
            f"{out}: name a file that ends in {', '.join(_PLOTS)} for a plot, {', '.join(_TABLES)} for data."
        )
    if suffix in _PLOTS:
        try:
            import matplotlib  # noqa: F401
        except ImportError as error:
            raise EmorankError("Plots need the plot extra; run: pip install 'emorank[plot]'") from error

    from emorank.model import EmotionRankCLAP

    segments = listened(recording, EmotionRankCLAP.from_pretrained(model), index)
    spans = zip(segments.start.tolist(), segments.end.tolist(), segments.points.tolist(), strict=True)
    rows = [(round(start, 2), round(end, 2), *(round(value, 2) for value in point)) for start, end, point in spans]
    if out is None:
        print_table(
            ("from", "to", "valence", "arousal", "dominance"),
            [(clock(start), clock(end), *(f"{value:.1f}" for value in point)) for start, end, *point in rows],
        )
        return
    try:
        if suffix in _PLOTS:
            from emorank.plots import draw

            draw(segments, os.path.basename(recording), out)
        else:
            import polars as pl

            from emorank.search.export import write
            from emorank.storage import written_whole

            table = pl.DataFrame(rows, schema=["start", "end", "valence", "arousal", "dominance"], orient="row")
            with written_whole(out) as temporary, open(temporary, "wb") as file:
                write(table, file, suffix.lstrip("."))
    except OSError as error:
        raise EmorankError(f"{out}: it cannot be written ({error.strerror or error}).") from error
    say(f"{len(rows)} moments of {recording} written to {out}.")
