"""Tables on a terminal: as wide as it is, paths whole, and what was left out is said."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.cli.console import fitting
from tests.cli.conftest import Run


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=12).flatmap(
        lambda widths: st.tuples(
            st.just(widths),
            st.sets(st.integers(0, len(widths) - 1)),
            st.permutations(range(len(widths))),
            st.integers(1, 120),
        )
    )
)
def test_what_fits_is_what_is_needed_most(drawn: tuple[list[int], set[int], list[int], int]) -> None:
    widths, always, first, room = drawn

    def total(places: set[int]) -> int:
        return sum(widths[place] + 2 for place in places) - 2

    kept = fitting(widths, sorted(always), first, room)
    assert kept == sorted(set(kept))
    assert always <= set(kept)
    if total(always) > room:
        assert set(kept) == always | set(first[:2])
        return
    assert set(kept) == always or total(set(kept)) <= room
    for place in set(range(len(widths))) - set(kept):  # did not fit beside those that are needed more
        before = always | {other for other in first[: first.index(place)] if other in kept}
        assert total({*before, place}) > room


@pytest.fixture
def deep(emorank: Callable[..., Run], recordings: Callable[..., Path], tiny_model: Path) -> Path:
    """A folder with a long name, as the index calls, with labels of its own."""
    root = recordings(3, "interviews of the year 2024, second half")
    table = root.parent / "t.csv"
    rows = [
        f'"{root}/clip{i:03d}.wav",ann,"a long remark about it, number {i}, that needs its place"' for i in range(3)
    ]
    table.write_text("\n".join(["path,speaker,remark", *rows]))
    assert emorank("index", root, "--name", "calls", "--model", tiny_model, "--table", table).status == 0
    return root


def on_a_terminal(*arguments: object, columns: int, folder: Path | None = None) -> tuple[list[str], str]:
    """The lines that a command shows on a terminal so wide, and what it says on standard error."""
    ours, its = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "dumb", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "emorank", *map(str, arguments)]
    done = subprocess.run(command, stdout=its, stderr=subprocess.PIPE, env=environment, cwd=folder, timeout=120)
    os.close(its)
    shown = b""
    try:
        while piece := os.read(ours, 65_536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert done.returncode == 0, done.stderr
    return shown.decode().replace("\r", "").splitlines(), done.stderr.decode()


@pytest.mark.parametrize("columns", [80, 100])
def test_columns_give_way_to_the_path(deep: Path, columns: int) -> None:
    lines, said = on_a_terminal("search", "calm", "calls", columns=columns, folder=deep.parent)
    assert len(lines) == 4
    assert all(len(line) <= columns for line in lines)
    assert sorted(line[-len(f"{deep.name}/clip000.wav") :] for line in lines[1:]) == [
        f"{deep.name}/clip{i:03d}.wav" for i in range(3)
    ]
    shown = lines[0].split()
    assert shown[:1] + shown[-1:] == ["beats", "recording"]
    assert "from" in shown
    left_out = said.split(" few: ")[1].split(";")[0].split(", ")
    assert not set(left_out) & set(shown)
    assert len(left_out) + len(shown) == 10


def test_wide_shows_all(deep: Path) -> None:
    lines, said = on_a_terminal("search", "calm", "calls", "--wide", columns=60)
    assert lines[0].split() == [
        *("score", "beats", "valence", "arousal", "dominance", "from", "to", "speaker", "remark", "recording")
    ]
    assert len(lines) == 4
    assert max(map(len, lines)) > 120
    assert "Left out" not in said


def test_a_path_wider_than_the_terminal_stays_whole(deep: Path) -> None:
    for arguments in (("search", "calm", "calls"), ("index",)):
        lines, _ = on_a_terminal(*arguments, columns=30)
        whole = f"{deep.name}/clip" if arguments[0] == "search" else str(deep)
        assert all(whole in line for line in lines[1:])
        assert lines[0].split()[-1] == ("recording" if arguments[0] == "search" else "folders")
        assert len(lines[0].split()) >= 3


def test_elsewhere_nothing_is_left_out(emorank: Callable[..., Run], deep: Path) -> None:
    found = emorank("search", "calm", "calls")
    assert found.out.splitlines()[0].split("\t")[-2:] == ["remark", "recording"]
    assert "Left out" not in found.err
