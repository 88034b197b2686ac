"""What all readers have in common, and the real corpora."""

from pathlib import Path

import pytest

from emorank import read_corpus
from emorank.corpora import CORPORA, scan_corpus
from emorank.errors import EmorankError

FOLDERS = [name for name in CORPORA if name != "table"]


def test_the_names() -> None:
    assert CORPORA == ("ravdess", "emodb", "nemo", "msp-podcast", "crema-d", "table")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_wrong_folder_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(EmorankError, match=r"there; .* expected\.$"):
        scan_corpus(name, tmp_path)


@pytest.mark.parametrize("name", CORPORA)
def test_a_missing_root_says_what_was_expected(tmp_path: Path, name: str) -> None:
    with pytest.raises(EmorankError, match=r"no such file or folder; .* expected\.$"):
        scan_corpus(name, tmp_path / "none")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_file_is_no_corpus(tmp_path: Path, name: str) -> None:
    (tmp_path / "archive.zip").write_bytes(b"PK")
    with pytest.raises(EmorankError, match=r"there; .* expected\.$"):
        scan_corpus(name, tmp_path / "archive.zip")


def test_an_unknown_corpus_lists_the_known_ones() -> None:
    with pytest.raises(EmorankError, match=r"no reader for corpus 'iemocap'; there are: ravdess"):
        read_corpus("iemocap", ".")


@pytest.mark.slow
@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "utterances", "speakers", "development", "test", "hours"),
    [
        ("ravdess", 1440, 24, 240, 240, 1.48),
        ("emodb", 535, 10, 69, 127, 0.37),
        ("nemo", 4481, 9, 540, 1079, 3.07),
    ],
)
def test_the_real_ones(
    corpora: Path, name: str, utterances: int, speakers: int, development: int, test: int, hours: float
) -> None:
    scan = scan_corpus(name, corpora / name)
    table = scan.table
    assert (len(table), table["speaker"].n_unique(), scan.left_out) == (utterances, speakers, [])
    assert (len(table.filter(split="development")), len(table.filter(split="test"))) == (development, test)
    assert table.select("speaker", "split").n_unique() == speakers
    assert table["duration"].sum() / 3600 == pytest.approx(hours, abs=0.01)
    assert set(table["label_source"]) == {"derived"}
    assert table.select("valence", "arousal", "dominance", "gender", "transcript").null_count().sum_horizontal()[0] == 0
