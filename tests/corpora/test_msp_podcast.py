from pathlib import Path

import pytest

from emorank.corpora import scan_corpus
from emorank.errors import EmorankError
from tests.corpora.layouts import clip, reasons, rows

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"


def corpus(
    root: Path,
    lines: list[str],
    labels: str = "Labels/labels_consensus.csv",
    audios: str = "Audios",
    suffix: str = "wav",
) -> Path:
    for name in {line.split(",")[0] for line in lines}:
        if not name.startswith("gone"):
            clip(root / audios / f"{Path(name).stem}.{suffix}")
    (root / labels).parent.mkdir(parents=True, exist_ok=True)
    (root / labels).write_text("\n".join([HEADER, *lines]))
    return root


@pytest.mark.parametrize("labels", ["Labels", "Labels/Labels", "."])
@pytest.mark.parametrize("audios", ["Audios", "Audios/Audios", "Audio"])
def test_every_nesting(tmp_path: Path, labels: str, audios: str) -> None:
    root = corpus(tmp_path, ["a.wav,A,5.2,2.4,5.8,127,Male,Train"], f"{labels}/labels_consensus.csv", audios)
    scan = scan_corpus("msp-podcast", root)
    columns = ["emotion", "valence", "arousal", "dominance", "speaker", "gender", "split", "label_source", "language"]
    expected = ("anger", 2.4, 5.2, 5.8, "msp-podcast-127", "male", "train", "rated", "en")
    assert scan.table.select(columns).rows() == [expected]
    assert scan.left_out == []


def test_linked_audios_and_another_suffix(tmp_path: Path) -> None:
    corpus(tmp_path / "disk", ["a.wav,A,5,2,5,1,Male,Train"], suffix="flac")
    (tmp_path / "mine").mkdir()
    for name in ("Labels", "Audios"):
        (tmp_path / "mine" / name).symlink_to(tmp_path / "disk" / name)
    (tmp_path / "disk" / "Audios" / "loop").symlink_to(tmp_path / "disk" / "Audios")
    table = scan_corpus("msp-podcast", tmp_path / "mine").table
    assert table["path"].to_list() == [str(tmp_path / "mine" / "Audios" / "a.flac")]


def test_old_releases(tmp_path: Path) -> None:
    root = corpus(tmp_path, ["a.wav,A,5,2,5,1,Male,Validation"], "Labels/labels_concensus.csv")
    assert scan_corpus("msp-podcast", root).table["split"].to_list() == ["development"]


def test_classes(tmp_path: Path) -> None:
    names = {"A": "anger", "S": "sadness", "H": "happiness", "U": "surprise", "F": "fear", "D": "disgust"}
    names |= {"C": "contempt", "N": "neutral", "O": "other", "X": "no agreement", "": None, "Z": None}
    root = corpus(tmp_path, [f"c{letter}.wav,{letter},4,4,4,1,Male,Train" for letter in names])
    assert {name[1:]: row["emotion"] for name, row in rows(scan_corpus("msp-podcast", root)).items()} == names


def test_splits_speakers_and_missing_labels(tmp_path: Path) -> None:
    lines = [
        "a.wav,N,4,4,4,Unknown,Unknown,Development",
        "b.wav,N,4,4,4,8.0,Female,Test1",
        "c.wav,N,4,4,4,8,Female,Test2",
        "d.wav,,,,,9,Female,Test3",
        "e.wav,N,nan,NaN,,9,Female,",
        "f.wav,N,,3,,9,Female,Train",
    ]
    scan = scan_corpus("msp-podcast", corpus(tmp_path, lines))
    assert scan.table.select("speaker", "gender", "split", "valence", "label_source").rows() == [
        (None, None, "development", 4.0, "rated"),
        ("msp-podcast-8", "female", "test", 4.0, "rated"),
        ("msp-podcast-8", "female", "test2", 4.0, "rated"),
        ("msp-podcast-9", "female", "test3", None, None),
        ("msp-podcast-9", "female", None, None, None),
        ("msp-podcast-9", "female", "train", 3.0, "rated"),
    ]


def test_what_is_left_out(tmp_path: Path) -> None:
    lines = [
        "a.wav,N,4,4,4,9,Male,Train",
        "a.wav,N,5,5,5,9,Male,Train",
        "high.wav,N,9.0,4,4,9,Male,Train",
        "word.wav,N,high,4,4,9,Male,Train",
        "split.wav,N,4,4,4,9,Male,Test9",
        "gone.wav,N,4,4,4,9,Male,Train",
    ]
    clip(tmp_path / "Audios" / "more.wav")
    scan = scan_corpus("msp-podcast", corpus(tmp_path, lines))
    assert scan.table["valence"].to_list() == [4.0]
    found = reasons(scan)
    assert "twice" in found["a.wav"]
    assert "outside 1..7" in found["high.wav"]
    assert "not a number" in found["word.wav"]
    assert "'Test9'" in found["split.wav"]
    assert "not in Audios/" in found["gone.wav"]
    assert "does not list it" in found["more.wav"]


def test_malformed_labels(tmp_path: Path) -> None:
    corpus(tmp_path, ["a.wav,N,4,4,4,9,Male,Train"])
    (tmp_path / "Labels" / "labels_consensus.csv").write_text("FileName,EmoClass\na.wav,N\n")
    with pytest.raises(EmorankError, match="column EmoVal, EmoAct, EmoDom, SpkrID, Split_Set is missing"):
        scan_corpus("msp-podcast", tmp_path)


def test_labels_without_recordings_say_so(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"no MSP-Podcast there; .* gone\.wav: .* not in Audios/"):
        scan_corpus("msp-podcast", corpus(tmp_path, ["gone.wav,N,4,4,4,9,Male,Train"]))
