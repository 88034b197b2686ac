"""The bundled captions: descriptions of voices all over the plane.

Language models wrote them one by one, each author on its own, without templates. The authors of `test` wrote nothing
else; `train` and `development` share one of theirs. No description of one split is in another.
"""

import csv
import hashlib
import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import polars as pl

from emorank.affect import DIMENSIONS, LABELS, STEPS, UNPREDICTABILITY
from emorank.captions.choose import choose
from emorank.types import Array

#: A part of the bank, and which utterances may have its captions.
Split = Literal["train", "development", "test"]


@dataclass(frozen=True)
class Captions:
    """Descriptions and where they lie.

    Args:
        texts: (m,) descriptions.
        points: (m, 3) valence and arousal on the grid 0.5 .. 7, dominance 1..7.
        unpredictability: (m,) 1..7, rated by a language model from the description alone; None where nobody has.
    """

    texts: tuple[str, ...]
    points: Array
    unpredictability: Array | None = None

    @property
    def digest(self) -> str:
        """32 hexadecimal digits of the descriptions in their order."""
        return hashlib.blake2b("\n".join(self.texts).encode(), digest_size=16).hexdigest()

    def labels(self, dimensions: Sequence[str]) -> Array:
        """(m, k) where the descriptions lie in some of `emorank.affect.LABELS`.

        Raises:
            KeyError: a dimension in which that is not known.
        """
        columns = dict(zip(DIMENSIONS, self.points.T, strict=True))
        if self.unpredictability is not None:
            columns[UNPREDICTABILITY] = self.unpredictability
        return np.stack([columns[name] for name in dimensions], 1)

    def cells(self) -> dict[tuple[float, float], list[str]]:
        """(valence, arousal) -> descriptions, in the order of the bank."""
        result: dict[tuple[float, float], list[str]] = {}
        for text, (valence, arousal, _) in zip(self.texts, self.points.tolist(), strict=True):
            result.setdefault((valence, arousal), []).append(text)
        return result


@lru_cache
def bundled(split: Split) -> Captions:
    """The descriptions of one split."""
    source = importlib.resources.files("emorank.captions") / "bank.tsv"
    with source.open(encoding="utf8") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [row for row in lines if row["split"] == split]
    points = np.array([[float(row[name]) for name in LABELS] for row in rows], np.float32)
    return Captions(tuple(row["text"] for row in rows), points[:, : len(DIMENSIONS)], points[:, len(DIMENSIONS)])


_SHE = re.compile(r"\b(she|her|hers|herself|woman|girl|girlish)\b", re.IGNORECASE)
_HE = re.compile(r"\b(he|him|his|himself|man|boy|boyish)\b", re.IGNORECASE)
_OTHER = {"female": _HE, "male": _SHE}
_AS_DOMINANT = 1.0  # so much farther away than the nearest caption's dominance another one's may be


def assign(
    table: pl.DataFrame, split: Split = "train", seed: int = 0, dominance: bool = False, gender: bool = False
) -> list[str | None]:
    """One description for every utterance, from the cell of the grid that its label lies in; None without a label.

    Which of the cell's descriptions depends on the seed and the recording alone.

    Args:
        table: utterances with `path`, `valence` and `arousal`.
        split: whose descriptions.
        seed: of the choice.
        dominance: only descriptions whose dominance is near the column's, where the utterance has one.
        gender: no description that speaks of a man where the column says female, or the reverse.
    """
    cells = _cells(split)
    nothing = [None] * len(table)
    columns = [table["dominance"] if dominance else nothing, table["gender"] if gender else nothing]
    result: list[str | None] = []
    for path, valence, arousal, power, who in zip(
        table["path"], table["valence"], table["arousal"], *columns, strict=True
    ):
        if valence is None or arousal is None:
            result.append(None)
            continue
        options = _fitting(cells[nearest_step(valence), nearest_step(arousal)], power, who)
        result.append(choose(options, path, seed)[0])
    return result


def _fitting(there: list[tuple[str, float]], dominance: float | None, gender: str | None) -> list[tuple[str, float]]:
    """Those descriptions of a cell, with their dominance, that fit a speaker; never none."""
    other = _OTHER.get(gender or "")
    there = [each for each in there if other is None or not other.search(each[0])] or there
    if dominance is None:
        return there
    nearest = min(abs(power - dominance) for _, power in there)
    return [each for each in there if abs(each[1] - dominance) <= nearest + _AS_DOMINANT]


@lru_cache
def _cells(split: Split) -> dict[tuple[float, float], list[tuple[str, float]]]:
    """(valence, arousal) -> descriptions with their dominance, in the order of the bank."""
    result: dict[tuple[float, float], list[tuple[str, float]]] = {}
    for text, (valence, arousal, dominance) in zip(bundled(split).texts, bundled(split).points.tolist(), strict=True):
        result.setdefault((valence, arousal), []).append((text, dominance))
    return result


def nearest_step(value: float) -> float:
    """The step of the grid, 0.5 .. 7, that a label is nearest to."""
    return float(np.clip(round(value * 2) / 2, STEPS[0], STEPS[-1]))
