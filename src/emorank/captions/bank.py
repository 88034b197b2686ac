"""The bundled captions: descriptions of voices all over the plane.

Language models wrote them one by one, each author on its own, without templates. The authors of `test` wrote nothing
else; `train` and `development` share one of theirs. No description of one part is in another.
"""

import csv
import importlib.resources
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

Part = Literal["train", "development", "test"]


@dataclass(frozen=True)
class Captions:
    """Descriptions and where they lie.

    Args:
        texts: (m,) descriptions.
        points: (m, 3) valence and arousal on the grid 0.5 .. 7, dominance 1..7.
    """

    texts: tuple[str, ...]
    points: np.ndarray[Any, np.dtype[np.float32]]

    def cells(self) -> dict[tuple[float, float], list[str]]:
        """(valence, arousal) -> descriptions, in the order of the bank."""
        result: dict[tuple[float, float], list[str]] = {}
        for text, (valence, arousal, _) in zip(self.texts, self.points.tolist(), strict=True):
            result.setdefault((valence, arousal), []).append(text)
        return result


@lru_cache
def bank(part: Part) -> Captions:
    """One part of the bank."""
    source = importlib.resources.files("emorank.captions") / "bank.tsv"
    with source.open(encoding="utf8") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [row for row in lines if row["part"] == part]
    points = [[float(row[name]) for name in ("valence", "arousal", "dominance")] for row in rows]
    return Captions(tuple(row["text"] for row in rows), np.array(points, np.float32))
