"""The bundled captions: descriptions of voices all over the plane.

Language models wrote them one by one, each author on its own, without templates. The authors of `test` wrote nothing
else; `train` and `development` share one of theirs. No description of one part is in another.
"""

import csv
import hashlib
import importlib.resources
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import polars as pl

from emorank.affect import STEPS

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
def bundled(part: Part) -> Captions:
    """One part of the bank."""
    source = importlib.resources.files("emorank.captions") / "bank.tsv"
    with source.open(encoding="utf8") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [row for row in lines if row["part"] == part]
    points = [[float(row[name]) for name in ("valence", "arousal", "dominance")] for row in rows]
    return Captions(tuple(row["text"] for row in rows), np.array(points, np.float32))


def captions(table: pl.DataFrame, part: Part = "train", seed: int = 0) -> list[str | None]:
    """One description for every utterance, from the cell of the grid that its label lies in; None without a label.

    Which of the cell's descriptions depends on the seed and the recording alone.

    Args:
        table: utterances with `path`, `valence` and `arousal`.
        part: of the bank.
        seed: of the draw.
    """
    cells = bundled(part).cells()
    result: list[str | None] = []
    for path, valence, arousal in table.select("path", "valence", "arousal").iter_rows():
        if valence is None or arousal is None:
            result.append(None)
            continue
        options = cells[nearest_step(valence), nearest_step(arousal)]
        digest = hashlib.sha256(f"{seed}|{path}".encode("utf8", "surrogateescape")).digest()
        result.append(options[int.from_bytes(digest[:8], "big") % len(options)])
    return result


def nearest_step(value: float) -> float:
    """The step of the grid, 0.5 .. 7, that a label is nearest to."""
    return float(np.clip(round(value * 2) / 2, STEPS[0], STEPS[-1]))
