"""Moments as clips in a folder: the options of search and export, and what is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank.cli.asking import Place
from emorank.cli.console import progress, say
from emorank.cli.options import require

if TYPE_CHECKING:
    import polars as pl

    from emorank.search.query import Hit
    from emorank.taking.lists import ListFormat

LONGEST_PAD = 10.0  # seconds


@dataclass(frozen=True)
class Cut:
    """Where clips go.

    Args:
        cut: A new folder: every moment is cut out of its recording into it, at the recording's own rate and channels,
            and listed there. Names sort by rank.
        pad: Seconds before and after each moment, 0 to 10.
        clip_format: wav, flac or opus.
    """

    cut: Path | None = None
    pad: Annotated[float, Parameter(negative="")] = 0.3
    clip_format: Literal["wav", "flac", "opus"] = "wav"

    def __post_init__(self) -> None:
        require(0 <= self.pad <= LONGEST_PAD, "--pad", f"0 to {LONGEST_PAD:g} seconds", self.pad)


def cut_into(
    folder: Path, chosen: Cut, place: Place, hits: "Sequence[Hit]", format: "ListFormat", spreadsheet: bool = False
) -> None:
    """Cut hits into a folder, list them there, name what was skipped, and say what was done."""
    from emorank.search.export import for_spreadsheets
    from emorank.taking.cutting import as_indexed
    from emorank.taking.folder import take
    from emorank.taking.moments import moments_of, selection

    moments = moments_of(place.collection, hits)

    def rows(clips: dict[str, str]) -> "pl.DataFrame":
        table = selection(place.collection, moments, clips)
        return for_spreadsheets(table) if spreadsheet else table

    check = None if place.recordings is None else as_indexed(place.recordings)
    with progress("cutting") as bar:
        done = take(moments, folder, rows, format, chosen.clip_format, chosen.pad, check, bar)
    for reason in dict.fromkeys(str(error) for _, error in done.skipped):
        say(f"skipped {reason}")
    skipped = f", {len(done.skipped)} skipped" if done.skipped else ""
    listed = f"listed in {done.lists[0]}" if len(done.lists) == 1 else f"{len(done.lists)} lists lie there too"
    say(f"{len(done.clips)} of {len(moments)} moments cut into {folder}{skipped}; {listed}.")
