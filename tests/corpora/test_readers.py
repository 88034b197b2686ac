"""Every reader on its official layout, and on what goes wrong with it."""

from pathlib import Path

import pytest
import soundfile
from tests.conftest import voice

from emorank import read_corpus
from emorank.affect import point
from emorank.corpora import CORPORA, CorpusScan, scan_corpus
from emorank.errors import EmorankError

CLIP = voice(0.05)


def clip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, CLIP, 16_000)
    return path


def reasons(scan: CorpusScan) -> dict[str, str]:
    return {Path(left.path).name: left.reason for left in scan.left_out}


def test_ravdess(tmp_path: Path) -> None:
    folder = tmp_path / "Audio_Speech_Actors_01-24"
    names = [
        "03-01-05-01-01-01-01.wav",
        "03-01-05-02-02-01-02.flac",
        "03-01-02-02-01-01-17.ogg",
        "03-01-01-01-01-01-21.wav",
    ]
    for name in [*names, "03-02-05-01-01-01-01.wav", "01-01-05-01-01-01-01.wav", "03-01-09-01-01-01-01.wav", "x.wav"]:
        clip(folder / f"Actor_{name[18:20]}" / name)
    (folder / "Actor_01" / "03-01-03-01-01-01-01.wav").write_bytes(b"broken")
    scan = scan_corpus("ravdess", tmp_path)
    table = {Path(row["path"]).name: row for row in scan.table.iter_rows(named=True)}
    assert set(table) == set(names)
    angry, furious = table[names[0]], table[names[1]]
    assert (angry["emotion"], angry["speaker"], angry["gender"], angry["split"]) == (
        "anger",
        "ravdess-01",
        "male",
        "train",
    )
    assert furious["gender"] == "female"
    assert furious["arousal"] > angry["arousal"] > 4 > angry["valence"] > furious["valence"]
    assert table[names[2]]["split"] == "development"
    assert table[names[3]]["split"] == "test"
    assert (table[names[3]]["valence"], table[names[3]]["arousal"]) == (4.0, 4.0)
    assert set(scan.table["label_source"]) == {"derived"}
    found = reasons(scan)
    assert "song" in found["03-02-05-01-01-01-01.wav"]
    assert "video" in found["01-01-05-01-01-01-01.wav"]
    assert "modality" in found["x.wav"]
    assert "not audio" in found["03-01-03-01-01-01-01.wav"]
    assert "left out 1: it is song" in scan.summary()


def test_emodb(tmp_path: Path) -> None:
    for name in ["03a01Fa", "16b10Wb", "14a02Nc", "unknown"]:
        clip(tmp_path / "wav" / f"{name}.wav")
    (tmp_path / "metadata.csv").write_text("file,recognized_pct\nwav/03a01Fa.wav,50.0\nwav/16b10Wb.wav,\n")
    scan = scan_corpus("emodb", tmp_path)
    happy, angry, neutral = (scan.table.filter(speaker=f"emodb-{s}").row(0, named=True) for s in ("03", "16", "14"))
    assert happy["valence"] == pytest.approx(4 + 0.75 * (point("happiness").valence - 4), abs=1e-3)
    assert angry["valence"] == point("anger").valence
    assert (happy["split"], neutral["split"], angry["split"]) == ("train", "development", "test")
    assert (happy["gender"], angry["gender"]) == ("male", "female")
    assert "speaker, sentence" in reasons(scan)["unknown.wav"]


def test_emodb_recognition_in_its_official_file(tmp_path: Path) -> None:
    clip(tmp_path / "wav" / "03a01Fa.wav")
    (tmp_path / "erkennung.txt").write_text("Satz   erkannt\n03a01Fa.wav  90,00  75,00\n", "latin-1")
    assert read_corpus("emodb", tmp_path)["recognized"].to_list() == [0.9]


def test_nemo(tmp_path: Path) -> None:
    header = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage\n"
    lines = [
        'WR0_surprised_1.wav\tsurprised\tTo "coś".\tto coś\t        WR0\tmale\t23',
        "EB0_anger_2.wav\tanger\tx\tx\tEB0\tfemale\t27",
    ]
    lines += ["EB0_odd_3.wav\todd\tx\tx\tEB0\tfemale\t27", "EB0_gone_4.wav\tanger\tx\tx\tEB0\tfemale\t27"]
    for name in ["WR0_surprised_1.opus", "EB0_anger_2.wav", "EB0_odd_3.wav", "EB0_more_5.wav"]:
        path = tmp_path / "samples" / name
        path.parent.mkdir(exist_ok=True)
        options = {"format": "OGG", "subtype": "OPUS"} if name.endswith("opus") else {}
        soundfile.write(path, CLIP, 16_000, **options)
    (tmp_path / "data.tsv").write_text(header + "\n".join(lines), "utf8")
    scan = scan_corpus("nemo", tmp_path)
    assert scan.table.select("emotion", "speaker", "split", "gender").rows() == [
        ("anger", "nemo-EB0", "test", "female"),
        ("surprise", "nemo-WR0", "train", "male"),
    ]
    assert set(reasons(scan)) == {"EB0_odd_3.wav", "EB0_gone_4.wav", "EB0_more_5.wav"}


@pytest.mark.parametrize("labels", ["Labels", "Labels/Labels"])
@pytest.mark.parametrize("audios", ["Audios", "Audios/Audios", "Audio"])
def test_msp_podcast(tmp_path: Path, labels: str, audios: str) -> None:
    for i in range(1, 7):
        clip(tmp_path / audios / f"MSP-PODCAST_000{i}.wav")
    rows = [
        "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set",
        "MSP-PODCAST_0001.wav,A,5.2,2.4,5.8,127,Male,Train",
        "MSP-PODCAST_0002.wav,X,4.0,4.0,4.0,Unknown,Unknown,Development",
        "MSP-PODCAST_0003.wav,H,5,6,5,8,Female,Test1",
        "MSP-PODCAST_0004.wav,,,,,9,Female,Test3",
        "MSP-PODCAST_0005.wav,N,9.0,4,4,9,Female,Train",
        "MSP-PODCAST_0009.wav,N,4,4,4,9,Female,Train",
    ]
    (tmp_path / labels).mkdir(parents=True)
    (tmp_path / labels / "labels_consensus.csv").write_text("\n".join(rows))
    scan = scan_corpus("msp-podcast", tmp_path)
    columns = ["emotion", "valence", "arousal", "dominance", "speaker", "gender", "split", "label_source"]
    assert scan.table.select(columns).rows() == [
        ("anger", 2.4, 5.2, 5.8, "msp-podcast-127", "male", "train", "rated"),
        ("no agreement", 4.0, 4.0, 4.0, None, None, "development", "rated"),
        ("happiness", 6.0, 5.0, 5.0, "msp-podcast-8", "female", "test", "rated"),
        (None, None, None, None, "msp-podcast-9", "female", "test3", None),
    ]
    found = reasons(scan)
    assert "outside 1..7" in found["MSP-PODCAST_0005.wav"]
    assert "not in Audios/" in found["MSP-PODCAST_0009.wav"]
    assert "does not list it" in found["MSP-PODCAST_0006.wav"]


def test_crema_d(tmp_path: Path) -> None:
    for name in ["1001_DFA_ANG_HI", "1002_DFA_SAD_LO", "1090_IEO_HAP_XX", "1003_DFA_NEU_XX", "oops"]:
        clip(tmp_path / "AudioWAV" / f"{name}.wav")
    (tmp_path / "processedResults").mkdir()
    (tmp_path / "processedResults" / "summaryTable.csv").write_text(
        '"","FileName","VoiceVote","VoiceLevel","FaceVote","FaceLevel","MultiModalVote","MultiModalLevel"\n'
        '"1","1001_DFA_ANG_HI","A","80.5","A","60","A","70"\n"2","1003_DFA_NEU_XX","A:N","50:60","N","60","N","70"\n'
    )
    (tmp_path / "VideoDemographics.csv").write_text("ActorID,Age,Sex,Race,Ethnicity\n1001,51,Male,Caucasian,x\n")
    scan = scan_corpus("crema-d", tmp_path)
    assert scan.table.select("emotion", "speaker", "gender", "split", "level").rows() == [
        ("anger", "crema-d-1001", "male", "train", 80.5),
        ("sadness", "crema-d-1002", None, "train", 30.0),
        ("happiness", "crema-d-1090", None, "test", 55.0),
    ]
    assert "did not agree" in reasons(scan)["1003_DFA_NEU_XX.wav"]
    weak, strong = read_corpus("crema-d", tmp_path)["arousal"][1], read_corpus("crema-d", tmp_path)["arousal"][0]
    assert strong > weak


@pytest.mark.parametrize("name", [name for name in CORPORA if name != "table"])
def test_a_wrong_folder_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(EmorankError, match=r"there; .* expected\."):
        scan_corpus(name, tmp_path)
    with pytest.raises(EmorankError, match="no such file or folder"):
        scan_corpus(name, tmp_path / "none")


def test_an_unknown_corpus_lists_the_known_ones() -> None:
    with pytest.raises(EmorankError, match=r"no reader for corpus 'iemocap'; there are: ravdess"):
        read_corpus("iemocap", ".")


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "utterances", "speakers", "test"),
    [("ravdess", 1440, 24, 240), ("emodb", 535, 10, 127), ("nemo", 4481, 9, 1079)],
)
def test_the_real_ones(corpora: Path, name: str, utterances: int, speakers: int, test: int) -> None:
    scan = scan_corpus(name, corpora / name)
    assert (len(scan.table), scan.table["speaker"].n_unique(), len(scan.left_out)) == (utterances, speakers, 0)
    assert len(scan.table.filter(split="test")) == test
    by_speaker = scan.table.group_by("speaker").agg(split_count="split").select("split_count")
    assert all(len(set(splits)) == 1 for (splits,) in by_speaker.rows())
