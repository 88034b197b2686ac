"""What a recording lacks, named with its place and its length."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

_TOGETHER = 1.0  # seconds; losses nearer to each other than this are one


@dataclass(frozen=True)
class Damage:
    """A part of a recording that could not be heard. `str(damage)` is the sentence for people.

    Args:
        kind: "unreadable": a stretch in the middle; silence stands in its place, so that all times stay true.
            "cut": the recording ends before it should; nothing stands in for what is missing.
        at: where it begins, in seconds from the beginning.
        seconds: how much is lost; None where nothing in the file tells.
        bytes: how many bytes of the file could not be used; None where that cannot be told.
    """

    kind: Literal["unreadable", "cut"]
    at: float
    seconds: float | None
    bytes: int | None = None

    def __str__(self) -> str:
        if self.kind == "cut":
            if self.seconds is None:
                return f"ends early: at {self.at:.1f} s, of an unknown length"
            return f"ends early: {self.at:.1f} of {self.at + self.seconds:.1f} s"
        size = (
            ""
            if self.bytes is None
            else f"{self.bytes} bytes "
            if self.bytes < 1000
            else f"{self.bytes / 1000:.0f} kB "
        )
        lost = "" if self.seconds is None else f", {max(self.seconds, 0.1):.1f} s lost"
        return f"{size}unreadable at {_clock(self.at)}{lost}"


Note = Callable[[Damage], None]  # what decoders call when they find damage


class Damages:
    """Collects damage while a recording is read; what lies close together becomes one."""

    def __init__(self) -> None:
        self._found: list[Damage] = []

    def note(self, damage: Damage) -> None:
        """Take in one more, at or after the last."""
        last = self._found[-1] if self._found else None
        if last and last.kind == damage.kind == "unreadable" and damage.at - _end(last) < _TOGETHER:
            size = None if last.bytes is None or damage.bytes is None else last.bytes + damage.bytes
            lost = None if last.seconds is None or damage.seconds is None else last.seconds + damage.seconds
            self._found[-1] = replace(last, seconds=lost, bytes=size)
        else:
            self._found.append(damage)

    def all(self) -> tuple[Damage, ...]:
        """What was found so far, in the order of the recording."""
        return tuple(self._found)


def _end(damage: Damage) -> float:
    return damage.at + (damage.seconds or 0.0)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds * 10) / 10, 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
