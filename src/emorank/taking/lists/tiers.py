"""Tiers: annotations of one tier must not overlap."""

from collections.abc import Sequence

from emorank.taking.moments import Moment


def tiers_of(moments: Sequence[Moment]) -> dict[str, list[Moment]]:
    """Moments of one recording in tiers, by name, in each of which none overlaps another.

    A tier a channel, and one more where moments of one channel overlap.
    """
    found: dict[str, list[Moment]] = {}
    for moment in sorted(moments, key=lambda moment: moment.start):
        base = f"channel {moment.hit.channel}" if moment.hit.channel else "moments"
        name, number = base, 1
        while name in found and found[name][-1].end > moment.start:
            number += 1
            name = f"{base} ({number})"
        found.setdefault(name, []).append(moment)
    return found
