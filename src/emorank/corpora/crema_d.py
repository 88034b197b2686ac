"""CREMA-D (Cao et al. 2014): AudioWAV/ with names such as 1001_DFA_ANG_XX, and listeners' votes and levels."""

import csv
import re
from pathlib import Path

from emorank.affect import point
from emorank.corpora.scan import LeftOut, Row, recordings
from emorank.corpora.split import split_of
from emorank.errors import EmorankError

_VOTES = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
_INTENDED = {"ANG": "A", "DIS": "D", "FEA": "F", "HAP": "H", "NEU": "N", "SAD": "S"}
_NAME = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{2})")

#: What the actor was asked for -> level on the listeners' scale of 0..100.
_ASKED = {"LO": 30.0, "MD": 55.0, "HI": 90.0, "XX": 55.0, "X": 55.0}


def utterances(root: Path) -> tuple[list[Row], list[LeftOut]]:
    """All recordings under AudioWAV/ (or AudioMP3/).

    The emotion is what listeners heard in the voice; without processedResults/summaryTable.csv it is the intended one.
    """
    votes, sexes = _votes(root), _sexes(root)
    folder = next((root / name for name in ("AudioWAV", "AudioMP3") if (root / name).is_dir()), root)
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    for path in recordings(folder):
        match = _NAME.fullmatch(path.stem)
        if not match or match[3] not in _INTENDED:
            left_out.append(LeftOut(str(path), "its name is not actor_sentence_emotion_level"))
            continue
        vote, level = votes.get(path.stem, (_INTENDED[match[3]], None))
        if vote not in _VOTES:
            left_out.append(LeftOut(str(path), "its listeners did not agree on one emotion by voice"))
            continue
        rows.append(_row(path, match[1], _VOTES[vote], _ASKED.get(match[4], 55.0) if level is None else level, sexes))
    if not rows:
        raise EmorankError(f"{root}: no CREMA-D there; AudioWAV/1001_DFA_ANG_XX.wav and the like were expected.")
    return rows, left_out


def _row(path: Path, actor: str, emotion: str, level: float, sexes: dict[str, str]) -> Row:
    strength = 0.7 + 0.55 * level / 100
    lift = 0.0 if emotion == "neutral" else min(0.6, max(-0.6, 2.4 * (strength - 1)))
    return {
        "path": str(path),
        **point(emotion, strength, lift)._asdict(),
        "emotion": emotion,
        "level": level,
        "speaker": f"crema-d-{actor}",
        "gender": sexes.get(actor),
        "split": split_of("crema-d", actor),
        "corpus": "crema-d",
        "language": "en",
        "label_source": "derived",
    }


def _votes(root: Path) -> dict[str, tuple[str, float | None]]:
    """Recording -> the emotion that most listeners heard in the voice alone, and its level 0..100."""
    votes: dict[str, tuple[str, float | None]] = {}
    table = root / "processedResults" / "summaryTable.csv"
    if table.is_file():
        with open(table, encoding="utf-8-sig", newline="") as file:
            for line in csv.DictReader(file):
                try:
                    level: float | None = float(line.get("VoiceLevel") or "")
                except ValueError:  # a tie has a level for each of its emotions
                    level = None
                votes[(line.get("FileName") or "").strip()] = ((line.get("VoiceVote") or "").strip(), level)
    return votes


def _sexes(root: Path) -> dict[str, str]:
    table = root / "VideoDemographics.csv"
    if not table.is_file():
        return {}
    with open(table, encoding="utf-8-sig", newline="") as file:
        return {line["ActorID"].strip(): line["Sex"].strip().lower() for line in csv.DictReader(file) if "Sex" in line}
