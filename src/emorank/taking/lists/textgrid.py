"""Praat's TextGrid: interval tiers that cover the whole recording, empty where no moment is."""

from collections.abc import Sequence

from emorank.taking.lists.tiers import tiers_of
from emorank.taking.moments import Moment


def textgrid(moments: Sequence[Moment]) -> str:
    """The TextGrid of a recording, in the long text format, a tier a channel."""
    tiers = [(name, _intervals(some)) for name, some in tiers_of(moments).items()]
    end = max(moment.seconds for moment in moments)
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "xmin = 0", f"xmax = {_time(end)}"]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for place, (name, intervals) in enumerate(tiers, 1):
        lines += [f"    item [{place}]:", '        class = "IntervalTier"', f"        name = {_quoted(name)}"]
        lines += ["        xmin = 0", f"        xmax = {_time(end)}", f"        intervals: size = {len(intervals)}"]
        for number, (start, stop, text) in enumerate(intervals, 1):
            lines += [f"        intervals [{number}]:", f"            xmin = {_time(start)}"]
            lines += [f"            xmax = {_time(stop)}", f"            text = {_quoted(text)}"]
    return "\n".join([*lines, ""])


def _intervals(moments: Sequence[Moment]) -> list[tuple[float, float, str]]:
    """Moments with the gaps between them, from 0 to the end of the recording."""
    found: list[tuple[float, float, str]] = []
    at = 0.0
    for moment in moments:
        if moment.start > at:
            found.append((at, moment.start, ""))
        found.append((moment.start, moment.end, moment.title))
        at = moment.end
    end = moments[0].seconds
    return found if at >= end else [*found, (at, end, "")]


def _time(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
