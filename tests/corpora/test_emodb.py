from pathlib import Path

import pytest

from emorank.affect import point
from emorank.corpora import read_corpus, scan_corpus
from emorank.errors import EmorankError
from tests.corpora.layouts import clip, reasons, rows


def test_names(tmp_path: Path) -> None:
    letters = {"W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness"}
    letters["N"] = "neutral"
    for letter in letters:
        clip(tmp_path / "wav" / f"03a01{letter}a.wav")
    found = rows(scan_corpus("emodb", tmp_path))
    assert {name[5]: row["emotion"] for name, row in found.items()} == letters
    row = found["03a01Wa"]
    assert (row["speaker"], row["gender"], row["language"]) == ("emodb-03", "male", "de")
    assert row["label_source"] == "derived"
    assert row["transcript"].startswith("Der Lappen")
    assert (row["valence"], row["arousal"], row["dominance"]) == point("anger")  # recognition unknown


def test_speakers_and_splits(tmp_path: Path) -> None:
    for name in ["16b10Wb", "15a02Nc", "14a02Nc", "13a02Nc"]:
        clip(tmp_path / "wav" / f"{name}.flac")
    assert read_corpus("emodb", tmp_path).select("speaker", "gender", "split").rows() == [
        ("emodb-13", "female", "train"),
        ("emodb-14", "female", "development"),
        ("emodb-15", "male", "test"),
        ("emodb-16", "female", "test"),
    ]


@pytest.mark.parametrize("where", ["", "wav"])
def test_recognition_in_metadata(tmp_path: Path, where: str) -> None:
    for name in ["03a01Fa", "03a02Fa", "03a04Fa", "03a05Fa"]:
        clip(tmp_path / "wav" / f"{name}.wav")
    (tmp_path / "metadata.csv").write_text(
        "file,recognized_pct\nwav/03a01Fa.flac,50.0\nwav/03a02Fa.flac,\nwav/03a04Fa.flac,nan\nwav/16a01Wa.flac,90\n"
    )
    scan = scan_corpus("emodb", tmp_path / where)
    assert scan.table["recognized"].to_list() == [0.5, None, None, None]
    assert scan.table["valence"][0] == point("happiness", 0.75).valence
    assert scan.table["valence"][1] == point("happiness").valence
    assert "metadata.csv lists it" in reasons(scan)["16a01Wa"]


def test_recognition_in_the_official_file(tmp_path: Path) -> None:
    for name in ["03a01Fa", "03a02Fa", "03a04Fa"]:
        clip(tmp_path / "wav" / f"{name}.wav")
    (tmp_path / "erkennung.txt").write_text(
        "Satz   natürlich  erkannt\n03a01Fa.wav  75,00\xa0 90,00\n03a02Fa.wav 10,0 400\n99a01Fa.wav 1 2\nx\n", "latin-1"
    )
    scan = scan_corpus("emodb", tmp_path)
    assert scan.table["recognized"].to_list() == [0.9, None, None]
    assert scan.left_out == []


def test_metadata_without_recognition_falls_back(tmp_path: Path) -> None:
    clip(tmp_path / "wav" / "03a01Fa.wav")
    (tmp_path / "metadata.csv").write_text("file,speaker\nwav/03a01Fa.wav,03\n")
    (tmp_path / "erkennung.txt").write_text("Satz erkannt\n03a01Fa.wav 80,0\n", "latin-1")
    assert read_corpus("emodb", tmp_path)["recognized"].to_list() == [0.8]


@pytest.mark.parametrize("name", ["unknown", "99a01Fa", "03a99Fa", "03a01Xa"])
def test_names_that_do_not_parse(tmp_path: Path, name: str) -> None:
    clip(tmp_path / "wav" / "03a01Fa.wav")
    clip(tmp_path / "wav" / f"{name}.wav")
    assert "speaker, sentence" in reasons(scan_corpus("emodb", tmp_path))[f"{name}.wav"]


@pytest.mark.parametrize("content", [b"", b"name,pct\n1,2\n", b"\xff\xfe\x00,\n"])
def test_malformed_metadata(tmp_path: Path, content: bytes) -> None:
    clip(tmp_path / "wav" / "03a01Fa.wav")
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(EmorankError, match=r"metadata\.csv: "):
        scan_corpus("emodb", tmp_path)
