"""emorank locate: valence, arousal and dominance of every recording."""

import csv
import math
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from emorank import DEFAULT_MODEL
from emorank.cli.console import as_typed, clock, name_doubtful, places, print_json, print_table, say, shown
from emorank.cli.listen import listened, located
from emorank.errors import EmorankError
from emorank.listening.caution import caution


def locate(
    root: str,
    /,
    *,
    format: Literal["table", "csv", "json"] = "table",
    json: bool = False,
    model: str = DEFAULT_MODEL,
    encoder: str | None = None,
    channels: str = "auto",
    index: Path | None = None,
    wide: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Valence, arousal and dominance of every recording, or of every segment of long ones, 1..7.

    1 is very negative / very calm / very weak, 4 neutral, 7 very positive / very active / in control. The numbers of
    emorank-base are estimates learnt from acted speech with derived labels; how far they may be off is said on
    standard error.

    Args:
        root: A folder, or a recording.
        format: table, csv or json.
        json: The same as --format json.
        model: A packaged model, a folder made by emorank train, or a hub id.
        encoder: An audio encoder that answers by its own regression head instead of the model, such as
            wavlm-ser/mean; nothing is kept in an index.
        channels: Which channels of a recording are heard: auto (one where they hold the same, each where they hold
            different speech), mix, each, or a number from 1.
        index: Where the index is kept; by default in the user's cache.
        wide: Show all columns, also where the terminal is too narrow for them.
    """
    if not os.path.exists(root):
        raise EmorankError(f"{root}: there is no such file or folder.")

    if encoder is not None:
        if index is not None:
            raise EmorankError("--index is of no use with --encoder, which keeps nothing; leave it out.")
        segments = located(root, encoder, channels)
    else:
        from emorank.model import EmotionRankCLAP

        clap = EmotionRankCLAP.from_pretrained(model)
        segments = listened(root, clap, index, channels)
        if clap.config.margins:
            within = zip(clap.config.dimensions, clap.config.margins, strict=True)
            said = ", ".join(f"{shown(margin)} in {name}" for name, margin in within)
            say(f"Of voices like those that it learnt from, 9 in 10 lie within {said} of what {model} says.")
    rows: list[dict[str, Any]] = [
        {
            "path": as_typed(path, root),
            "start": round(start, 2),
            "end": round(end, 2),
            **place,
            "channel": channel or None,
            "speech": None if speech is None or math.isnan(speech) else round(speech, 2),
        }
        for path, start, end, place, channel, speech in zip(
            segments.paths,
            segments.start.tolist(),
            segments.end.tolist(),
            places(segments.places),
            segments.channels.tolist(),
            [None] * len(segments.paths) if segments.speech is None else segments.speech.tolist(),
            strict=True,
        )
    ]
    doubts = ((f"{row['path']} at {clock(row['start'])}", caution(row["speech"])) for row in rows)
    name_doubtful([(moment, why) for moment, why in doubts if why])
    if json or format == "json":
        print_json(rows)
    elif format == "csv":
        writer = csv.DictWriter(sys.stdout, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        print_table(
            (*segments.dimensions, "from", "to", "recording"),
            [
                (
                    *(shown(row[name]) for name in segments.dimensions),
                    clock(row["start"]),
                    clock(row["end"]),
                    row["path"],
                )
                for row in rows
            ],
            first=(*segments.dimensions, "from"),
            wide=wide,
        )
