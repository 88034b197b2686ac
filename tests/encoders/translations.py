"""Twenty descriptions of voices and twenty plain sentences in German, Polish, French, Spanish, Chinese and English."""

from pathlib import Path

_LINES = Path(__file__).with_suffix(".tsv").read_text("utf8").splitlines()


def _rows(kind: str) -> list[list[str]]:
    """A row a meaning, a column a language."""
    rows = [line.split("\t") for line in _LINES[1:]]
    return [row[1:] for row in rows if row[0] == kind]


VOICES, SENTENCES = _rows("voice"), _rows("sentence")
