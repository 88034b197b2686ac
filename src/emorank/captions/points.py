"""Utterances as points that captions are wanted for, and captions given out to utterances."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl

from emorank.captions.bank import Part
from emorank.captions.fault import Runs, runs
from emorank.captions.llm.prompt import Point
from emorank.errors import EmorankError

Per = Literal["point", "utterance"]

_PARTS: tuple[Part, ...] = ("train", "development", "test")
_SPEAKERS: dict[str, Literal["female", "male"]] = {"female": "female", "f": "female", "male": "male", "m": "male"}


def parts_of(table: pl.DataFrame) -> list[Part]:
    """Which part of the captions each utterance may have: what is tested on is not in the words of training."""
    splits = table["split"].to_list() if "split" in table.columns else [None] * len(table)
    return [_part(split) for split in splits]


def _part(split: str | None) -> Part:
    name = (split or "train").lower()
    if name.startswith(("dev", "val")):
        return "development"
    return "test" if name.startswith("test") else "train"


def points_of(
    table: pl.DataFrame, step: float | None = None, dominance: bool = False, gender: bool = False
) -> list[Point | None]:
    """Every utterance's point; None where valence or arousal is missing.

    Args:
        table: utterances with valence and arousal.
        step: coordinates are rounded to multiples of it; None leaves them.
        dominance: whether it counts, where it is known.
        gender: the same; anything but female and male counts as not known.

    Raises:
        EmorankError: a column that is needed is missing.
    """
    needed = ["valence", "arousal", *(["dominance"] if dominance else []), *(["gender"] if gender else [])]
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise EmorankError(f"The table has no column {', '.join(missing)}; these captions need it.")
    result: list[Point | None] = []
    for row in table.select(needed).iter_rows(named=True):
        coordinates = [rounded(row.get(name), step) for name in ("valence", "arousal", "dominance")]
        speaker = _SPEAKERS.get(str(row.get("gender")).strip().lower()) if gender else None
        valence, arousal, power = coordinates
        result.append(None if valence is None or arousal is None else Point(valence, arousal, power, speaker))
    return result


def rounded(value: float | None, step: float | None) -> float | None:
    """A coordinate as a multiple of the step."""
    if value is None or not math.isfinite(value):
        return None
    return value if step is None else round(round(value / step) * step, 6)


def wanted(points: Sequence[Point | None], parts: Sequence[Part], per: Per, captions: int) -> dict[Point, int]:
    """How many captions each point needs.

    Args:
        points: of every utterance.
        parts: of every utterance.
        per: "point" is one set for all utterances of a point and a part, "utterance" one caption for each of them.
        captions: in a set.
    """
    if per == "utterance":
        return dict(Counter(point for point in points if point is not None))
    present = {(point, part) for point, part in zip(points, parts, strict=True) if point is not None}
    return {point: captions * count for point, count in Counter(point for point, _ in present).items()}


def said(points: Sequence[Point | None], table: pl.DataFrame) -> dict[Point, Runs]:
    """What captions of each point must not contain: the words of its utterances. They are never sent anywhere."""
    if "transcript" not in table.columns:
        return {}
    spoken: dict[Point, list[str]] = {}
    for point, transcript in zip(points, table["transcript"], strict=True):
        if point is not None and transcript:
            spoken.setdefault(point, []).append(transcript)
    return {point: runs(transcripts) for point, transcripts in spoken.items()}


def give_out(
    points: Sequence[Point | None],
    parts: Sequence[Part],
    captions: Mapping[Point, Sequence[str]],
    per: Per,
    count: int,
    seed: int = 0,
) -> list[str | None]:
    """A caption for every utterance.

    Per point each draws from its part's share of the set; the parts of a point share no caption. Per utterance each has
    its own, and only where some were given up they serve twice.

    Args:
        points: of every utterance.
        parts: of every utterance.
        captions: of every point.
        per: see `wanted`.
        count: captions in a set.
        seed: of the draws.
    """
    draw = np.random.default_rng(seed)
    sharers: dict[Point, list[Part]] = {}
    for name in _PARTS:
        for place in {place for place, part in zip(points, parts, strict=True) if place is not None and part == name}:
            sharers.setdefault(place, []).append(name)
    turn: Counter[Point] = Counter()
    result: list[str | None] = []
    for point, part in zip(points, parts, strict=True):
        number = float(draw.random())  # for every row, so that one row's fate does not change another's draw
        if point is None:
            result.append(None)
            continue
        have = captions[point]
        if per == "point":
            have = have[sharers[point].index(part) :: len(sharers[point])][:count]
            index = int(number * len(have))
        else:
            index = turn[point] % len(have) if have else 0
            turn[point] += 1
        result.append(have[index] if have else None)
    return result
