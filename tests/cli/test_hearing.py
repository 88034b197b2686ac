"""Progress: seconds of audio from the beginning on, with speed and time left; plain lines without a terminal."""

import itertools
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.cli.hearing import in_words, measured
from emorank.index import Index
from emorank.model import EmotionRankCLAP
from emorank.types import SoFar
from tests.cli.conftest import Run
from tests.conftest import voice

SAMPLES = Path(__file__).parents[2] / "samples"


def test_what_is_told_of_a_course() -> None:
    begun = measured(SoFar(0, 4, 0, 0.0, 0.0), 0.0)
    assert (begun["speed"], begun["left"]) == (None, None)
    assert in_words(begun) == "0:00 heard"
    told = measured(SoFar(2, 4, 1, 750.0, 0.25), 20.0)
    assert (told["speed"], told["left"]) == (37.5, 60.0)
    assert in_words(told) == "12:30 heard, 37.5x real time, 1:00 left, 1 skipped"
    assert measured(SoFar(9, 9, 9, 0.0, 1.0), 20.0)["speed"] is None  # nothing but what is skipped


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three recordings, 3.1 s together, a silent one, one that is none, and a copy."""
    root = tmp_path / "mixed"
    root.mkdir()
    for i, seconds in enumerate((0.8, 1.0, 1.3)):
        soundfile.write(root / f"clip{i}.wav", voice(seconds, 120 + 40 * i, i), 16_000)
    soundfile.write(root / "silent.wav", np.zeros(160_000, np.float32), 16_000)
    (root / "none.wav").write_bytes(b"no sound")
    return root


def test_seconds_are_of_what_is_heard(mixed: Path, tiny_model: Path, tmp_path: Path) -> None:
    course: list[SoFar] = []
    index = Index(tmp_path / "index", EmotionRankCLAP.from_pretrained(tiny_model))
    index.update(mixed, course.append)
    assert course[0] == SoFar(0, 5, 0, 0.0, 0.0)
    last = course[-1]
    assert (last.done, last.total, last.skipped, last.part) == (5, 5, 2, 1.0)
    assert last.seconds == pytest.approx(3.1, abs=0.01)
    for before, after in itertools.pairwise(course):
        assert (after.done, after.skipped, after.seconds, after.part) >= (
            before.done,
            before.skipped,
            before.seconds,
            before.part,
        )
    os.rename(mixed / "clip0.wav", mixed / "moved.wav")
    course.clear()
    index.update(mixed, course.append)
    assert course[-1].seconds == 0  # known by its content
    assert course[-1].part == 1.0


def test_a_long_recording_is_told_of_on_the_way(tiny_model: Path, tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    story, rate = soundfile.read(SAMPLES / "story-ben.ogg")
    whole = np.tile(np.concatenate([story, np.zeros(rate)]), 1 + 120 * rate // len(story))
    soundfile.write(long, whole, rate)
    seconds = len(whole) / rate
    course: list[SoFar] = []
    Index(tmp_path / "index", EmotionRankCLAP.from_pretrained(tiny_model)).update(long, course.append)
    inside = [heard for heard in course if 0 < heard.part < 1]
    assert inside
    assert all(heard.done == 0 and 0 < heard.seconds < seconds for heard in inside)
    assert inside[0].part == pytest.approx(inside[0].seconds / seconds, abs=0.02)
    assert course[-1].seconds == pytest.approx(seconds, abs=0.1)


def test_lines_of_json(emorank: Callable[..., Run], mixed: Path, tiny_model: Path) -> None:
    done = emorank("index", mixed, "--name", "mixed", "--model", tiny_model, "--json")
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [line["event"] for line in lines[:1] + lines[-1:]] == ["listening", "done"]
    assert lines[0] | {"root": "mixed", "done": 0, "total": 5, "seconds": 0.0} == lines[0]
    end = lines[-1]
    assert (end["added"], end["skipped"], end["kept"]) == (3, 2, 0)
    assert [line["path"] for line in lines if line["event"] == "skipped"] == ["mixed/none.wav", "mixed/silent.wav"]
    assert "mixed: 3 added, 0 changed, 0 removed, 0 kept, 2 skipped." in done.err
    refused = emorank("index", "--json")
    assert "Name the index" in refused.err


@pytest.mark.slow
def test_a_terminal_sees_it_and_a_file_does_not(mixed: Path, tiny_model: Path) -> None:
    command = [sys.executable, "-m", "emorank", "index", str(mixed), "--name", "seen", "--model", str(tiny_model)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, stderr=theirs, stdout=subprocess.DEVNULL, env={**os.environ, "COLUMNS": "120"}
    ) as run:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 65_536):
                seen += piece
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert run.returncode == 0
    assert b"looking for recordings" in seen
    assert re.search(rb"0:03 heard", seen)
    again = subprocess.run([*command[:-3], "plain", *command[-2:]], capture_output=True, text=True, timeout=120)
    assert "heard" not in again.stderr
    assert again.stderr.endswith("plain: 3 added, 0 changed, 0 removed, 0 kept, 2 skipped.\n")
