"""CREMA-D (Cao et al. 2014): AudioWAV/ with names such as 1001_DFA_ANG_XX, and listeners' votes and levels."""

import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from emorank.affect import Affect, point
from emorank.corpora.agreement import NO_AGREEMENT
from emorank.corpora.folder import files, metadata, recordings, stem
from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import Row, table_of
from emorank.corpora.split import split_of

_EMOTIONS = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
_INTENDED = {"ANG": "A", "DIS": "D", "FEA": "F", "HAP": "H", "NEU": "N", "SAD": "S"}
_INTENSITIES = {"LO": "low", "MD": "medium", "HI": "high", "XX": None}
_SENTENCES = {
    "IEO": "It's eleven o'clock",
    "TIE": "That is exactly what happened",
    "IOM": "I'm on my way to the meeting",
    "IWW": "I wonder what this is about",
    "TAI": "The airplane is almost full",
    "MTI": "Maybe tomorrow it will be cold",
    "IWL": "I would like a new alarm clock",
    "ITH": "I think I have a doctor's appointment",
    "DFA": "Don't forget a jacket",
    "ITS": "I think I've seen this before",
    "TSI": "The surface is slick",
    "WSI": "We'll stop in a couple of minutes",
}
_NAME = re.compile(r"(10\d\d)_([A-Z]{3})_([A-Z]{3})_([A-Z]{2})")
_ACTORS = range(1001, 1092)

#: Strength of `emorank.affect.point` by what the actor was asked for, where listeners gave no level.
_ASKED = {"LO": 0.7, "MD": 1.0, "HI": 1.25, "XX": 1.0}
_MOST_LIFT = 0.6  # of arousal on 1..7, at strength 1.25; as for strong acting in RAVDESS


class Vote(NamedTuple):
    """What the most listeners heard: a letter of `_EMOTIONS`, and how strongly, 0..100, None if unknown."""

    letter: str
    level: float | None


def _utterances(root: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """The recordings of AudioWAV/ (or AudioMP3/), with the emotion that listeners heard in the voice alone.

    Without processedResults/summaryTable.csv the emotion is the one that the actor was asked for.
    """
    votes, sexes = _votes(root), _sexes(root)
    folder = next((root / name for name in ("AudioWAV", "AudioMP3") if (root / name).is_dir()), root)
    found, left_out = recordings(files(folder))
    named = {_full(name): path for name, path in found.items()}
    rows: list[Row] = []
    for name, path in named.items():
        match = _NAME.fullmatch(name)
        heard = votes.get(name, []) if votes is not None else _intended(match)
        reason = _fault(match, heard)
        if match and reason is None:
            rows.append(_row(path, match, heard, sexes))
        else:
            left_out.append(LeftOut(str(path), str(reason)))
    reason = "summaryTable.csv lists it, but there is no such recording"
    left_out += [LeftOut(name, reason) for name in votes or () if name not in named]
    return table_of(rows), left_out


def _full(name: str) -> str:
    """One published recording, 1040_ITH_SAD_X, has lost a letter of its level."""
    return f"{name}X" if name.endswith("_X") else name


def _intended(match: re.Match[str] | None) -> list[Vote]:
    return [Vote(_INTENDED.get(match[3], ""), None)] if match else []


def _fault(match: re.Match[str] | None, heard: list[Vote]) -> str | None:
    """Why a recording is left out; None if it is not."""
    if (
        not match
        or int(match[1]) not in _ACTORS
        or match[2] not in _SENTENCES
        or match[3] not in _INTENDED
        or match[4] not in _INTENSITIES
    ):
        return "its name is not actor_sentence_emotion_level"
    if not heard:
        return "summaryTable.csv does not list it"
    if any(vote.letter not in _EMOTIONS for vote in heard):
        return "its vote by voice in summaryTable.csv is none of A, D, F, H, N, S"
    return None


def _row(path: Path, match: re.Match[str], votes: list[Vote], sexes: dict[str, str]) -> Row:
    actor, sentence, _, asked = match.groups()
    return {
        "path": str(path),
        **_mean([_point(vote, asked) for vote in votes])._asdict(),
        "emotion": _EMOTIONS[votes[0].letter] if len(votes) == 1 else NO_AGREEMENT,
        "intensity": _INTENSITIES[asked],
        "level": votes[0].level if len(votes) == 1 else None,
        "speaker": f"crema-d-{actor}",
        "gender": sexes.get(actor),
        "split": split_of("crema-d", actor),
        "corpus": "crema-d",
        "language": "en",
        "label_source": "derived",
        "transcript": _SENTENCES[sentence],
    }


def _point(vote: Vote, asked: str) -> Affect:
    strength = _ASKED[asked] if vote.level is None else 0.7 + 0.55 * vote.level / 100
    lift = min(_MOST_LIFT, max(-_MOST_LIFT, _MOST_LIFT * (strength - 1) / 0.25))
    return point(_EMOTIONS[vote.letter], strength, 0.0 if vote.letter == "N" else lift)


def _mean(points: list[Affect]) -> Affect:
    """Where listeners were divided evenly, the clip lies between what they heard."""
    return Affect(*(round(sum(values) / len(values), 3) for values in zip(*points, strict=True)))


def _votes(root: Path) -> dict[str, list[Vote]] | None:
    """Recording -> its vote by voice, several if tied ("A:N" with levels "37.2:58.6"); None if there is no table."""
    table = _beside(root, "processedResults/summaryTable.csv")
    if table is None:
        return None
    return {
        _full(stem(line["FileName"])): _parsed(line["VoiceVote"], line["VoiceLevel"])
        for line in metadata(table, ["FileName", "VoiceVote", "VoiceLevel"])
    }


def _parsed(vote: str, level: str) -> list[Vote]:
    letters, levels = vote.upper().split(":"), level.split(":")
    if len(levels) != len(letters):
        levels = [""] * len(letters)
    return [Vote(letter.strip(), _level(text)) for letter, text in zip(letters, levels, strict=True)]


def _level(text: str) -> float | None:
    try:
        level = float(text)
    except ValueError:
        return None
    return level if 0 <= level <= 100 else None


def _sexes(root: Path) -> dict[str, str]:
    table = _beside(root, "VideoDemographics.csv")
    lines = [] if table is None else list(metadata(table, ["ActorID", "Sex"]))
    sexes = {line["ActorID"]: line["Sex"].lower() for line in lines}
    return {actor: sex for actor, sex in sexes.items() if sex in ("female", "male")}


def _beside(root: Path, name: str) -> Path | None:
    """A table of the corpus, also when only its AudioWAV/ was named."""
    folders = [root, root.parent] if root.name in ("AudioWAV", "AudioMP3") else [root]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


READER = Reader("CREMA-D", "AudioWAV/1001_DFA_ANG_XX.wav and the like were", _utterances)
