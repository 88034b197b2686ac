"""emorank index, search on a named index, export: as a user drives them."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import soundfile

from emorank import audio
from tests.cli.conftest import Run
from tests.conftest import voice

Emorank = Callable[..., Run]


@pytest.fixture
def calls(emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path) -> Path:
    """A named index over six recordings with a table of speakers."""
    root = recordings(6)
    table = root.parent / "speakers.csv"
    rows = [f"recordings/clip{i:03d}.wav,{'ann' if i % 2 else 'ben'},{i}" for i in range(6)]
    table.write_text("\n".join(["path,speaker,take", *rows]))
    run = emorank("index", root, "--name", "calls", "--model", tiny_model, "--table", table)
    assert (run.status, run.out) == (0, "")
    assert "calls: 6 added, 0 changed, 0 removed, 0 kept." in run.err
    return root


def test_updates_by_name_alone(emorank: Emorank, calls: Path) -> None:
    (calls / "clip000.wav").rename(calls / "other.wav")
    (calls / "broken.wav").write_bytes(b"nothing")
    run = emorank("index", "--name", "calls")
    assert run.status == 0
    assert "broken.wav: it is not audio" in run.err
    assert "calls: 1 added, 0 changed (1 of them known by their content), 1 removed, 5 kept, 1 skipped." in run.err


def test_lists_the_indexes(emorank: Emorank, calls: Path, tiny_model: Path) -> None:
    run = emorank("index")
    header, row = (line.split("\t") for line in run.out.splitlines())
    assert header == ["index", "recordings", "segments", "length", "model", "folders"]
    assert [row[0], row[1], row[2], row[4], row[5]] == ["calls", "6", "6", str(tiny_model), str(calls)]


def test_search_by_name_decodes_nothing(emorank: Emorank, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(*args: object) -> None:
        raise AssertionError("a recording was decoded")

    monkeypatch.setattr(audio, "blocks", decode)
    monkeypatch.chdir(calls.parent)
    hits = emorank("search", "calm", "calls", "--and", "tired", "--not", "angry", "--json").json
    assert len(hits) == 6
    assert set(hits[0]) == {
        *("id", "path", "start", "end", "score", "percentile", "distance"),
        *("valence", "arousal", "dominance", "loudness", "speech", "channel", "damage", "labels", "others", "date"),
    }
    assert hits[0]["percentile"] == 83.33
    assert all(Path(hit["path"]).is_file() for hit in hits)
    assert hits[0]["path"].startswith("recordings/")


def test_filters(emorank: Emorank, calls: Path) -> None:
    run = emorank("search", "calm", "calls", "--where", "speaker = 'ann' and take > 1", "--json")
    assert sorted(hit["labels"]["take"] for hit in run.json) == [3, 5]
    shown = emorank("search", "calm", "calls", "--where", "speaker = 'ann'")
    assert shown.out.splitlines()[0].split("\t")[-3:] == ["speaker", "take", "recording"]
    assert "3 of 6 segments in 6 recordings, 3 pass the filters." in shown.err
    wrong = emorank("search", "calm", "calls", "--where", "voice = 'ann'")
    assert (wrong.status, wrong.out) == (1, "")
    assert "no column 'voice'; there are path, file, start" in wrong.err


def test_near_a_place(emorank: Emorank, calls: Path) -> None:
    every = emorank("search", "calls", "--near", "4,4,9", "--json").json
    distances = [hit["distance"] for hit in every]
    assert len(every) == 6
    assert distances == sorted(distances)
    middle = (distances[2] + distances[3]) / 2
    some = emorank("search", "loud", "calls", "--near", f"4,4,{middle}", "--json").json
    assert {hit["id"] for hit in some} == {hit["id"] for hit in every[:3]}
    scores = [hit["score"] for hit in some]
    assert scores == sorted(scores, reverse=True)


def test_more_like_some_and_less_like_others(emorank: Emorank, calls: Path) -> None:
    run = emorank("search", "calls", "--like", calls / "clip000.wav", "--unlike", calls / "clip005.wav", "--json")
    assert sorted(Path(hit["path"]).name for hit in run.json) == [f"clip00{i}.wav" for i in range(1, 5)]


def test_a_folder_can_be_filtered_as_well(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recordings(3).parent)
    run = emorank("search", "calm", "recordings", "--where", "path like 'recordings/%1.wav'", "--model", tiny_model)
    assert [line.split("\t")[-1] for line in run.out.splitlines()[1:]] == ["recordings/clip001.wav"]


def test_texts_that_a_spreadsheet_would_run_are_escaped(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    table = calls.parent / "notes.csv"
    names = sorted(path.name for path in calls.glob("*.wav"))
    table.write_text(f'path,=note\n{calls / names[0]},"=HYPERLINK(""http://x"")"\n{calls / names[1]},fine\n')
    assert emorank("index", "--name", "calls", "--table", table).status == 0
    plain = emorank("export", "calls").out
    assert '"=HYPERLINK' in plain
    escaped = emorank("export", "calls", "--spreadsheet").out
    assert "'=HYPERLINK" in escaped
    assert "'=note" in escaped.splitlines()[0]
    assert escaped.replace("'=", "=") == plain
    assert "--spreadsheet goes with" in emorank("export", "calls", "--spreadsheet", "--format", "jsonl").err


def test_damage_is_named_and_made_again(emorank: Emorank, calls: Path, own_cache: Path) -> None:
    index = own_cache / "data" / "indexes" / "calls"
    before = emorank("export", "calls").out
    (data,) = (file for file in index.glob("*.lance/data/*"))
    content = bytearray(data.read_bytes())
    content[len(content) // 3] ^= 1
    data.write_bytes(content)
    refused = emorank("export", "calls")
    assert refused.status == 1
    assert f"{data.name} is not what was written); run: emorank index calls --repair." in refused.err
    repaired = emorank("index", "calls", "--repair")
    assert repaired.status == 0
    assert f"damaged: {data}" in repaired.err
    assert emorank("export", "calls").out == before
    assert "calls: nothing is damaged." in emorank("index", "--repair").err
    assert "takes the name of one index at most" in emorank("index", "calls", "more", "--repair").err
    assert "no index 'nobody'" in emorank("index", "nobody", "--repair").err


def test_reading_takes_no_writing(emorank: Emorank, calls: Path, own_cache: Path) -> None:
    index = own_cache / "data" / "indexes" / "calls"

    def state() -> dict[Path, tuple[int, int]]:
        return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in [index, *index.rglob("*")]}

    before = state()
    for command in (["export", "calls"], ["search", "calm", "calls"], ["index"]):
        assert emorank(*command).status == 0
    assert state() == before


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_export(emorank: Emorank, calls: Path, format: str, tmp_path: Path) -> None:
    out = tmp_path / f"calls.{format}"
    run = emorank("export", "calls", "--out", out, "--where", "speaker = 'ben'")
    assert (run.status, run.out) == (0, "")
    assert f"3 segments written to {out}." in run.err
    if format == "parquet":
        table = pl.read_parquet(out)
        assert table["embedding"].to_numpy().shape == (3, 32)
        rows = table.drop("embedding").to_dicts()
    elif format == "csv":
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
    else:
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert list(rows[0]) == [
        *(
            "path",
            "file",
            "start",
            "end",
            "duration",
            "valence",
            "arousal",
            "dominance",
            "loudness",
            "speech",
            "channel",
            "damage",
            "date",
            "speaker",
            "take",
        )
    ]
    assert [row["path"] for row in rows] == [str(calls / f"clip00{i}.wav") for i in (0, 2, 4)]


@pytest.mark.slow
def test_follows_its_folders_until_interrupted(calls: Path, emorank: Emorank) -> None:
    command = [sys.executable, "-m", "emorank", "index", "--name", "calls", "--watch"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert process.stderr is not None
    for line in process.stderr:
        if "Following" in line:
            break

    def told() -> str:
        return next(line for line in process.stderr or () if line.startswith("calls:"))

    assert told() == "calls: 0 added, 0 changed, 0 removed, 6 kept.\n"  # what changed before it followed
    soundfile.write(calls / "new.wav", voice(0.5), 16_000)
    assert told() == "calls: 1 added, 0 changed, 0 removed, 6 kept.\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert process.stderr.read() == ""
    assert "no index of this name" not in emorank("search", "calm", "calls").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("index", "recordings"), "Name the index: emorank index DIR --name calls"),
        (("index", "--name", "a/b"), "cannot name an index"),
        (("index", "--name", "nobody"), "no index 'nobody' (there are none yet)"),
        (("index", "nowhere", "--name", "calls"), "nowhere: there is no such file or folder."),
        (("export", "nobody"), "no index 'nobody'"),
        (("search", "calm", "nobody"), "no such file or folder, and no index of this name"),
        (("search", "recordings", "--near", "2"), "--near 2 is no place"),
        (("search", "recordings", "--near", "9,9"), "9 is not on the plane"),
        (("search", "--like", "recordings/clip000.wav"), "Name what to search as well"),
        (("serve", "nobody"), "no index 'nobody'"),
    ],
)
def test_mistakes_are_one_sentence(
    emorank: Emorank,
    recordings: Callable[..., Path],
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(recordings(1).parent)
    model = ("--model", tiny_model) if arguments[0] == "search" else ()
    run = emorank(*arguments, *model)
    assert (run.status, run.out) == (1, "")
    assert said in run.err
    assert len(run.err.strip().splitlines()) == 1


def test_a_named_index_has_its_model(emorank: Emorank, calls: Path, tiny_model: Path) -> None:
    assert "leave --model, --index, --channels out" in emorank("search", "calm", "calls", "--model", tiny_model).err
