"""EmoDB (Burkhardt et al. 2005): wav/ with names such as 03a01Fa, and listeners' recognition rates."""

import re
from pathlib import Path

import polars as pl

from emorank.affect import point
from emorank.corpora.folder import files, metadata, recordings, stem
from emorank.corpora.scan import LeftOut, Reader
from emorank.corpora.schema import Row, table_of
from emorank.corpora.split import split_of
from emorank.errors import EmorankError

#: The letters stand for the German words: Wut (Ärger), Langeweile, Ekel, Angst, Freude, Trauer, neutral.
_EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
_MALE, _FEMALE = {"03", "10", "11", "12", "15"}, {"08", "09", "13", "14", "16"}
_SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
_NAME = re.compile(r"(\d\d)([ab]\d\d)([A-Z])[a-z]?")


def _utterances(root: Path) -> tuple[pl.DataFrame, list[LeftOut]]:
    """All recordings under `root`; metadata.csv or erkennung.txt, there or beside wav/, tells who was recognised."""
    recognised, listed = _recognition(root)
    found, left_out = recordings(files(root))
    left_out += [
        LeftOut(name, "metadata.csv lists it, but there is no such recording") for name in listed if name not in found
    ]
    rows: list[Row] = []
    for path in found.values():
        match = _NAME.fullmatch(path.stem)
        if match and match[1] in _MALE | _FEMALE and match[2] in _SENTENCES and match[3] in _EMOTIONS:
            rows.append(_row(path, match[1], match[2], _EMOTIONS[match[3]], recognised.get(path.stem)))
        else:
            left_out.append(LeftOut(str(path), "its name is not speaker, sentence, emotion letter, take"))
    return table_of(rows), left_out


def _row(path: Path, speaker: str, sentence: str, emotion: str, recognised: float | None) -> Row:
    # A portrayal that every listener recognised is as strong as published, one that nobody did is half way to neutral.
    strength = 0.5 + 0.5 * (1.0 if recognised is None else recognised)
    return {
        "path": str(path),
        **point(emotion, strength)._asdict(),
        "emotion": emotion,
        "recognized": recognised,
        "speaker": f"emodb-{speaker}",
        "gender": "male" if speaker in _MALE else "female",
        "split": split_of("emodb", speaker),
        "corpus": "emodb",
        "language": "de",
        "label_source": "derived",
        "transcript": _SENTENCES[sentence],
    }


def _recognition(root: Path) -> tuple[dict[str, float | None], list[str]]:
    """Recording -> share of the listeners who recognised the emotion, 0..1; and the recordings metadata.csv lists."""
    folders = [root, root.parent] if root.name == "wav" else [root]
    listed: list[str] = []
    for table in (folder / "metadata.csv" for folder in folders):
        if table.is_file():
            lines = list(metadata(table, ["file"]))
            listed = [stem(line["file"]) for line in lines]
            if lines and "recognized_pct" in lines[0]:
                return {stem(line["file"]): _share(line["recognized_pct"]) for line in lines}, listed
    for official in (folder / "erkennung.txt" for folder in folders):
        if official.is_file():
            return _official(official), listed
    return {}, listed


def _official(table: Path) -> dict[str, float | None]:
    """erkennung.txt: columns between white space, decimal commas, Latin-1; it may name more than was published."""
    try:
        lines = [line.split() for line in table.read_text("latin-1").splitlines()]
    except OSError as error:
        raise EmorankError(f"{table}: it cannot be read ({error.strerror}).") from error
    header = [word.lower() for word in lines[0]] if lines else []
    column = header.index("erkannt") if "erkannt" in header else 1
    return {stem(fields[0]): _share(fields[column]) for fields in lines if len(fields) > column}


def _share(percent: str) -> float | None:
    """Percent as written there, "90,00" -> 0.9; None for a heading, or where nobody listened."""
    try:
        share = float(percent.replace(",", ".")) / 100
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


READER = Reader("EmoDB", "wav/03a01Fa.wav and the like were", _utterances)
