"""The bundled captions: descriptions of voices all over the plane.

Language models wrote them one by one, each author on its own, without templates. The authors of `test` wrote nothing
else; `train` and `development` share one of theirs. No description of one part is in another.
"""

import csv
import importlib.resources
import re
from collections.abc import Sequence
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


_SHE = re.compile(r"\b(she|her|hers|herself|woman|woman's|girl|girlish)\b", re.IGNORECASE)
_HE = re.compile(r"\b(he|him|his|himself|man|man's|boy|boyish)\b", re.IGNORECASE)
_AS_DOMINANT = 1.0  # dominance may be so much farther away than that of the nearest caption


def nearest_captions(
    places: Sequence[tuple[float, float, float | None] | None],
    parts: Sequence[Part],
    genders: Sequence[str | None] | None = None,
    seed: int = 0,
) -> list[str | None]:
    """A caption of the bank for every utterance, drawn from the cell of the grid that is nearest to it.

    Args:
        places: valence, arousal and dominance (None: it does not matter) of every utterance; None where not known.
        parts: the part of the bank that each may have.
        genders: of every speaker, "female" or "male": no caption speaks of the other. None: it does not matter.
        seed: of the draws; an utterance's caption does not depend on the labels of the others.
    """
    draws = np.random.default_rng(seed).random(len(places)).tolist()
    result: list[str | None] = []
    for index, (place, part) in enumerate(zip(places, parts, strict=True)):
        if place is None:
            result.append(None)
            continue
        valence, arousal, dominance = place
        cell = (_on_grid(valence), _on_grid(arousal))
        gender = genders[index] if genders is not None else None
        other = {"female": _HE, "male": _SHE}.get(gender or "")
        there = _rows(part)[cell]
        fitting = [row for row in there if other is None or not other.search(row[0])] or there
        if dominance is not None:
            nearest = min(abs(row[1] - dominance) for row in fitting)
            fitting = [row for row in fitting if abs(row[1] - dominance) <= nearest + _AS_DOMINANT]
        result.append(fitting[int(draws[index] * len(fitting))][0])
    return result


def _on_grid(value: float) -> float:
    return min(max(round(value * 2) / 2, 0.5), 7.0)


@lru_cache
def _rows(part: Part) -> dict[tuple[float, float], list[tuple[str, float]]]:
    """(valence, arousal) -> descriptions with their dominance."""
    captions = bank(part)
    result: dict[tuple[float, float], list[tuple[str, float]]] = {}
    for text, (valence, arousal, dominance) in zip(captions.texts, captions.points.tolist(), strict=True):
        result.setdefault((valence, arousal), []).append((text, dominance))
    return result
