from pathlib import Path

import pytest

from emorank.corpora import scan_corpus
from emorank.errors import EmorankError
from tests.corpora.layouts import clip, reasons

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"


def corpus(root: Path, recordings: list[str], lines: list[str]) -> Path:
    for name in recordings:
        clip(root / "samples" / name)
    (root / "data.tsv").write_text(HEADER + "\n".join(lines), "utf8")
    return root


def line(name: str, emotion: str = "anger", speaker: str = "WR0", gender: str = "male", text: str = "x") -> str:
    return f"{name}\t{emotion}\t{text}\tx\t        {speaker}\t{gender}\t23"


def test_rows(tmp_path: Path) -> None:
    lines = [
        line("WR0_surprised_1.wav", "surprised", text='"Coś" ż.'),
        line("EB0_anger_2.wav", speaker="EB0", gender="female"),
        line("KD0_neutral_3.wav", "neutral", "KD0", "female"),
        line("IC0_fear_4.wav", "fear", "IC0", ""),
    ]
    names = ["WR0_surprised_1.opus", "EB0_anger_2.wav", "KD0_neutral_3.flac", "IC0_fear_4.wav"]
    table = scan_corpus("nemo", corpus(tmp_path, names, lines)).table
    assert table.select("emotion", "speaker", "split", "gender").rows() == [
        ("anger", "nemo-EB0", "test", "female"),
        ("fear", "nemo-IC0", "test", None),
        ("neutral", "nemo-KD0", "development", "female"),
        ("surprise", "nemo-WR0", "train", "male"),
    ]
    assert table["transcript"][3] == '"Coś" ż.'
    assert set(table["language"]) == {"pl"}
    assert set(table["label_source"]) == {"derived"}


def test_what_is_left_out(tmp_path: Path) -> None:
    lines = [
        line("a.wav"),
        line("a.wav", "fear"),
        line("odd.wav", "odd"),
        line("gone.wav"),
        line("who.wav", speaker=""),
    ]
    scan = scan_corpus("nemo", corpus(tmp_path, ["a.wav", "odd.wav", "who.wav", "more.wav"], lines))
    assert scan.table["emotion"].to_list() == ["anger"]
    found = reasons(scan)
    assert "twice" in found["a.wav"]
    assert "'odd'" in found["odd.wav"]
    assert "not in samples/" in found["gone.wav"]
    assert "speaker is unknown" in found["who.wav"]
    assert "does not list it" in found["more.wav"]


def test_malformed_metadata(tmp_path: Path) -> None:
    clip(tmp_path / "samples" / "a.wav")
    (tmp_path / "data.tsv").write_text("file_id,emotion,speaker_id\n")
    with pytest.raises(EmorankError, match=r"data\.tsv: the column file_id, emotion, speaker_id is missing"):
        scan_corpus("nemo", tmp_path)
    (tmp_path / "data.tsv").write_text(HEADER + "a.wav\tanger")  # a line that ends early
    with pytest.raises(EmorankError, match="its speaker is unknown"):
        scan_corpus("nemo", tmp_path)
