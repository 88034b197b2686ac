"""How far listening has come: a bar for people, lines of JSON for programs."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from emorank.cli.console import clock

if TYPE_CHECKING:
    from emorank.types import Hearing, SoFar

_TRUSTED = 2.0  # seconds after which a speed says something


def measured(heard: "SoFar", elapsed: float) -> dict[str, Any]:
    """What is told of a course: counts, seconds of audio, and after a little while speed and seconds that are left.

    Args:
        heard: how far listening has come.
        elapsed: seconds since it began.
    """
    known = elapsed >= _TRUSTED and heard.seconds > 0
    return {
        "done": heard.done,
        "total": heard.total,
        "skipped": heard.skipped,
        "seconds": round(heard.seconds, 1),
        "part": round(heard.part, 4),
        "speed": round(heard.seconds / elapsed, 2) if known else None,
        "left": round(elapsed * (1 - heard.part) / heard.part, 1) if known and heard.part > 0 else None,
    }


def in_words(told: dict[str, Any]) -> str:
    """The same on one line, such as 12:30.0 heard, 42 times as fast as spoken, 1:10 left, 3 skipped."""
    parts = [f"{_clock(told['seconds'])} heard"]
    if told["speed"] is not None:
        parts.append(f"{told['speed']:.3g}x real time")
    if told["left"] is not None:
        parts.append(f"{_clock(told['left'])} left")
    if told["skipped"]:
        parts.append(f"{told['skipped']} skipped")
    return ", ".join(parts)


@contextmanager
def hearing(what: str) -> "Iterator[Hearing]":
    """A bar on standard error, there from the beginning, where that is a terminal; gives what is called on the way."""
    if not sys.stderr.isatty():
        yield lambda heard: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, note="looking for recordings")
        begun = 0.0

        def show(heard: "SoFar") -> None:
            nonlocal begun
            begun = begun or time.monotonic()
            told = measured(heard, time.monotonic() - begun)
            bar.update(task, completed=heard.part, total=1.0 if heard.total else None, note=in_words(told))

        yield show


@contextmanager
def as_json(root: str) -> "Iterator[Hearing]":
    """The same as lines of JSON on standard output."""
    begun = 0.0

    def show(heard: "SoFar") -> None:
        nonlocal begun
        begun = begun or time.monotonic()
        tell("listening", root=root, **measured(heard, time.monotonic() - begun))

    yield show


def tell(event: str, **fields: Any) -> None:
    """One line of JSON on standard output, at once."""
    print(json.dumps({"event": event, **fields}), flush=True)


def _clock(seconds: float) -> str:
    return clock(round(seconds))[:-2]
