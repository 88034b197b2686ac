"""MSP-Podcast (Lotfian & Busso 2017): Labels/labels_consensus.csv and Audios/, in the layouts that are around."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from emorank.corpora.agreement import NO_AGREEMENT, OTHER
from emorank.corpora.folder import files, metadata, recordings, stem
from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import Row, is_label, table_of

_EMOTIONS = {
    "A": "anger",
    "S": "sadness",
    "H": "happiness",
    "U": "surprise",
    "F": "fear",
    "D": "disgust",
    "C": "contempt",
    "N": "neutral",
    "O": OTHER,
    "X": NO_AGREEMENT,
}
#: The paper tests on Test1, so that is `test`; the others keep their names. Releases to 1.8 say Validation.
_SPLITS = {
    "train": "train",
    "development": "development",
    "validation": "development",
    "test1": "test",
    "test2": "test2",
    "test3": "test3",
}
_SCORES = {"valence": "EmoVal", "arousal": "EmoAct", "dominance": "EmoDom"}
_NAMES = ("labels_consensus.csv", "labels_concensus.csv")  # the second is how releases to 1.8 spell it


def _utterances(root: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """The recordings that the consensus labels list, wherever under `root` they lie; Test3 may have no labels."""
    everything = files(root)
    labels = _labels(everything)
    if labels is None:
        return table_of([]), []
    found, left_out = recordings(everything)
    rows: list[Row] = []
    done: set[str] = set()
    for line in metadata(labels, ["FileName", "EmoClass", *_SCORES.values(), "SpkrID", "Split_Set"]):
        name = stem(line["FileName"])
        reason = _fault(line, name, found, done)
        if reason is None:
            rows.append(_row(found[name], line))
        else:
            left_out.append(LeftOut(str(found.get(name, line["FileName"])), reason))
        done.add(name)
    left_out += [
        LeftOut(str(path), "labels_consensus.csv does not list it") for name, path in found.items() if name not in done
    ]
    return table_of(rows), left_out


def _labels(paths: Iterable[Path]) -> Path | None:
    """The nearest table of consensus labels; one with the official name goes before one with the old one."""
    tables = [path for path in paths if path.name in _NAMES]
    return min(tables, key=lambda path: (_NAMES.index(path.name), len(path.parts)), default=None)


def _fault(line: dict[str, str], name: str, found: dict[str, Path], done: set[str]) -> str | None:
    """Why a line is left out; None if it is not."""
    if name not in found:
        return "labels_consensus.csv lists it, but it is not in Audios/"
    if name in done:
        return "labels_consensus.csv lists it twice; the first line counts"
    if line["Split_Set"] and line["Split_Set"].lower() not in _SPLITS:
        return f"its Split_Set {line['Split_Set']!r} is unknown"
    try:
        scores = [_score(line[column]) for column in _SCORES.values()]
    except ValueError:
        return "one of its ratings is not a number"
    if not all(score is None or is_label(score) for score in scores):
        return "one of its ratings is outside 1..7"
    return None


def _row(path: Path, line: dict[str, str]) -> Row:
    scores = {name: _score(line[column]) for name, column in _SCORES.items()}
    speaker, gender = line["SpkrID"].removesuffix(".0"), line.get("Gender", "").lower()
    return {
        "path": str(path),
        **scores,
        "emotion": _EMOTIONS.get(line["EmoClass"].upper()),
        "speaker": None if speaker.lower() in ("", "unknown", "nan") else f"msp-podcast-{speaker}",
        "gender": gender if gender in ("female", "male") else None,
        "split": _SPLITS.get(line["Split_Set"].lower()),
        "corpus": "msp-podcast",
        "language": "en",
        "label_source": "rated" if any(score is not None for score in scores.values()) else None,
    }


def _score(text: str) -> float | None:
    """A mean rating, 1..7 if all is well; None where there is none."""
    return None if text.lower() in ("", "nan", "na") else float(text)


READER = Reader("MSP-Podcast", "Labels/labels_consensus.csv and Audios/ were", _utterances)
