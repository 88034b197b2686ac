"""emorank collection: from what was found to what is kept, labelled, taken out and learnt from."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import soundfile

from tests.cli.conftest import Run
from tests.conftest import voice

Emorank = Callable[..., Run]
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def calls(emorank: Emorank, tmp_path: Path, tiny_model: Path) -> Path:
    """A named index over eight short recordings and a long one."""
    root = tmp_path / "recordings"
    root.mkdir()
    for i in range(8):
        soundfile.write(root / f"clip{i:03d}.wav", voice(0.6, 110 + 20 * i, i), 16_000)
    shutil.copy(SAMPLES / "story-ben.ogg", root / "long.ogg")
    rows = [f"recordings/clip{i:03d}.wav,{'ann' if i % 2 else 'ben'}" for i in range(8)]
    (tmp_path / "t.csv").write_text("\n".join(["path,speaker", *rows]))
    made = emorank("index", root, "--name", "calls", "--model", tiny_model, "--table", tmp_path / "t.csv")
    assert made.status == 0, made.err
    return root


def ids(emorank: Emorank, where: str) -> list[str]:
    return [hit["id"] for hit in emorank("search", "calls", "--where", where, "--top", 100, "--json").json]


def test_from_words_to_a_collection(emorank: Emorank, calls: Path) -> None:
    assert "There is no collection yet" in emorank("collection", "calls").err
    found = [hit["id"] for hit in emorank("search", "calm", "calls", "--top", 3, "--json").json]
    tags = ["--tag", "calm", "narration"]
    made = emorank("collection", "calls", "warm", "--query", "calm", "--top", 3, "--note", "for the trailer", *tags)
    assert "warm: 3 moments, 0 of them labelled." in made.err
    shown = emorank("collection", "calls", "warm", "--json").json
    assert [moment["id"] for moment in shown["moments"]] == found
    assert (shown["note"], shown["tags"]) == ("for the trailer", ["calm", "narration"])
    more = next(id for id in ids(emorank, "duration > 0") if id not in found)
    assert "warm: 3 moments" in emorank("collection", "calls", "warm", "--add", more, "--remove", found[0]).err
    shown = emorank("collection", "calls", "warm", "--json").json
    assert [moment["id"] for moment in shown["moments"]] == [*found[1:], more]
    said = ["--valence", 5.5, "--category", "calm", "--by", "ann"]
    assert "1 of them labelled" in emorank("collection", "calls", "warm", "--label", more, *said).err
    lines = emorank("collection", "calls", "warm").out.splitlines()
    assert lines[0].split("\t")[:6] == ["id", "valence", "arousal", "dominance", "category", "by"]
    assert lines[3].split("\t")[:6] == [more, "5.5", "", "", "calm", "ann"]
    assert emorank("collection", "calls", "warm", "--rename", "cold").status == 0
    listed = emorank("collection", "calls").out.splitlines()
    assert listed[1].split("\t") == ["cold", "3", "1", "calm, narration", "for the trailer"]
    assert emorank("collection", "calls", "cold", "--delete").status == 0
    assert emorank("collection", "calls", "--json").json == []


def test_a_collection_is_exported_like_a_search(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    chosen = ids(emorank, "file = 'clip005.wav'") + ids(emorank, "file = 'clip001.wav'")
    emorank("collection", "calls", "warm", "--add", *chosen)
    emorank("collection", "calls", "warm", "--label", chosen[1], "--arousal", 6, "--by", "ann")
    rows = [
        json.loads(line)
        for line in emorank("export", "calls", "--collection", "warm", "--format", "jsonl").out.splitlines()
    ]
    assert [row["id"] for row in rows] == chosen
    assert [row["own_arousal"] for row in rows] == [None, 6.0]
    assert [row["labelled_by"] for row in rows] == [None, "ann"]
    (calls / "clip005.wav").rename(calls / "moved.wav")
    (calls / "clip001.wav").unlink()
    emorank("index", "--name", "calls")
    cut = emorank("export", "calls", "--collection", "warm", "--cut", tmp_path / "clips", "--format", "audacity")
    assert "1 of 2 moments are not in the index now; they stay in the collection." in cut.err
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == ["0001-moved-00m00.0s.wav", "moved.txt"]


def test_labels_that_people_gave_train_a_model(
    emorank: Emorank, calls: Path, tmp_path: Path, tiny_whisper: str, encoded_bank: None
) -> None:
    for number, id in enumerate(ids(emorank, "duration > 0")):
        emorank("collection", "calls", "rated", "--add", id)
        for by in ("ann", "ben"):
            said = ["--valence", 1 + number % 7, "--arousal", 7 - number % 5, "--dominance", 4, "--category", "happy"]
            assert emorank("collection", "calls", "rated", "--label", id, *said, "--by", by).status == 0
    refused = emorank("export", "calls", "--collection", "rated", "--format", "table")
    assert "are parts of their recordings, and training hears these whole; cut them out with --cut DIR." in refused.err
    data = tmp_path / "data"
    assert emorank("export", "calls", "--collection", "rated", "--format", "table", "--cut", data).status == 0
    table = pl.read_csv(data / "table.csv")
    assert set(table["label_source"]) == {"rated"}
    assert set(table["annotator"]) == {"ann", "ben"}
    assert table.height == 2 * len(list(data.glob("*.wav")))
    assert set(table["speaker"].drop_nulls()) == {"ann", "ben"}
    clip, rate = soundfile.read(data / table.row(0, named=True)["path"])
    assert len(clip) / rate == pytest.approx(
        table["duration"][0], abs=0.001
    )  # without padding: that is what was labelled
    out = tmp_path / "run"
    options = ["--audio-encoder", tiny_whisper, "--epochs", 2, "--embedding-dim", 16, "--captions-per-batch", 64]
    trained = emorank("train", "--data", data / "table.csv", "--out", out, *options)
    assert trained.status == 0, trained.err
    about = json.loads((out / "config.json").read_text())["training"]["data"]["utterances"]
    assert {part["label_source"] for part in about} == {"rated"}
    assert sum(part["utterances"] for part in about) == table.height
    assert len(emorank("search", "calm", calls, "--model", out, "--top", 2, "--json").json) == 2


def test_whole_recordings_need_no_cutting(emorank: Emorank, calls: Path, tmp_path: Path) -> None:
    (one,) = ids(emorank, "file = 'clip003.wav'")
    emorank("collection", "calls", "whole", "--add", one)
    assert "Nobody has labelled" in emorank("export", "calls", "--collection", "whole", "--format", "table").err
    emorank("collection", "calls", "whole", "--label", one, "--valence", 2, "--by", "ann")
    rows = list(
        csv.DictReader(emorank("export", "calls", "--collection", "whole", "--format", "table").out.splitlines())
    )
    assert [(row["path"], row["valence"], row["annotator"]) for row in rows] == [
        (str(calls / "clip003.wav"), "2.0", "ann")
    ]
    out = tmp_path / "t.parquet"
    assert emorank("export", "calls", "--collection", "whole", "--format", "table", "--out", out).status == 0
    assert pl.read_parquet(out)["corpus"].to_list() == ["calls"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["collection", "nobody"], "no index 'nobody'"),
        (["collection", "calls", "warm"], "There is no collection 'warm' (there are none yet)."),
        (["collection", "calls", "warm", "--delete"], "There is no collection 'warm'"),
        (["collection", "calls", "--add", "0" * 16], "Name the collection"),
        (["collection", "calls", "warm", "--add", "0" * 16], f"There is no moment {'0' * 16} in the index."),
        (["collection", "calls", "../x", "--note", "x"], "'../x' cannot name a collection"),
        (["collection", "calls", "warm", "--valence", "3"], "Say with --label which moments sound so."),
        (["collection", "calls", "warm", "--delete", "--note", "x"], "--delete goes alone."),
        (["collection", "calls", "warm", "--near", "2"], "--near 2 is no place"),
        (["export", "calls", "--collection", "warm"], "There is no collection 'warm'"),
        (["export", "calls", "--collection", "warm", "--query", "x"], "leave the query and the filters out."),
        (["export", "calls", "--format", "table"], "say which with --collection NAME."),
    ],
)
def test_mistakes_are_one_sentence(emorank: Emorank, calls: Path, arguments: list[str], said: str) -> None:
    run = emorank(*arguments)
    assert (run.status, run.out) == (1, "")
    assert said in run.err
    assert len(run.err.strip().splitlines()) == 1
