"""What is taken out: the moments of a selection, each with its rank."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from emorank.search.query import Hit
from emorank.search.rank import Searched

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Moment:
    """A moment of a recording.

    Args:
        rank: its place in the selection, from 1.
        hit: what is known of it.
        path: of the recording as lists name it.
        start: in seconds, as exact as the index knows it; as is the end.
        end: in seconds.
        seconds: where the last moment of its recording ends.
    """

    rank: int
    hit: Hit
    path: str
    start: float
    end: float
    seconds: float

    @property
    def title(self) -> str:
        """What it is, on one line: how well it fits and where it lies."""
        hit = self.hit
        fit = () if hit.percentile is None else (f"{hit.percentile:.1f} %",)
        places = (("valence", hit.valence), ("arousal", hit.arousal), ("dominance", hit.dominance))
        return " ".join([str(self.rank), *fit, *(f"{name} {value:.1f}" for name, value in places if value is not None)])


def moments_of(collection: Searched, hits: Sequence[Hit], absolute: bool = True) -> list[Moment]:
    """The moments of hits, ranked in their order; lists name recordings by absolute paths, or as a person sees them."""
    segments = collection.segments
    paths = segments.paths if absolute or collection.shown is None else collection.shown
    ends: dict[str, float] = {}
    found = []
    for rank, hit in enumerate(hits, 1):
        if hit.path not in ends:
            rows = collection.recording_of(hit.row)
            ends[hit.path] = float(segments.end[rows.start : rows.stop].max())
        start, end = float(segments.start[hit.row]), float(segments.end[hit.row])
        found.append(Moment(rank, hit, paths[hit.row], start, end, ends[hit.path]))
    return found


def by_recording(moments: Iterable[Moment]) -> dict[str, list[Moment]]:
    """Moments by the absolute path of their recording, those of each in the order of their times."""
    every: dict[str, list[Moment]] = {}
    for moment in moments:
        every.setdefault(moment.hit.path, []).append(moment)
    return {path: sorted(some, key=lambda moment: (moment.start, moment.rank)) for path, some in every.items()}


def selection(
    collection: Searched, moments: Sequence[Moment], clips: "dict[str, str] | None" = None, absolute: bool = True
) -> "pl.DataFrame":
    """A row a moment: rank, its clip's name if there are clips, id, fit, and the columns of the collection.

    A column of the user's that has one of these names is `label_rank`, and so on.

    Args:
        collection: that the moments are of.
        moments: in the order of the rows.
        clips: the name of each moment's clip by its id.
        absolute: whether paths are absolute; else as a person sees them.
    """
    import polars as pl

    rows = [moment.hit.row for moment in moments]
    own: dict[str, Any] = {"rank": pl.Series([moment.rank for moment in moments], dtype=pl.Int64)}
    if clips is not None:
        own["clip"] = pl.Series([clips.get(moment.hit.id) for moment in moments], dtype=pl.String)
    own["id"] = pl.Series([moment.hit.id for moment in moments], dtype=pl.String)
    for name in ("score", "percentile", "distance"):
        own[name] = pl.Series([getattr(moment.hit, name) for moment in moments], dtype=pl.Float64)
    known = collection.at(rows)
    if absolute:
        known = known.with_columns(pl.Series("path", [moment.hit.path for moment in moments], dtype=pl.String))
    return pl.DataFrame({**own, **{(f"label_{one.name}" if one.name in own else one.name): one for one in known}})


def stem(path: str) -> str:
    """The name of a recording without folder and suffix."""
    return os.path.splitext(os.path.basename(path))[0]
