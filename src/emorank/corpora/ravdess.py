"""RAVDESS speech (Livingstone & Russo 2018, PLoS ONE 13(5): e0196391): Actor_NN/ with seven-part file names."""

from pathlib import Path

from emorank.affect import point
from emorank.corpora.scan import LeftOut, Row, recordings
from emorank.corpora.split import split_of
from emorank.errors import EmorankError

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

#: A stronger portrayal is further from neutral, and more activated in every emotion, sadness too; calm is the absence
#: of activation and gets no lift. (strength, lift of arousal), see `emorank.affect.point`.
_INTENSITIES = {"01": ("normal", 0.85, 0.0), "02": ("strong", 1.15, 0.6)}


def utterances(root: Path) -> tuple[list[Row], list[LeftOut]]:
    """All speech recordings under `root`, which may also be the parent of Audio_Speech_Actors_01-24."""
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    for path in recordings(root):
        parts = path.stem.split("-")
        if len(parts) != 7 or parts[2] not in _EMOTIONS or parts[3] not in _INTENSITIES:
            left_out.append(
                LeftOut(str(path), "its name is not modality-channel-emotion-intensity-statement-repetition-actor")
            )
        elif parts[1] != "01":
            left_out.append(LeftOut(str(path), "it is song, not speech"))
        elif parts[0] != "03":
            left_out.append(LeftOut(str(path), "it is video; the audio-only recording has the same sound"))
        else:
            rows.append(_row(path, parts))
    if not rows:
        raise EmorankError(f"{root}: no RAVDESS speech there; folders Actor_01 ... Actor_24 were expected.")
    return rows, left_out


def _row(path: Path, parts: list[str]) -> Row:
    emotion, actor = _EMOTIONS[parts[2]], parts[6]
    intensity, strength, lift = _INTENSITIES[parts[3]]
    where = point(emotion, strength, 0.0 if emotion == "calm" else lift)
    return {
        "path": str(path),
        **where._asdict(),
        "emotion": emotion,
        "intensity": intensity,
        "speaker": f"ravdess-{actor}",
        "gender": "female" if int(actor) % 2 == 0 else "male",
        "split": split_of("ravdess", actor),
        "corpus": "ravdess",
        "language": "en",
        "label_source": "derived",
        "transcript": _STATEMENTS.get(parts[4]),
    }
