"""Decides which descriptions in other languages are held out of training: the column `split` of languages.tsv.

All that lie at some places, drawn by chance, so that what says the same in two languages is on one side; and whatever
the untuned multilingual-e5-small finds as good as the same as one of these, or as one of the sixty test descriptions
(two minutes on one core). Prints the counts.

    .venv/bin/python benchmarks/hold_out.py
"""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emorank.encoders import text_encoder
from emorank.encoders.e5 import NAME
from emorank.storage import written_whole
from emorank.types import Array

ROOT = Path(__file__).parents[1]
LANGUAGES = ROOT / "src" / "emorank" / "captions" / "languages.tsv"
COLUMNS = ("split", "language", "valence", "arousal", "dominance", "text")
SHARE = 0.15  # of the descriptions, at places that are drawn
ALIKE = 0.93  # cosine of what is as good as the same


def rows(path: Path) -> list[dict[str, str]]:
    """Of a table with tabs."""
    with open(path, encoding="utf8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def tested() -> list[str]:
    """The sixty test descriptions and what they mean in English."""
    return [row[column] for row in rows(ROOT / "tests" / "languages.tsv") for column in ("text", "english")]


def alike(features: Array, held: Array) -> np.ndarray:
    """Which of some descriptions are as good as one of those held out, (n,) bool; both L2-normalised."""
    result: np.ndarray = (features @ held.T).max(1) > ALIKE
    return result


def drawn(places: Sequence[tuple[str, ...]], share: float, seed: int = 0) -> np.ndarray:
    """Which descriptions lie at places drawn until they hold a share of all, (n,) bool."""
    of = {place: [index for index, each in enumerate(places) if each == place] for place in sorted(set(places))}
    result = np.zeros(len(places), bool)
    for index in np.random.default_rng(seed).permutation(len(of)):
        if result.mean() >= share:
            break
        result[of[list(of)[index]]] = True
    return result


def main() -> None:
    """Write and print."""
    found = rows(LANGUAGES)
    encode = text_encoder(NAME)
    features, test = encode([row["text"] for row in found]), encode(tested())
    held = drawn([tuple(row[name] for name in COLUMNS[2:5]) for row in found], SHARE)
    print(f"at places drawn: {held.sum()}; like a test description: {(alike(features, test) & ~held).sum()}")
    held |= alike(features, test)
    while (more := alike(features, features[held]) & ~held).any():
        print(f"like one that is held out: {more.sum()}")
        held |= more
    with written_whole(LANGUAGES) as path, open(path, "w", encoding="utf8") as file:
        print(*COLUMNS, sep="\t", file=file)
        for row, out in zip(found, held, strict=True):
            print("development" if out else "train", *(row[name] for name in COLUMNS[1:]), sep="\t", file=file)
    print(f"development {held.sum()}, train {(~held).sum()}")


if __name__ == "__main__":
    main()
