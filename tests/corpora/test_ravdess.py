from pathlib import Path

import pytest

from emorank.affect import point
from emorank.corpora import scan_corpus
from emorank.corpora.ravdess import NORMAL, STRONG
from emorank.errors import EmorankError
from tests.corpora.layouts import clip, reasons, rows


def folder(root: Path, *names: str) -> Path:
    for name in names:
        clip(root / f"Actor_{Path(name).stem[-2:]}" / name)
    return root


def test_official_folder_and_its_parent(tmp_path: Path) -> None:
    official = folder(tmp_path / "Audio_Speech_Actors_01-24", "03-01-05-02-02-01-02.wav")
    row = scan_corpus("ravdess", official).table.row(0, named=True)
    assert row["path"] == str(official / "Actor_02" / "03-01-05-02-02-01-02.wav")
    assert row["emotion"] == "anger"
    assert row["intensity"] == "strong"
    assert row["speaker"] == "ravdess-02"
    assert row["gender"] == "female"
    assert row["split"] == "train"
    assert (row["corpus"], row["language"], row["label_source"]) == ("ravdess", "en", "derived")
    assert row["transcript"] == "Dogs are sitting by the door"
    assert row["caption"] is None
    assert row["duration"] == pytest.approx(0.05)
    assert scan_corpus("ravdess", tmp_path).table.equals(scan_corpus("ravdess", official).table)


def test_any_suffix(tmp_path: Path) -> None:
    names = ["03-01-05-01-01-01-01.wav", "03-01-05-01-01-02-01.flac", "03-01-05-01-02-01-01.opus"]
    assert len(scan_corpus("ravdess", folder(tmp_path, *names)).table) == 3


@pytest.mark.parametrize(
    ("code", "emotion"),
    [
        ("03", "happiness"),
        ("04", "sadness"),
        ("05", "anger"),
        ("06", "fear"),
        ("07", "disgust"),
        ("08", "surprise"),
    ],
)
def test_stronger_acting_is_further_out_and_more_activated(tmp_path: Path, code: str, emotion: str) -> None:
    folder(tmp_path, f"03-01-{code}-01-01-01-01.wav", f"03-01-{code}-02-01-01-01.wav")
    table = scan_corpus("ravdess", tmp_path).table.select("valence", "arousal", "dominance").rows()
    assert table == [tuple(point(emotion, *NORMAL)), tuple(point(emotion, *STRONG))]
    assert table[1][1] > table[0][1]


def test_neutral_is_a_point_and_calm_is_not_lifted(tmp_path: Path) -> None:
    folder(tmp_path, *(f"03-01-{code}-0{i}-01-01-01.wav" for code in ("01", "02") for i in (1, 2)))
    found = rows(scan_corpus("ravdess", tmp_path))
    for name in ("03-01-01-01-01-01-01", "03-01-01-02-01-01-01"):
        assert [found[name][d] for d in ("valence", "arousal", "dominance")] == [4.0, 4.0, 4.0]
    assert found["03-01-02-02-01-01-01"]["arousal"] < found["03-01-02-01-01-01-01"]["arousal"] < 4


def test_what_is_left_out(tmp_path: Path) -> None:
    folder(tmp_path, "03-01-05-01-01-01-01.wav")
    wrong = {
        "03-02-05-01-01-01-01.wav": "song",
        "01-01-05-01-01-01-01.wav": "same sound",
        "02-01-05-01-01-01-01.wav": "without sound",
        "03-01-09-01-01-01-01.wav": "its name",
        "03-01-05-03-01-01-01.wav": "its name",
        "03-01-05-01-01-01-25.wav": "its name",
        "03-01-05-01-01-01-xx.wav": "its name",
        "notes.wav": "its name",
    }
    folder(tmp_path, *wrong)
    clip(tmp_path / "copy" / "again" / "03-01-05-01-01-01-01.wav")
    (tmp_path / "Actor_01" / "03-01-03-01-01-01-01.wav").write_bytes(b"broken")
    (tmp_path / "Actor_01" / "._03-01-05-01-01-02-01.wav").write_bytes(b"of a Mac")
    (tmp_path / "README.txt").write_text("not a recording")
    scan = scan_corpus("ravdess", tmp_path)
    assert len(scan.table) == 1
    found = reasons(scan)
    assert set(found) == {*wrong, "03-01-05-01-01-01-01.wav", "03-01-03-01-01-01-01.wav"}
    for name, reason in wrong.items():
        assert reason in found[name]
    assert "another copy" in found["03-01-05-01-01-01-01.wav"]
    assert "not audio" in found["03-01-03-01-01-01-01.wav"]


def test_only_songs_is_an_error_that_says_so(tmp_path: Path) -> None:
    folder(tmp_path, "03-02-05-01-01-01-01.wav")
    with pytest.raises(EmorankError, match=r"no RAVDESS speech there; .* All 1 .* song, not speech"):
        scan_corpus("ravdess", tmp_path)
