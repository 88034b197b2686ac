"""emorank timeline: the moments of a recording as a table, a plot, a file."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from tests.cli.conftest import Run

Emorank = Callable[..., Run]
KINDS = ("shouted", "drained")
STORY = Path(__file__).parents[2] / "samples" / "story-ben.ogg"


@pytest.fixture
def expected(emorank: Emorank, tiny_model: Path) -> list[list[float]]:
    moments = emorank("locate", STORY, "--json", "--model", tiny_model).json
    return [[one[name] for name in ("start", "end", "valence", "arousal", "dominance")] for one in moments]


def test_a_table_in_the_terminal(emorank: Emorank, tiny_model: Path, expected: list[list[float]]) -> None:
    run = emorank("timeline", STORY, "--model", tiny_model)
    lines = [line.split("\t") for line in run.out.splitlines()]
    assert lines[0] == ["from", "to", "valence", "arousal", "dominance"]
    assert [float(line[3]) for line in lines[1:]] == pytest.approx([one[3] for one in expected], abs=0.051)
    assert len(lines) - 1 == len(expected) > 3


@pytest.mark.slow
def test_stretches_that_stand_out_are_named(emorank: Emorank, tmp_path: Path) -> None:
    loud, low = ([soundfile.read(file)[0] for file in sorted(STORY.parent.glob(f"{kind}-*.ogg"))] for kind in KINDS)
    wave = np.concatenate([*low * 3, *loud * 3, *low * 3])
    soundfile.write(tmp_path / "day.wav", wave, 16_000)
    said = emorank("timeline", tmp_path / "day.wav").err.splitlines()[-1]
    assert said.startswith("Sounds ")
    minutes, seconds = said.split("angriest from ")[1].split(" ")[0].split(":")
    assert 60 * int(minutes) + float(seconds) == pytest.approx(sum(map(len, low)) * 3 / 16_000, abs=3)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_a_file_for_other_tools(
    emorank: Emorank, tiny_model: Path, tmp_path: Path, expected: list[list[float]], suffix: str
) -> None:
    out = tmp_path / f"story{suffix}"
    run = emorank("timeline", STORY, "--out", out, "--model", tiny_model)
    assert (run.status, run.out) == (0, "")
    if suffix == ".csv":
        rows = list(csv.DictReader(out.read_text().splitlines()))
    elif suffix == ".jsonl":
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    else:
        rows = pl.read_parquet(out).to_dicts()
    assert all(row.pop("channel") in (None, "") for row in rows)
    assert [[float(value) for value in row.values()] for row in rows] == expected


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")])
def test_a_plot(emorank: Emorank, tiny_model: Path, tmp_path: Path, suffix: str, magic: bytes) -> None:
    out = tmp_path / f"story{suffix}"
    assert emorank("timeline", STORY, "--out", out, "--model", tiny_model).status == 0
    assert out.read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.wav"], "nowhere.wav: there is no such recording."),
        ([str(STORY), "--out", "story.txt"], "name a file that ends in .png, .svg, .pdf for a plot"),
        ([str(STORY), "--out", "/dev/null/all.csv"], "cannot be written"),
    ],
)
def test_mistakes_are_one_sentence(emorank: Emorank, tiny_model: Path, arguments: list[str], said: str) -> None:
    run = emorank("timeline", *arguments, "--model", tiny_model)
    assert (run.status, run.out) == (1, "")
    assert said in run.err
