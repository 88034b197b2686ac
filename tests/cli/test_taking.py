"""emorank search --cut and emorank export of what a search finds: from words to files."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from tests.cli.conftest import Run
from tests.conftest import voice

Emorank = Callable[..., Run]


@pytest.fixture
def calls(emorank: Emorank, tmp_path: Path, tiny_model: Path) -> Path:
    """A named index over four stereo recordings at 44.1 kHz."""
    root = tmp_path / "recordings"
    root.mkdir()
    for i in range(4):
        wave = voice(1.0 + 0.2 * i, 120 + 30 * i, i, rate=44_100)
        soundfile.write(root / f"clip{i:03d}.wav", np.stack([wave, wave * 0.5], 1), 44_100)
    assert emorank("index", root, "--name", "calls", "--model", tiny_model).status == 0
    return root


def test_search_cuts_what_it_shows(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    (calls / "clip002.wav").write_bytes(b"broken since")
    out = tmp_path / "clips"
    found = emorank("search", "calm", "calls", "--json", "--cut", out, "--pad", "0", "--clip-format", "flac")
    assert found.status == 0
    assert "clip002.wav: it has changed since it was indexed; update the index." in found.err
    assert f"3 of 4 moments cut into {out}, 1 skipped; listed in moments.csv." in found.err
    rows = list(csv.DictReader((out / "moments.csv").read_text().splitlines()))
    assert [row["id"] for row in rows] == [hit["id"] for hit in found.json]
    for row in rows:
        assert bool(row["clip"]) != row["path"].endswith("clip002.wav")
        if row["clip"]:
            assert row["clip"].startswith(f"{int(row['rank']):04d}-clip00")
            clip, whole = (soundfile.read(path, dtype="int16") for path in (out / row["clip"], row["path"]))
            np.testing.assert_array_equal(clip[0], whole[0])
            assert (clip[1], clip[0].shape[1]) == (44_100, 2)
    again = emorank("search", "calm", "calls", "--json", "--cut", out, "--pad", "0", "--clip-format", "flac")
    assert again.json == found.json
    assert "3 of 4 moments cut" in again.err
    other = emorank("search", "loud", "calls", "--top", 1, "--cut", out)
    assert other.status == 1
    assert "name a new folder for the clips." in other.err


def test_a_folder_can_be_cut_as_well(emorank: Emorank, calls: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "clips"
    done = emorank("search", "calm", calls, "--model", tiny_model, "--top", 2, "--cut", out, "--clip-format", "opus")
    assert f"2 of 2 moments cut into {out}; listed in moments.csv." in done.err
    assert [soundfile.info(path).subtype for path in sorted(out.glob("*.opus"))] == ["OPUS", "OPUS"]


def test_export_of_a_query_is_what_search_finds(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    options = ["--not", "angry", "--where", "duration > 1.1", "--top", 2]
    hits = emorank("search", "calm", "calls", *options, "--json").json
    rows = [
        json.loads(line)
        for line in emorank("export", "calls", "--query", "calm", *options, "--format", "jsonl").out.splitlines()
    ]
    assert [row["id"] for row in rows] == [hit["id"] for hit in hits]
    assert [row["score"] for row in rows] == [hit["score"] for hit in hits]
    assert [row["rank"] for row in rows] == [1, 2]
    out = tmp_path / "found.parquet"
    assert emorank("export", "calls", "--query", "calm", *options, "--out", out).status == 0
    table = pl.read_parquet(out)
    assert (table["id"].to_list(), table["embedding"].to_numpy().shape) == ([hit["id"] for hit in hits], (2, 32))
    like = emorank("export", "calls", "--like", calls / "clip001.wav", "--format", "jsonl").out.splitlines()
    assert len(like) == 3


def test_export_cuts_and_lists(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    out = tmp_path / "warm"
    done = emorank("export", "calls", "--query", "warm", "--top", 3, "--cut", out, "--format", "audacity")
    assert f"3 of 3 moments cut into {out}; 3 lists lie there too." in done.err
    assert len(list(out.glob("*.wav"))) == len(list(out.glob("*.txt"))) == 3
    data = tmp_path / "data"
    assert emorank("export", "calls", "--cut", data, "--format", "datasets").status == 0
    rows = list(csv.DictReader((data / "metadata.csv").read_text().splitlines()))
    assert sorted(row["file_name"] for row in rows) == sorted(path.name for path in data.glob("*.wav"))
    assert len(rows) == 4
    lists = tmp_path / "lists"
    assert emorank("export", "calls", "--format", "textgrid", "--out", lists).status == 0
    assert len(list(lists.glob("*.TextGrid"))) == 4
    assert emorank("export", "calls", "--top", 2, "--format", "m3u").out.count("#EXTINF") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "audacity"], "is a file for each recording; name a folder for them with --out DIR."),
        (["--format", "datasets"], "is a folder of clips; say which with --cut DIR."),
        (["--cut", "a", "--out", "b.csv"], "The list goes into the folder of --cut; leave --out out."),
        (["--out", "b.txt"], "b.txt: say which --format it shall have"),
        (["--near", "2"], "--near 2 is no place"),
        (["--top", "0"], "--top must be at least 1, not 0."),
        (["--cut", "a", "--pad", "-1"], "--pad must be 0 to 10 seconds, not -1.0."),
        (["--where", "voice = 1"], "no column 'voice'"),
    ],
)
def test_mistakes_are_one_sentence(emorank: Emorank, calls: Path, arguments: list[str], said: str) -> None:
    run = emorank("export", "calls", *arguments)
    assert (run.status, run.out) == (1, "")
    assert said in run.err
    assert len(run.err.strip().splitlines()) == 1
