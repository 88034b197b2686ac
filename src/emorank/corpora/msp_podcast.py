"""MSP-Podcast (Lotfian & Busso 2017): Labels/labels_consensus.csv and Audios/, in the layouts that are around."""

import csv
from pathlib import Path

from emorank.corpora.scan import LeftOut, Row, recordings
from emorank.errors import EmorankError

_EMOTIONS = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": "other",
    "X": "no agreement",
}
#: The paper tests on Test1, so that is `test`; the others keep their names.
_SPLITS = {"Train": "train", "Development": "development", "Test1": "test", "Test2": "test2", "Test3": "test3"}
_SCORES = {"valence": "EmoVal", "arousal": "EmoAct", "dominance": "EmoDom"}


def utterances(root: Path) -> tuple[list[Row], list[LeftOut]]:
    """The recordings that labels_consensus.csv lists. Ratings are consensus means on 1..7; Test3 may have none."""
    labels = sorted(root.rglob("labels_consensus.csv"))
    if not labels:
        raise EmorankError(f"{root}: no MSP-Podcast there; Labels/labels_consensus.csv and Audios/ were expected.")
    files = {path.stem: path for path in recordings(root)}
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    with open(labels[0], encoding="utf-8-sig", newline="") as file:
        for line in csv.DictReader(file):
            name = (line.get("FileName") or "").strip()
            path = files.pop(Path(name).stem, None)
            if path is None:
                left_out.append(LeftOut(name, "labels_consensus.csv lists it, but it is not in Audios/"))
                continue
            try:
                rows.append(_row(path, {key: (value or "").strip() for key, value in line.items() if key}))
            except ValueError as error:
                left_out.append(LeftOut(str(path), str(error)))
    left_out += [LeftOut(str(path), "labels_consensus.csv does not list it") for path in files.values()]
    return rows, left_out


def _row(path: Path, values: dict[str, str]) -> Row:
    scores = {name: _score(values.get(column, "")) for name, column in _SCORES.items()}
    speaker = values.get("SpkrID", "")
    return {
        "path": str(path),
        **scores,
        "emotion": _EMOTIONS.get(values.get("EmoClass", "")),
        "speaker": None if speaker in ("", "Unknown") else f"msp-podcast-{speaker}",
        "gender": {"Male": "male", "Female": "female"}.get(values.get("Gender", "")),
        "split": _SPLITS.get(values.get("Split_Set", "")),
        "corpus": "msp-podcast",
        "language": "en",
        "label_source": "rated" if None not in scores.values() else None,
    }


def _score(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"its rating {text!r} is not a number") from None
    if not 1 <= value <= 7:
        raise ValueError(f"its rating {text} is outside 1..7")
    return value
