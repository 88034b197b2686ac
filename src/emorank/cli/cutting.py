"""What was found, as clips in a folder and as rows of a list: options of search and export, and what is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from emorank.cli.console import progress, say
from emorank.cli.opening import Place
from emorank.cli.options import require

if TYPE_CHECKING:
    import polars as pl

    from emorank.index.picks import Label
    from emorank.search.query import Hit
    from emorank.taking.lists import ListFormat
    from emorank.taking.moments import Moment

LONGEST_PAD = 10.0  # seconds
_PAD = 0.3


@dataclass(frozen=True)
class Cut:
    """Where clips go.

    Args:
        cut: A new folder: every moment is cut out of its recording into it, at the recording's own rate and channels,
            and listed there. Names sort by rank.
        pad: Seconds before and after each moment, 0 to 10; by default 0.3, and 0 for a table to learn from.
        clip_format: wav, flac or opus.
    """

    cut: Path | None = None
    pad: Annotated[float | None, Parameter(negative="")] = None
    clip_format: Literal["wav", "flac", "opus"] = "wav"

    def __post_init__(self) -> None:
        require(self.pad is None or 0 <= self.pad <= LONGEST_PAD, "--pad", f"0 to {LONGEST_PAD:g} seconds", self.pad)


@dataclass(frozen=True)
class Selected:
    """Hits, and what people say of them.

    Args:
        place: where they were found.
        hits: in the order of their ranks.
        labels: of a collection, by id; None where they are of no collection.
    """

    place: Place
    hits: "Sequence[Hit]"
    labels: "Mapping[str, Sequence[Label]] | None" = None
    moments: "list[Moment]" = field(init=False)

    def __post_init__(self) -> None:
        from emorank.taking.moments import moments_of

        object.__setattr__(self, "moments", moments_of(self.place.collection, self.hits))

    def rows(
        self, format: "ListFormat", clips: dict[str, str] | None = None, spreadsheet: bool = False
    ) -> "pl.DataFrame":
        """The table that a list is made of.

        Raises:
            EmorankError: a table to learn from is asked for, and nothing is labelled.
        """
        from emorank.search.export import for_spreadsheets
        from emorank.taking.moments import selection
        from emorank.taking.picked import utterances, with_labels

        if format == "table":
            corpus = self.place.named.name if self.place.named else ""
            return utterances(self.moments, self.labels or {}, corpus, clips)
        table = selection(self.place.collection, self.moments, clips)
        table = table if self.labels is None else with_labels(table, self.labels)
        return for_spreadsheets(table) if spreadsheet else table


def cut_into(
    folder: Path, chosen: Cut, selected: Selected, format: "ListFormat" = "csv", spreadsheet: bool = False
) -> None:
    """Cut hits into a folder, list them there, name what was skipped, and say what was done."""
    from emorank.taking.cutting import as_indexed
    from emorank.taking.folder import take

    known = selected.place.recordings
    check = None if known is None else as_indexed(known)
    pad = (0.0 if format == "table" else _PAD) if chosen.pad is None else chosen.pad

    def rows(clips: dict[str, str]) -> "pl.DataFrame":
        return selected.rows(format, clips, spreadsheet)

    with progress("cutting") as bar:
        done = take(selected.moments, folder, rows, format, chosen.clip_format, pad, check, bar)
    for reason in dict.fromkeys(str(error) for _, error in done.skipped):
        say(f"skipped {reason}")
    skipped = f", {len(done.skipped)} skipped" if done.skipped else ""
    listed = f"listed in {done.lists[0]}" if len(done.lists) == 1 else f"{len(done.lists)} lists lie there too"
    say(f"{len(done.clips)} of {len(selected.moments)} moments cut into {folder}{skipped}; {listed}.")
