"""EmoDB (Burkhardt et al. 2005): wav/ with names such as 03a01Fa, and listeners' recognition rates."""

import csv
import re
from pathlib import Path

from emorank.affect import point
from emorank.corpora.scan import LeftOut, Row, recordings
from emorank.corpora.split import split_of
from emorank.errors import EmorankError

_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
_MALE = {"03", "10", "11", "12", "15"}
_NAME = re.compile(r"(\d{2})([ab]\d{2})([A-Z])([a-z])")


def utterances(root: Path) -> tuple[list[Row], list[LeftOut]]:
    """All recordings under `root`; metadata.csv or erkennung.txt beside them tells how well each was recognised."""
    recognised = _recognition(root)
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    for path in recordings(root):
        match = _NAME.fullmatch(path.stem)
        if not match or match[3] not in _EMOTIONS:
            left_out.append(LeftOut(str(path), "its name is not speaker, sentence, emotion letter, take"))
            continue
        speaker, emotion = match[1], _EMOTIONS[match[3]]
        rate = recognised.get(path.stem)
        # A portrayal that listeners often mistook is closer to neutral.
        where = point(emotion, 0.5 + 0.5 * (1.0 if rate is None else rate))
        rows.append(
            {
                "path": str(path),
                **where._asdict(),
                "emotion": emotion,
                "recognized": rate,
                "speaker": f"emodb-{speaker}",
                "gender": "male" if speaker in _MALE else "female",
                "split": split_of("emodb", speaker),
                "corpus": "emodb",
                "language": "de",
                "label_source": "derived",
            }
        )
    if not rows:
        raise EmorankError(f"{root}: no EmoDB recordings there; names such as wav/03a01Fa.wav were expected.")
    return rows, left_out


def _recognition(root: Path) -> dict[str, float]:
    """Name of a recording -> share of the listeners who recognised the emotion, 0..1."""
    rates: dict[str, float] = {}
    if (root / "metadata.csv").is_file():
        with open(root / "metadata.csv", encoding="utf8", newline="") as file:
            for row in csv.DictReader(file):
                _note(rates, row.get("file", ""), row.get("recognized_pct", ""))
    elif (root / "erkennung.txt").is_file():
        for line in (root / "erkennung.txt").read_text("latin-1").splitlines():
            fields = line.split()
            if len(fields) >= 2:
                _note(rates, fields[0], fields[1])
    return rates


def _note(rates: dict[str, float], name: str, percent: str) -> None:
    try:
        rates[Path(name).stem] = min(1.0, max(0.0, float(percent.replace(",", ".")) / 100))
    except ValueError:
        return  # a heading, or a recording that was not judged
