from pathlib import Path

import pytest

from emorank.affect import point
from emorank.corpora import read_corpus, scan_corpus
from emorank.errors import EmorankError
from tests.corpora.layouts import clip, reasons, rows

HEADER = '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"'
PLACES = ["valence", "arousal", "dominance"]


def corpus(root: Path, votes: dict[str, tuple[str, str]], *more: str) -> Path:
    for name in [*votes, *more]:
        clip(root / "AudioWAV" / f"{name}.wav")
    lines = [f'"{i}","{n}","{v}","{level}","H","1","H","1"' for i, (n, (v, level)) in enumerate(votes.items(), 1)]
    table = root / "processedResults" / "summaryTable.csv"
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text("\n".join([HEADER, *lines]))
    return root


def test_the_vote_by_voice_decides(tmp_path: Path) -> None:
    corpus(tmp_path, {"1001_DFA_ANG_HI": ("S", "80")})
    (tmp_path / "VideoDemographics.csv").write_text(
        '"ActorID","Age","Sex","Race"\n1001,51,"Male","x"\n1002,2,"?","x"\n'
    )
    row = scan_corpus("crema-d", tmp_path).table.row(0, named=True)
    strength = 0.7 + 0.55 * 0.8
    assert row["emotion"] == "sadness"
    assert (row["intensity"], row["level"]) == ("high", 80.0)
    assert [row[d] for d in PLACES] == list(point("sadness", strength, 0.6 * (strength - 1) / 0.25))
    assert (row["speaker"], row["gender"], row["split"]) == ("crema-d-1001", "male", "train")
    assert (row["label_source"], row["language"]) == ("derived", "en")
    assert row["transcript"] == "Don't forget a jacket"


@pytest.mark.parametrize(
    ("asked", "strength", "lift"), [("LO", 0.7, -0.6), ("MD", 1.0, 0.0), ("HI", 1.25, 0.6), ("XX", 1.0, 0.0)]
)
@pytest.mark.parametrize("table", [True, False])
def test_without_a_level_the_name_decides(
    tmp_path: Path, asked: str, strength: float, lift: float, table: bool
) -> None:
    name = f"1001_IEO_FEA_{asked}"
    if table:
        corpus(tmp_path, {name: ("F", "NA")})
    else:
        clip(tmp_path / "AudioWAV" / f"{name}.wav")
    row = read_corpus("crema-d", tmp_path).row(0, named=True)
    assert row["emotion"] == "fear"
    assert [row[d] for d in PLACES] == list(point("fear", strength, lift))


@pytest.mark.parametrize(("level", "lift"), [("0", -0.6), ("100", 0.6)])
def test_lift_is_limited(tmp_path: Path, level: str, lift: float) -> None:
    corpus(tmp_path, {"1001_IEO_ANG_XX": ("A", level)})
    strength = 0.7 if level == "0" else 1.25
    assert read_corpus("crema-d", tmp_path)["arousal"][0] == point("anger", strength, lift).arousal


def test_neutral_is_a_point(tmp_path: Path) -> None:
    corpus(tmp_path, {"1001_IEO_NEU_XX": ("N", "95")})
    assert read_corpus("crema-d", tmp_path).select(PLACES).row(0) == (4.0, 4.0, 4.0)


def test_a_tie_lies_between(tmp_path: Path) -> None:
    corpus(tmp_path, {"1001_IEO_ANG_MD": ("A:N", "50:60"), "1001_IEO_ANG_HI": ("A:D:N", "39.00:89.00")})
    found = rows(scan_corpus("crema-d", tmp_path))
    tie, odd = found["1001_IEO_ANG_MD"], found["1001_IEO_ANG_HI"]
    strength = 0.7 + 0.55 * 0.5
    assert tie["emotion"] == odd["emotion"] == "no agreement"
    assert tie["level"] is None
    assert tie["valence"] == pytest.approx((point("anger", strength).valence + 4) / 2, abs=1e-3)
    third = (point("anger", 1.25).valence + point("disgust", 1.25).valence + 4) / 3  # levels that do not match the vote
    assert odd["valence"] == pytest.approx(third, abs=1e-3)


def test_splits(tmp_path: Path) -> None:
    for actor in (1001, 1063, 1064, 1077, 1078, 1091):
        clip(tmp_path / "AudioMP3" / f"{actor}_IEO_ANG_XX.mp3")
    splits = read_corpus("crema-d", tmp_path)["split"].to_list()
    assert splits == ["train", "train", "development", "development", "test", "test"]


def test_only_the_folder_of_recordings_named(tmp_path: Path) -> None:
    corpus(tmp_path, {"1001_IEO_ANG_XX": ("D", "55")})
    assert read_corpus("crema-d", tmp_path / "AudioWAV")["emotion"].to_list() == ["disgust"]


def test_the_recording_with_the_short_name(tmp_path: Path) -> None:
    corpus(tmp_path, {"1040_ITH_SAD_XX": ("S", "50")})
    audio = tmp_path / "AudioWAV"
    (audio / "1040_ITH_SAD_XX.wav").rename(audio / "1040_ITH_SAD_X.wav")
    scan = scan_corpus("crema-d", tmp_path)
    assert (len(scan.table), scan.left_out) == (1, [])


def test_what_is_left_out(tmp_path: Path) -> None:
    votes = {"1001_IEO_ANG_XX": ("A", "5"), "1002_IEO_ANG_XX": ("Q", "5"), "1003_IEO_ANG_XX": ("", "")}
    names = ["oops", "1001_XXX_ANG_XX", "1001_IEO_ANX_XX", "1001_IEO_ANG_YY", "1092_IEO_ANG_XX", "1004_IEO_ANG_XX"]
    corpus(tmp_path, votes | {"1005_IEO_ANG_XX": ("A", "5")}, *names)
    (tmp_path / "AudioWAV" / "1005_IEO_ANG_XX.wav").unlink()
    scan = scan_corpus("crema-d", tmp_path)
    assert len(scan.table) == 1
    found = reasons(scan)
    assert all("actor_sentence_emotion_level" in found[f"{name}.wav"] for name in names[:5])
    assert "does not list it" in found["1004_IEO_ANG_XX.wav"]
    assert "no such recording" in found["1005_IEO_ANG_XX"]
    assert "vote by voice" in found["1002_IEO_ANG_XX.wav"]
    assert "vote by voice" in found["1003_IEO_ANG_XX.wav"]


def test_malformed_votes(tmp_path: Path) -> None:
    corpus(tmp_path, {"1001_IEO_ANG_XX": ("A", "5")})
    (tmp_path / "processedResults" / "summaryTable.csv").write_text("FileName,Vote\n")
    with pytest.raises(EmorankError, match="column VoiceVote, VoiceLevel is missing"):
        scan_corpus("crema-d", tmp_path)
