"""What the commands share in front of a person: progress on standard error, results on standard output."""

import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from math import isnan
from typing import TYPE_CHECKING, Any, Protocol

from emorank.affect import DIMENSIONS
from emorank.cli import printable
from emorank.errors import AudioError
from emorank.listening.caution import LITTLE

if TYPE_CHECKING:
    import numpy as np

    from emorank.captions.familiar import Described

_NAMED = 5  # of many


class Bar(Protocol):
    """Shows how far a command has come."""

    def __call__(self, done: int, total: int, skipped: int = 0, what: str | None = None) -> None:
        """So many are done, of so many; of those done so many were skipped; what is done now, if that has changed."""


def _untold(done: int, total: int, skipped: int = 0, what: str | None = None) -> None:
    """The bar of no terminal."""


@contextmanager
def progress(what: str) -> Iterator[Bar]:
    """A bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield _untold
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    notes = TextColumn("{task.fields[note]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), notes, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, note="")

        def show(done: int, total: int, skipped: int = 0, what: str | None = None) -> None:
            note = f"{skipped} skipped" if skipped else ""
            bar.update(task, description=what, completed=done, total=total, note=note)

        yield show


@contextmanager
def late_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """The same, but nothing is shown before there is something to do."""
    with ExitStack() as bars:
        shown: list[Bar] = []

        def show(done: int, total: int) -> None:
            if not shown:
                shown.append(bars.enter_context(progress(what)))
            shown[0](done, total)

        yield show


def say(sentence: str) -> None:
    """A remark to the person, on standard error."""
    print(printable(sentence), file=sys.stderr)


def name_broken(broken: Sequence[AudioError]) -> None:
    """Each recording that was skipped, once, with its reason."""
    for error in broken:
        say(f"skipped {error}")
    if broken:
        say(f"{len(broken)} skipped.")


def name_damaged(damage: Mapping[str, str]) -> None:
    """Each recording of which something is missing, once, with what it is; the rest of it was heard."""
    for path, note in damage.items():
        say(f"damaged {path}: {note}")
    if damage:
        say(f"{len(damage)} damaged; what could be decoded of them was heard.")


def name_unspoken(count: int) -> None:
    """How many moments hold hardly any speech, and what can be done about it."""
    if count:
        hold = "moment holds" if count == 1 else "moments hold"
        say(f"{count} {hold} hardly any speech: music, noise, a lone sound. Without them: --where 'speech > {LITTLE}'")


def name_doubtful(moments: Sequence[tuple[str, str]]) -> None:
    """Moments that are shown although hardly anybody speaks in them, some of them: path, and why."""
    if moments:
        named = "; ".join(f"{path}: {why}" for path, why in moments[:_NAMED])
        more = f"; and {len(moments) - _NAMED} more" if len(moments) > _NAMED else ""
        say(f"Hardly a voice, so the place may mean nothing: {named}{more}.")


def name_passed_over(suffixes: Mapping[str, int]) -> None:
    """Files that were not looked at because of their suffix, once, the most frequent kinds first."""
    if suffixes:
        kinds = sorted(suffixes.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in kinds[:_NAMED])
        more = f" and {len(kinds) - _NAMED} more kinds" if len(kinds) > _NAMED else ""
        say(f"{sum(suffixes.values())} files are no recordings by their names and were passed over: {named}{more}.")


def name_hints(descriptions: Sequence["Described"], searching: bool = True) -> None:
    """What there is to say of descriptions, each once, with what to write instead.

    Args:
        descriptions: as the model took them.
        searching: whether a search is asked, so that what is not wanted can be written apart.
    """
    for hint in dict.fromkeys(each.hint for each in descriptions):
        if hint and hint.kind == "negated":
            apart = f'"{hint.wanted}" --not "{hint.unwanted}"' if hint.wanted else f'--not "{hint.unwanted}"'
            if searching:
                say(f"{hint.sentence[:-1]}: {apart}")
        elif hint:
            say(hint.message)


def renamed_as(renamed: Mapping[str, str]) -> str:
    """What a command says of categories that were synonyms."""
    return f"Emotions by another name: {', '.join(f'{name} is {own}' for name, own in renamed.items())}."


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def as_typed(path: str, root: str) -> str:
    """An absolute path under `root` -> the path as a person who typed `root` would write it."""
    top = os.path.abspath(root)
    if path == top:
        return root
    return os.path.join(root, os.path.relpath(path, top))


def from_here(path: str) -> str:
    """An absolute path as it is written from the current folder, if it lies in that."""
    here = os.getcwd().rstrip(os.sep) + os.sep
    return path[len(here) :] if path.startswith(here) else path


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    left: frozenset[str] = frozenset({"recording"}),
    first: Sequence[str] = (),
    wide: bool = False,
) -> None:
    """A table on standard output, as wide as the terminal; whole, as tab-separated lines, where that is none.

    Nothing is folded or shortened: columns that do not fit are left out, and named on standard error. Where those that
    stay are wider than the terminal, lines are longer than it.

    Args:
        columns: their names.
        rows: their cells.
        left: columns that are set to the left, and that stay whatever their width; the others are set to the right.
        first: of the other columns, those that are kept before the rest, the most needed first.
        wide: keep all.
    """
    rows = [tuple(map(printable, row)) for row in rows]
    if not sys.stdout.isatty():
        print("\t".join(columns))
        for row in rows:
            print("\t".join(row))
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    widths = [max(map(cell_len, cells)) for cells in zip(columns, *rows, strict=True)]
    room = Console().width
    always = [place for place, name in enumerate(columns) if name in left]
    kept = [*range(len(columns))] if wide else fitting(widths, always, [columns.index(name) for name in first], room)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place in kept:
        table.add_column(columns[place], justify="left" if place in always else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(row[place]) for place in kept))
    # With a height as well, as a terminal without abilities is else taken for one of 80 columns.
    Console(width=max(room, _total(widths, kept)), height=25).print(table)
    if lacking := [name for place, name in enumerate(columns) if place not in kept]:
        say(f"Left out, as {room} columns are too few: {', '.join(lacking)}; --wide shows all.")


def fitting(widths: Sequence[int], always: Sequence[int], first: Sequence[int], room: int) -> list[int]:
    """Which columns of a table fit into a width, in the order of the table.

    Args:
        widths: of every column, in cells of a terminal; two more lie between two columns.
        always: those that stay, whether they fit or not.
        first: of the others, those that are looked at before the rest, the most needed first. The first two stay where
            those of `always` do not fit: the table is too wide anyhow, and shall say something.
        room: the width that there is.
    """
    kept = {*always, *(first[:2] if _total(widths, always) > room else ())}
    for place in dict.fromkeys([*first, *range(len(widths))]):
        if _total(widths, {*kept, place}) <= room:
            kept.add(place)
    return sorted(kept)


def _total(widths: Sequence[int], kept: Collection[int]) -> int:
    return sum(widths[place] for place in kept) + 2 * max(0, len(kept) - 1)


def places(points: "np.ndarray") -> list[dict[str, float | None]]:
    """(n, 3) places -> for each a value by dimension, None where the model lacks it."""
    return [
        {name: None if isnan(value) else round(value, 2) for name, value in zip(DIMENSIONS, point, strict=True)}
        for point in points.tolist()
    ]


def shown(value: float | None, digits: int = 1) -> str:
    """A number for a person; nothing where there is none."""
    return "" if value is None else f"{value:.{digits}f}"


def clock(seconds: float) -> str:
    """Seconds -> m:ss.s, or h:mm:ss.s."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"
    return f"{hours}:{tail}" if hours else tail
