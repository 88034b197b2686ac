"""RAVDESS speech (Livingstone & Russo 2018, PLoS ONE 13(5): e0196391): Actor_NN/ with seven-part file names."""

import re
from pathlib import Path

import polars as pl

from emorank.affect import point
from emorank.corpora.folder import files, recordings
from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import Row, table_of
from emorank.corpora.split import split_of

_EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
_STATEMENTS = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
_INTENSITIES = {"01": "normal", "02": "strong"}

#: (strength, lift of arousal) of `emorank.affect.point`. Stronger acting is further from neutral, and more activated in
#: every category, sadness included.
NORMAL = (0.85, 0.0)
STRONG = (1.15, 0.6)
#: Neutral is a point, and calm is the absence of activation: acting them more strongly does not lift their arousal.
_NEVER_LIFTED = {"neutral", "calm"}

#: modality-channel-emotion-intensity-statement-repetition-actor
_NAME = re.compile(r"(0[123])-(0[12])-(0[1-8])-(0[12])-(0[12])-(0[12])-(0[1-9]|1\d|2[0-4])")


def _utterances(root: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """All speech recordings under `root`, which may also be the parent of Audio_Speech_Actors_01-24."""
    rows: list[Row] = []
    found, left_out = recordings(files(root))
    for path in found.values():
        match = _NAME.fullmatch(path.stem)
        reason = _fault(match)
        if match and reason is None:
            rows.append(_row(path, *match.group(3, 4, 5, 7)))
        else:
            left_out.append(LeftOut(str(path), str(reason)))
    return table_of(rows), left_out


def _fault(match: re.Match[str] | None) -> str | None:
    """Why a recording is left out; None if it is not."""
    if not match:
        return "its name is not modality-channel-emotion-intensity-statement-repetition-actor"
    if match[2] == "02":
        return "it is song, not speech"
    videos = {
        "01": "it is video; the audio-only recording has the same sound",
        "02": "it is video without sound",
    }
    return videos.get(match[1])


def _row(path: Path, code: str, intensity: str, statement: str, actor: str) -> Row:
    emotion = _EMOTIONS[code]
    strength, lift = STRONG if _INTENSITIES[intensity] == "strong" else NORMAL
    return {
        "path": str(path),
        **point(emotion, strength, 0.0 if emotion in _NEVER_LIFTED else lift)._asdict(),
        "emotion": emotion,
        "intensity": _INTENSITIES[intensity],
        "speaker": f"ravdess-{actor}",
        "gender": "female" if int(actor) % 2 == 0 else "male",
        "split": split_of("ravdess", actor),
        "corpus": "ravdess",
        "language": "en",
        "label_source": "derived",
        "transcript": _STATEMENTS[statement],
    }


READER = Reader("RAVDESS speech", "Actor_01/03-01-01-01-01-01-01.wav and the like were", _utterances)
