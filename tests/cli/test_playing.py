"""--play: hits one after another by the player that is there, keys, and a sentence where there is none."""

import os
import pty
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.cli import playing
from tests.cli.conftest import Run
from tests.conftest import voice

Emorank = Callable[..., Run]

# Copies what it is told to play, then plays for as long as it is told.
PLAYER = """#!/bin/sh
for file; do :; done
count=$(ls "$PLAYED" | wc -l)
cp "$file" "$PLAYED/$count.wav"
exec sleep ${LASTS:-0}
"""


@pytest.fixture
def calls(emorank: Emorank, tmp_path: Path, tiny_model: Path) -> Path:
    root = tmp_path / "calls"
    root.mkdir()
    for i in range(4):
        soundfile.write(root / f"it's {i}.wav", voice(0.8, 120 + 40 * i, i, rate=22_050), 22_050)
    emorank("index", root, "--name", "calls", "--model", tiny_model)
    return root


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A player on the path, before any other; gives the folder of what it has played."""
    script, played = tmp_path / "bin" / "ffplay", tmp_path / "played"
    script.parent.mkdir()
    played.mkdir()
    script.write_text(PLAYER)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PLAYED", str(played))
    return played


def test_plays_the_hits_in_their_order(emorank: Emorank, calls: Path, player: Path) -> None:
    asked = ("calm", "calls", "--top", "3")
    hits = emorank("search", *asked, "--json").json
    done = emorank("search", *asked, "--play")
    assert done.status == 0, done.err
    assert [f"{rank}. {hit['path']} 0:00.0" for rank, hit in enumerate(hits, 1)] == done.err.splitlines()[-3:]
    for place, hit in enumerate(hits):
        heard, rate = soundfile.read(player / f"{place}.wav")
        original, own = soundfile.read(hit["path"])
        assert rate == own
        np.testing.assert_array_equal(heard, original)


def test_what_is_gone_is_skipped(emorank: Emorank, calls: Path, player: Path) -> None:
    (calls / "it's 2.wav").unlink()
    done = emorank("search", "calm", "calls", "--play")
    assert done.status == 0
    assert "skipped" in done.err
    assert "it's 2.wav" in next(line for line in done.err.splitlines() if line.startswith("skipped"))
    assert len(list(player.iterdir())) == 3


def test_a_player_that_fails_is_one_sentence(emorank: Emorank, calls: Path, player: Path) -> None:
    script = shutil.which("ffplay")
    assert script is not None
    Path(script).write_text("#!/bin/sh\necho 'no such device' >&2\nexit 3\n")
    done = emorank("search", "calm", "calls", "--play")
    assert done.status == 1
    assert done.err.splitlines()[-1] == "emorank: ffplay cannot play sound here (no such device)."


def test_without_a_player_it_is_said(
    emorank: Emorank, calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(playing.importlib.util, "find_spec", lambda name: None)
    done = emorank("search", "calm", "calls", "--play")
    assert done.status == 1
    assert "recording" in done.out  # what was found is shown all the same
    assert "Nothing on this computer plays sound; install one of ffplay, mpv" in done.err


def test_keys(calls: Path, player: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Again, next, stop, as typed on a terminal, which is left as it was."""
    monkeypatch.setenv("LASTS", "60")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "emorank", "search", "calm", "calls", "--play"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        for count, key in enumerate((b"a", b"n", b"x", b"s"), 1):
            until = time.monotonic() + 60
            while len(list(player.iterdir())) < min(count, 3):
                assert time.monotonic() < until
                time.sleep(0.02)
            os.write(ours, key)
        assert run.stderr is not None
        said = run.stderr.read().decode()
    assert run.returncode == 0, said
    assert "Playing: n next, a again, s stop." in said
    first, again, second = (soundfile.read(player / f"{place}.wav")[0] for place in range(3))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, second)
    assert len(list(player.iterdir())) == 3
    os.close(ours)
    os.close(theirs)
