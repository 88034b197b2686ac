"""nEMO (Christop 2024, LREC-COLING): data.tsv and samples/ with names such as SPK_emotion_N."""

from pathlib import Path

import polars as pl

from emorank.affect import point
from emorank.corpora.folder import files, metadata, recordings, stem
from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import Row, table_of
from emorank.corpora.split import split_of

_EMOTIONS = {
    "anger": "anger",
    "fear": "fear",
    "happiness": "happiness",
    "neutral": "neutral",
    "sadness": "sadness",
    "surprised": "surprise",
}


def _utterances(root: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """The recordings of samples/ that data.tsv lists; their suffix may differ from the one there."""
    table, samples = root / "data.tsv", root / "samples"
    if not table.is_file() or not samples.is_dir():
        return table_of([]), []
    found, left_out = recordings(files(samples))
    rows: list[Row] = []
    done: set[str] = set()
    # Polish quotation marks are a part of the sentences, and speaker_id has white space before it.
    for line in metadata(table, ["file_id", "emotion", "speaker_id"], delimiter="\t", quoted=False):
        name = stem(line["file_id"])
        reason = _fault(line, name, found, done)
        if reason is None:
            rows.append(_row(found[name], line))
        else:
            left_out.append(LeftOut(str(found.get(name, line["file_id"])), reason))
        done.add(name)
    left_out += [LeftOut(str(path), "data.tsv does not list it") for name, path in found.items() if name not in done]
    return table_of(rows), left_out


def _fault(line: dict[str, str], name: str, found: dict[str, Path], done: set[str]) -> str | None:
    """Why a line is left out; None if it is not."""
    if name not in found:
        return "data.tsv lists it, but it is not in samples/"
    if name in done:
        return "data.tsv lists it twice; the first line counts"
    if line["emotion"] not in _EMOTIONS:
        return f"its emotion {line['emotion']!r} is not one of nEMO"
    if not line["speaker_id"]:  # it could be a test speaker
        return "its speaker is unknown"
    return None


def _row(path: Path, line: dict[str, str]) -> Row:
    emotion, speaker, gender = _EMOTIONS[line["emotion"]], line["speaker_id"], line.get("gender", "").lower()
    return {
        "path": str(path),
        **point(emotion)._asdict(),
        "emotion": emotion,
        "speaker": f"nemo-{speaker}",
        "gender": gender if gender in ("female", "male") else None,
        "split": split_of("nemo", speaker),
        "corpus": "nemo",
        "language": "pl",
        "label_source": "derived",
        "transcript": line.get("raw_text") or None,
    }


READER = Reader("nEMO", "data.tsv and samples/ were", _utterances)
