"""Audacity's labels: a line each with begin and end in seconds and a text, on the timeline of one recording."""

from collections.abc import Sequence

from emorank.taking.moments import Moment


def audacity(moments: Sequence[Moment]) -> str:
    """The label track of a recording: File, Import, Labels."""
    return "".join(f"{moment.start:.6f}\t{moment.end:.6f}\t{moment.title}\n" for moment in moments)
