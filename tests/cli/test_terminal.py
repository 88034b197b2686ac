"""Odd names, odd terminals, full disks: one sentence, one line a hit, nothing that a terminal would obey."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank.cli import printable
from tests.cli.conftest import Run
from tests.conftest import voice


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "emorank", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=os.environ | environment, timeout=120)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    folder = tmp_path / "odd"
    folder.mkdir()
    for i, name in enumerate(("new\nline.wav", "emoji😀.wav", "\x1b[31mred.wav")):
        soundfile.write(folder / name, voice(0.7, 120 + 40 * i, i), 16_000)
    return folder


def test_control_characters_are_escaped() -> None:
    assert printable("a\nb\x1b[2J\x9bc\u202e.wav é 😀") == "a\\nb\\x1b[2J\\x9bc\\u202e.wav é 😀"


def test_a_name_with_a_newline_is_one_line(emorank: Callable[..., Run], odd: Path, tiny_model: Path) -> None:
    found = emorank("search", "calm", odd, "--model", tiny_model)
    assert len(found.out.splitlines()) == 4
    assert "new\\nline.wav" in found.out
    assert "\x1b" not in found.out
    paths = {Path(hit["path"]).name for hit in emorank("search", "calm", odd, "--model", tiny_model, "--json").json}
    assert "new\nline.wav" in paths


@pytest.mark.slow
def test_a_terminal_that_cannot_show_a_name_gets_it_escaped(odd: Path, tiny_model: Path) -> None:
    done = run("locate", odd, "--model", tiny_model, "--format", "csv", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert b"emoji\\U0001f600.wav" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_output_is_one_sentence(odd: Path, tiny_model: Path) -> None:
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "emorank", "locate", str(odd), "--model", str(tiny_model)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == b"emorank: the output: No space left on device."
    assert b"Traceback" not in done.stderr


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(emorank: Callable[..., Run], odd: Path, tiny_model: Path) -> None:
    emorank("index", odd, "--name", "odd", "--model", tiny_model)
    shell = f"{sys.executable} -m emorank export odd --format parquet | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], capture_output=True, timeout=120)
    assert done.stdout.strip() in (b"0", b"1")
    assert b"Traceback" not in done.stderr


def test_what_is_no_regular_file_is_written_to(emorank: Callable[..., Run], odd: Path, tiny_model: Path) -> None:
    recording = next(odd.iterdir())
    link = odd.parent / "link.csv"
    link.symlink_to(odd.parent / "real.csv")
    assert emorank("timeline", recording, "--model", tiny_model, "--out", link).status == 0
    assert link.is_symlink()
    assert (odd.parent / "real.csv").read_text().startswith("start,end,valence")
    null = odd.parent / "null.csv"
    null.symlink_to("/dev/null")
    assert emorank("timeline", recording, "--model", tiny_model, "--out", null).status == 0
    assert not Path("/dev/null").is_file()


def test_what_is_no_voice_is_not_scored(emorank: Callable[..., Run], tmp_path: Path, tiny_model: Path) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(32_000), 16_000)
    (tmp_path / "clips").mkdir()
    soundfile.write(tmp_path / "clips" / "a.wav", voice(0.8), 16_000)
    scored = emorank("score", silent, "calm", "angry", "--model", tiny_model)
    liked = emorank("search", "--like", silent, tmp_path / "clips", "--model", tiny_model)
    for refused in (scored, liked):
        assert refused.status == 1
        assert "silent.wav: it is silent." in refused.err


def test_two_speakers_on_two_channels_lie_where_their_own_clips_lie(
    emorank: Callable[..., Run], tmp_path: Path, tiny_model: Path
) -> None:
    left, right = voice(3.0, 120, 1), voice(3.0, 260, 2)
    for name, wave in (("left", left), ("right", right)):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "mono.wav", wave, 16_000, subtype="FLOAT")
    (tmp_path / "call").mkdir()
    soundfile.write(tmp_path / "call" / "call.wav", np.stack([left, right], 1), 16_000, subtype="FLOAT")
    own = [emorank("locate", tmp_path / name, "--model", tiny_model, "--json").json[0] for name in ("left", "right")]
    assert (
        emorank("index", tmp_path / "call", "--name", "call", "--model", tiny_model, "--channels", "each").status == 0
    )
    rows = [json.loads(line) for line in emorank("export", "call", "--format", "jsonl").out.splitlines()]
    assert [row["channel"] for row in rows] == [1, 2]
    for row, alone in zip(rows, own, strict=True):
        assert all(abs(row[name] - alone[name]) < 0.3 for name in ("valence", "arousal", "dominance"))
    one = emorank("locate", tmp_path / "call", "--model", tiny_model, "--channels", "2", "--json").json
    assert len(one) == 1
    refused = emorank("locate", tmp_path / "call", "--model", tiny_model, "--channels", "both")
    assert "--channels is auto, mix, each, or the number of a channel" in refused.err


def test_a_damaged_recording_is_heard_and_its_loss_is_noted(
    emorank: Callable[..., Run], tmp_path: Path, tiny_model: Path
) -> None:
    (tmp_path / "cut").mkdir()
    whole = tmp_path / "cut" / "a.wav"
    soundfile.write(whole, voice(4.0), 16_000)
    whole.write_bytes(whole.read_bytes()[:64_044])
    done = emorank("index", tmp_path / "cut", "--name", "cut", "--model", tiny_model)
    assert "a.wav: ends early: 2.0 of 4.0 s" in done.err
    (hit,) = emorank("search", "calm", "cut", "--json").json
    assert hit["damage"] == "ends early: 2.0 of 4.0 s"
    assert emorank("search", "calm", "cut", "--where", "damage is not null", "--json").json == [hit]
