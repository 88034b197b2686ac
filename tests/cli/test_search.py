"""emorank search, locate and score, from what people type first to what goes wrong."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from tests.cli.conftest import Run
from tests.conftest import save_model, voice

Emorank = Callable[..., Run]

SAMPLES = Path(__file__).parents[2] / "samples"


def test_search_prints_one_json_document_best_first(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path
) -> None:
    root = recordings(6)
    run = emorank("search", "calm, warm voice", root, "--top", 4, "--json", "--model", tiny_model)
    assert run.status == 0
    assert len(run.json) == 4
    assert {"path", "start", "end", "score", "percentile", "valence", "arousal", "dominance"} <= set(run.json[0])
    scores = [hit["score"] for hit in run.json]
    assert scores == sorted(scores, reverse=True)
    assert all(Path(hit["path"]).is_file() and 0 <= hit["start"] < hit["end"] for hit in run.json)
    assert run.err == "" or "skipped" not in run.err


def test_descriptions_that_are_hardly_understood_are_named_on_standard_error(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path
) -> None:
    root = recordings(2)
    run = emorank("search", "zxqw invoice number", root, "--not", "głośny krzyk", "--json", "--model", tiny_model)
    assert len(run.json) == 2
    hints = [line for line in run.err.splitlines() if "says little about a voice" in line]
    assert [hint.split("' ")[0] for hint in hints] == ["'zxqw invoice number", "'głośny krzyk"]
    assert all("Describe in English how it sounds, such as: '" in hint for hint in hints)
    assert "says little" not in emorank("search", "calm, warm voice", root, "--model", tiny_model).err
    assert "says little" in emorank("score", root / "clip000.wav", "calm", "asdf jkl", "--model", tiny_model).err


def test_a_second_search_decodes_nothing(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = recordings(3)
    first = emorank("search", "calm", root, "--json", "--model", tiny_model)

    def decode(*args: object) -> None:
        raise AssertionError("a recording was decoded")

    monkeypatch.setattr(audio, "blocks", decode)
    assert emorank("search", "calm", root, "--json", "--model", tiny_model).json == first.json


def test_paths_are_as_typed(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(recordings(2).parent)
    for typed in ("recordings", "./recordings/", "recordings/clip000.wav"):
        hit = emorank("search", "calm", typed, "--json", "--model", tiny_model).json[0]
        assert hit["path"].startswith(typed)
        assert os.path.exists(hit["path"])


def test_like_finds_others_and_not_the_clip(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path
) -> None:
    root = recordings(4)
    inside = emorank("search", "--like", root / "clip001.wav", root, "--json", "--model", tiny_model).json
    assert sorted(Path(hit["path"]).name for hit in inside) == ["clip000.wav", "clip002.wav", "clip003.wav"]
    outside = root.parent / "query.wav"
    outside.write_bytes((root / "clip002.wav").read_bytes())
    best = emorank("search", "--like", outside, root, "--json", "--model", tiny_model).json[0]
    assert Path(best["path"]).name == "clip002.wav"
    assert best["score"] == pytest.approx(1, abs=1e-3)


def test_index_in_a_folder_of_ones_own(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path, tmp_path: Path, own_cache: Path
) -> None:
    run = emorank("search", "calm", recordings(2), "--index", tmp_path / "mine", "--model", tiny_model)
    assert run.status == 0
    assert list((tmp_path / "mine").glob("segments-*.lance"))
    assert not (own_cache / "index").exists()


def test_broken_files_are_named_once_with_their_reason(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path
) -> None:
    root = recordings(2)
    bad = {
        "empty.wav": b"",
        "text.mp3": b"this is a text, not a recording. " * 20,
        "голос 'x'.flac": b"fLaC junk",
    }
    for name, content in bad.items():
        (root / name).write_bytes(content)
    (root / "cut.wav").write_bytes((root / "clip000.wav").read_bytes()[:5000])
    wave = voice(0.5)
    wave[5] = np.nan
    soundfile.write(root / "nan.wav", wave, 16_000, subtype="FLOAT")
    soundfile.write(root / "silent.wav", np.zeros(8000), 16_000)
    soundfile.write(root / "none.wav", np.zeros(0), 16_000)
    (root / "loop").symlink_to(root)
    (root / "gone.ogg").symlink_to(root / "nowhere")
    (root / "folder.wav").mkdir()
    os.mkfifo(root / "pipe.wav")
    for _ in range(2):
        run = emorank("search", "calm", root, "--json", "--model", tiny_model)
        assert run.status == 0
        assert len(run.json) == 4
        assert sorted(hit["damage"] for hit in run.json if hit["damage"]) == [
            "ends early: 0.2 of 0.6 s",
            "unreadable at 0:00.0, 0.1 s lost",
        ]
        for name in [*bad, "silent.wav", "none.wav", "gone.ogg", "pipe.wav"]:
            assert run.err.count(f"/{name}: ") == 1, name
        assert "7 skipped." in run.err


def test_locate_says_how_far_places_may_be_off(emorank: Emorank, tiny_model: Path) -> None:
    told = emorank("locate", SAMPLES / "calm-ben-2.ogg")
    assert re.search(r"9 in 10 lie within \d\.\d in valence, \d\.\d in arousal, \d\.\d in dominance of", told.err)
    assert "9 in 10" not in emorank("locate", SAMPLES / "calm-ben-2.ogg", "--model", tiny_model).err  # not trained


def test_locate_in_three_formats(emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path) -> None:
    root = recordings(3)
    as_json = emorank("locate", root, "--json", "--model", tiny_model).json
    rows = list(csv.DictReader(io.StringIO(emorank("locate", root, "--format", "csv", "--model", tiny_model).out)))
    assert [row["path"] for row in rows] == [row["path"] for row in as_json]
    for row, other in zip(rows, as_json, strict=True):
        for name in ("valence", "arousal", "dominance"):
            assert float(row[name]) == other[name]
            assert 1 <= other[name] <= 7
    table = emorank("locate", root / "clip000.wav", "--model", tiny_model).out
    assert table.splitlines()[0].split("\t") == ["valence", "arousal", "dominance", "from", "to", "recording"]
    assert len(table.splitlines()) == 2


def test_score_ranks_descriptions(emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path) -> None:
    clip = recordings(1) / "clip000.wav"
    scored = emorank("score", clip, "tired and sad", "thrilled", "--json", "--model", tiny_model).json
    assert {entry["description"] for entry in scored} == {"tired and sad", "thrilled"}
    assert scored[0]["score"] >= scored[1]["score"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["search", "calm"], "Give one description in quotes, and what to search"),
        (["search", "calm", "warm", "DIR"], "Give one description in quotes, and what to search"),
        (["search", "--like", "a.wav"], "Name what to search as well"),
        (["search", "calm", "missing"], "missing: there is no such file or folder, and no index of this name."),
        (["search", "", "DIR"], "A description is empty"),
        (["search", "calm", "DIR", "--top", "0"], "--top must be at least 1, not 0."),
        (["search", "calm", "DIR", "--cut", "out", "--pad", "11"], "--pad must be 0 to 10 seconds, not 11.0."),
        (["search", "calm", "DIR", "--model", "nobody"], "There is no model 'nobody'"),
        (["search", "calm", "EMPTY"], "there are no recordings"),
        (["search", "calm", "DIR", "--index", "DIR"], "no index, and not empty"),
        (["search", "--like", "missing.wav", "DIR"], "missing.wav: there is no such file."),
        (["locate", "EMPTY"], "there are no recordings"),
        (["locate", "missing"], "there is no such file or folder"),
        (["score", "missing.wav", "calm"], "missing.wav: there is no such file."),
        (["score", "missing.wav"], "Give at least one description"),
    ],
)
def test_mistakes_are_one_sentence(
    emorank: Emorank,
    recordings: Callable[..., Path],
    tiny_model: Path,
    tmp_path: Path,
    arguments: list[str],
    sentence: str,
) -> None:
    root = recordings(1)
    (tmp_path / "empty").mkdir()
    places = {"DIR": str(root), "EMPTY": str(tmp_path / "empty")}
    model = [] if "--model" in arguments else ["--model", tiny_model]
    run = emorank(*(places.get(argument, argument) for argument in arguments), *model)
    assert run.status == 1
    assert run.out == ""
    assert run.err.startswith("emorank: ")
    assert sentence in run.err
    assert "Traceback" not in run.err
    assert len(run.err.strip().splitlines()) == 1


def test_wrong_options_end_with_an_error(emorank: Emorank) -> None:
    run = emorank("search", "calm", ".", "--tpo", "3")
    assert run.status == 2
    assert "Traceback" not in run.out + run.err


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['emorank', '--help']\n"
        "from emorank.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = ('numpy', 'torch', 'transformers', 'lancedb', 'polars', 'pyarrow', 'scipy', 'lightning')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.splitlines()[-1] == "[]"
    for command in ("search", "locate", "score", "corpus", "train", "evaluate"):
        assert command in printed


@pytest.mark.slow
def test_a_closed_pipe_is_no_error(recordings: Callable[..., Path], tiny_model: Path) -> None:
    command = f"{sys.executable} -m emorank locate {recordings(3)} --model {tiny_model} | head -1"
    ended = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr
    assert ended.stdout.startswith("valence")


def test_a_not_is_said_in_one_line_and_where_results_come_from(
    emorank: Emorank, recordings: Callable[..., Path], tiny_model: Path
) -> None:
    root = recordings(2)
    run = emorank("search", "calm, not angry", root, "--why", "--json", "--model", tiny_model)
    assert len(run.json) == 2
    (line,) = [line for line in run.err.splitlines() if '--not "angry"' in line]
    assert line.endswith('works better apart: "calm" --not "angry"')
    assert "'calm, not angry' asks for valence " in run.err
    assert "Found on average: valence " in run.err
    assert "--not" not in emorank("score", root / "clip000.wav", "calm", "not angry", "--model", tiny_model).err
    alone = emorank("search", root, "--not", "angry", "--why", "--model", tiny_model)
    assert alone.status == 0
    assert "asks for" not in alone.err
    clip = root / "clip000.wav"
    like = emorank("search", root, "--like", clip, "--unlike", root / "clip001.wav", "--why", "--model", tiny_model)
    assert f"'{clip}' lies at valence " in like.err
    assert like.err.count("it sounds most like:") == 2


def test_a_clip_lies_where_a_model_of_two_dimensions_puts_it(
    emorank: Emorank, recordings: Callable[..., Path], tiny_whisper: str, tmp_path: Path
) -> None:
    model = save_model(tmp_path / "model", tiny_whisper, seed=1, dimensions=("arousal", "valence"))
    root = recordings(2)
    (place,) = emorank("locate", root / "clip000.wav", "--json", "--model", model).json
    said = emorank("search", root, "--like", root / "clip000.wav", "--why", "--model", model).err
    assert f"lies at valence {place['valence']:.1f}, arousal {place['arousal']:.1f}; it sounds most like:" in said


def test_how_well_the_best_fit_is_said(emorank: Emorank, tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    shutil.copy(SAMPLES / "calm-ben-2.ogg", tmp_path / "voices")
    assert "Best hits: fits " in emorank("search", "neutral, calm", tmp_path / "voices").err
    assert "Best hits: little here fits." in emorank("search", "screaming with joy", tmp_path / "voices").err
    assert "Best hits" not in emorank("search", "zxqw invoice number", tmp_path / "voices").err
