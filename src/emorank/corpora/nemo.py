"""nEMO (Christop 2024, LREC-COLING): data.tsv and samples/ with names such as SPK_emotion_N."""

import csv
from pathlib import Path

from emorank.affect import point
from emorank.corpora.scan import LeftOut, Row, recordings
from emorank.corpora.split import split_of
from emorank.errors import EmorankError

_EMOTIONS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}


def utterances(root: Path) -> tuple[list[Row], list[LeftOut]]:
    """The recordings that data.tsv lists; their suffix does not matter."""
    if not (root / "data.tsv").is_file() or not (root / "samples").is_dir():
        raise EmorankError(f"{root}: no nEMO there; data.tsv and samples/ were expected.")
    files = {path.stem: path for path in recordings(root / "samples")}
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    with open(root / "data.tsv", encoding="utf8", newline="") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        for line in lines:
            values = {key.strip(): value.strip() for key, value in line.items() if key and isinstance(value, str)}
            stem = Path(values.get("file_id", "")).stem
            if stem not in files:
                left_out.append(LeftOut(values.get("file_id", ""), "data.tsv lists it, but it is not in samples/"))
            elif values.get("emotion") not in _EMOTIONS:
                left_out.append(LeftOut(str(files.pop(stem)), f"its emotion {values.get('emotion')!r} is unknown"))
            else:
                rows.append(_row(files.pop(stem), values))
    left_out += [LeftOut(str(path), "data.tsv does not list it") for path in files.values()]
    return rows, left_out


def _row(path: Path, values: dict[str, str]) -> Row:
    emotion, speaker = _EMOTIONS[values["emotion"]], values.get("speaker_id", "")
    return {
        "path": str(path),
        **point(emotion)._asdict(),
        "emotion": emotion,
        "speaker": f"nemo-{speaker}",
        "gender": values.get("gender") or None,
        "split": split_of("nemo", speaker),
        "corpus": "nemo",
        "language": "pl",
        "label_source": "derived",
        "transcript": values.get("raw_text") or None,
    }
