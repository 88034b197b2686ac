"""Orders, groups, choices, regions, counts and searches that are kept, as they are typed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from tests.cli.conftest import Run
from tests.conftest import save_model, voice

Emorank = Callable[..., Run]
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture
def calls(emorank: Emorank, tmp_path: Path, tiny_model: Path) -> Path:
    """A named index over six short recordings and a long one, with dates and speakers."""
    root = tmp_path / "recordings"
    root.mkdir()
    for i in range(6):
        soundfile.write(root / f"clip{i:03d}.wav", voice(0.6, 110 + 20 * i, i), 16_000)
    shutil.copy(SAMPLES / "story-ben.ogg", root / "long.ogg")
    speakers = ["ann", "o'hara <b>", "ben"]
    rows = [f"recordings/clip{i:03d}.wav,{speakers[i % 3]},2026-03-0{9 - i}" for i in range(6)]
    (tmp_path / "t.csv").write_text("\n".join(["path,speaker,date", *rows]))
    made = emorank("index", root, "--name", "calls", "--model", tiny_model, "--table", tmp_path / "t.csv")
    assert made.status == 0, made.err
    return root


def test_sorted_by_date_and_one_per_speaker(emorank: Emorank, calls: Path) -> None:
    hits = emorank("search", "calm", "calls", "--sort", "date", "--json").json
    dates = [hit["date"] for hit in hits if hit["date"]]
    assert dates == sorted(dates, reverse=True)
    assert len(dates) == 6
    oldest = emorank("search", "calls", "--sort", "date", "--order", "ascending", "--top", 1, "--json").json
    assert oldest[0]["date"] == "2026-03-04"
    groups = emorank("search", "calm", "calls", "--group", "speaker", "--json").json
    assert [hit["labels"]["speaker"] for hit in groups].count(None) == 1
    assert len(groups) == 4
    best = emorank("search", "calm", "calls", "--best", 2, "--sort", "valence", "--json").json
    fits = emorank("search", "calm", "calls", "--top", 2, "--json").json
    assert {hit["id"] for hit in best} == {hit["id"] for hit in fits}


def test_values_of_one_column_are_alternatives_and_counted(emorank: Emorank, calls: Path) -> None:
    chosen = ["--choice", "speaker=ann", "--choice", "speaker=o'hara <b>"]
    hits = emorank("search", "calls", *chosen, "--json").json
    assert [hit["labels"]["speaker"] for hit in hits] == ["ann", "o'hara <b>"] * 2
    counted = emorank("search", "calls", "--facet", "speaker", "--where", "duration < 1", *chosen, "--json").json
    assert [(each["value"], each["count"]) for each in counted[0]["values"]] == [
        ("ann", 2),
        ("ben", 2),
        ("o'hara <b>", 2),
    ]
    assert emorank("search", "calls", "--facet", "speaker").out.splitlines()[1].startswith("none\t")
    assert {
        hit["labels"]["speaker"] for hit in emorank("search", "calls", "--choice", "speaker=none", "--json").json
    } == {None}
    exported = emorank("export", "calls", *chosen, "--format", "csv").out.splitlines()
    assert len(exported) == 1 + 4


def test_dimensions_are_drawn_by_groups(emorank: Emorank, calls: Path) -> None:
    drawn = emorank("search", "calls", "--histogram", "--group", "speaker")
    header, *lines = [line.split("\t") for line in drawn.out.splitlines()]
    assert header == ["speaker", "moments", "valence 1 to 7", "arousal 1 to 7", "dominance 1 to 7"]
    made = emorank("search", "calls", "--histogram", "--group", "speaker", "--json").json
    assert [each["dimension"] for each in made] == ["valence", "arousal", "dominance"]
    groups = {str(group["value"] or "none"): group["counts"] for group in made[0]["groups"]}
    assert {line[0]: int(line[1]) for line in lines} == {name: sum(counts) for name, counts in groups.items()}
    for line in lines:
        counts = groups[line[0]]
        assert [letter != " " for letter in line[2]] == [sum(counts[at : at + 2]) > 0 for at in range(0, 30, 2)]
        assert "█" in line[2]
    (whole,) = emorank("search", "calls", "--histogram", "--where", "speaker = 'ann'").out.splitlines()[1:]
    assert whole.split("\t")[:2] == ["all", "2"]
    nothing = emorank("search", "calls", "--histogram", "--where", "duration > 999").out.splitlines()[1]
    assert nothing.split("\t") == ["all", "0", *[" " * 15] * 3]


def test_a_region_by_its_edges_and_by_its_corners(emorank: Emorank, calls: Path) -> None:
    box = emorank("search", "calls", "--region", "1,7,1,7", "--top", 99, "--json").json
    lasso = emorank("search", "calls", "--region", "1,1 7,1 7,7 1,7", "--top", 99, "--json").json
    assert {hit["id"] for hit in box} >= {hit["id"] for hit in lasso}
    assert len(lasso) > 5


def test_a_search_is_kept_listed_asked_again_and_forgotten(emorank: Emorank, calls: Path) -> None:
    assert "No search is kept yet" in emorank("search", "calls", "--searches").err
    asked = ["calm", "calls", "--not", "angry", "--region", "1,1 7,1 7,7", "--choice", "speaker=ann", "--sort", "date"]
    found = emorank("search", *asked, "--save", "old ones", "--json")
    assert "--saved 'old ones'" in found.err
    assert emorank("search", "calls", "--saved", "old ones", "--json").json == found.json
    assert emorank("export", "calls", "--saved", "old ones", "--format", "jsonl").out.count("\n") == len(found.json)
    listed = emorank("search", "calls", "--searches").out.splitlines()
    assert listed[1] == "old ones\t“calm”; not “angry”; region 1,1 7,1 7,7; speaker: ann; by date"
    assert emorank("search", "calls", "--searches", "--json").json[0]["texts"][1] == {"text": "angry", "weight": -0.5}
    assert emorank("search", "calls", "--forget", "old ones").status == 0
    assert "There is no search 'old ones' (there are none yet)" in emorank("search", "calls", "--saved", "old ones").err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["calm", "calls", "--sort", "voice"], "nothing called 'voice' to sort by; there are fit, recording, path"),
        (["calm", "calls", "--group", "voice"], "nothing called 'voice' to group by"),
        (["calls", "--facet", "voice"], "nothing called 'voice'"),
        (["calls", "--histogram", "--group", "voice"], "nothing called 'voice'"),
        (["calls", "--histogram", "--facet", "speaker"], "one at a time"),
        (["calm", "calls", "--region", "1,2,3"], "--region 1,2,3 is no region"),
        (["calm", "calls", "--region", "1,1 9,1 3,3"], "9 is not on the plane"),
        (["calls", "--choice", "speaker"], "--choice speaker is none"),
        (["calls", "--choice", "voice=a"], "There is no column 'voice'"),
        (["calls", "--choice", "duration=long"], "duration holds numbers; 'long' is none"),
        (["calm", "calls", "--best", "0"], "--best"),
        (["calm", "calls", "--saved", "x"], "leave the description out"),
        (["calls", "--saved", "x", "--where", "duration > 1"], "only --top goes with it"),
        (["calls", "--searches", "--where", "duration > 1"], "with the name of an index alone"),
        (["calls", "--forget", "x"], "There is no search 'x'"),
        (["calm", "calls", "--save", "../x"], "cannot name a search"),
    ],
)
def test_mistakes_are_one_sentence(emorank: Emorank, calls: Path, arguments: list[str], said: str) -> None:
    run = emorank("search", *arguments)
    assert run.status == 1
    assert said in run.err
    assert "Traceback" not in run.err


def test_a_folder_keeps_no_searches_and_lacks_no_order(
    emorank: Emorank, recordings: Callable[..., Path], tiny_whisper: str, tmp_path: Path
) -> None:
    model = save_model(tmp_path / "two", tiny_whisper, 0, dimensions=("arousal", "valence"))
    root = recordings(3)
    run = emorank("search", "calm", root, "--model", model, "--sort", "arousal", "--order", "ascending", "--json")
    arousal = [hit["arousal"] for hit in run.json]
    assert arousal == sorted(arousal)
    assert len(emorank("search", "calm", root, "--model", model, "--sort", "dominance", "--json").json) == 3
    assert "indexes with a name" in emorank("search", "calm", root, "--model", model, "--save", "x").err
    assert "indexes with a name" in emorank("search", root, "--model", model, "--saved", "x").err
