"""What captions are asked for, the points or categories of utterances, and captions handed out to utterances."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import polars as pl

from emorank.captions.bank import Split
from emorank.captions.llm.prompt import Category, Point, Subject, load_prompt
from emorank.captions.rules import Phrases, phrases
from emorank.captions.template import category
from emorank.errors import EmorankError

Per = Literal["point", "utterance"]

_SPLITS: tuple[Split, ...] = ("train", "development", "test")
_SPEAKERS: dict[str, Literal["female", "male"]] = {"female": "female", "f": "female", "male": "male", "m": "male"}


def splits_of(table: pl.DataFrame) -> list[Split]:
    """Whose captions each utterance may have: what is tested on is not in the words of training."""
    splits = table["split"].to_list() if "split" in table.columns else [None] * len(table)
    return [_split(split) for split in splits]


def _split(name: str | None) -> Split:
    name = (name or "train").lower()
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
        dominance: whether it counts, where the utterance has one.
        gender: the same; anything but female and male counts as none.

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


def categories_of(table: pl.DataFrame) -> list[Category | None]:
    """Every utterance's category with the words that go with it; None where it has none, or one without words.

    Raises:
        EmorankError: the table has no column `emotion`.
    """
    if "emotion" not in table.columns:
        raise EmorankError("The table has no column emotion; captions in the style of CLAP4emo need it.")
    bundled = load_prompt("clap4emo").words
    names = [(category(emotion) or "").lower() for emotion in table["emotion"]]
    return [Category(name, bundled[name]) if name in bundled else None for name in names]


def rounded(value: float | None, step: float | None) -> float | None:
    """A coordinate as a multiple of the step."""
    if value is None or not math.isfinite(value):
        return None
    return value if step is None else round(round(value / step) * step, 6)


def wanted(subjects: Sequence[Subject | None], splits: Sequence[Split], per: Per, captions: int) -> dict[Subject, int]:
    """How many captions each point or category needs.

    Args:
        subjects: of every utterance.
        splits: of every utterance.
        per: "point" is one set for all utterances of a subject and a split, "utterance" one caption for each of them.
        captions: in a set.
    """
    if per == "utterance":
        return dict(Counter(subject for subject in subjects if subject is not None))
    present = {(subject, split) for subject, split in zip(subjects, splits, strict=True) if subject is not None}
    return {subject: captions * count for subject, count in Counter(subject for subject, _ in present).items()}


def spoken(subjects: Sequence[Subject | None], table: pl.DataFrame) -> dict[Subject, Phrases]:
    """What captions of each subject must not contain: the words of its utterances. They are never sent anywhere."""
    if "transcript" not in table.columns:
        return {}
    transcripts: dict[Subject, list[str]] = {}
    for subject, transcript in zip(subjects, table["transcript"], strict=True):
        if subject is not None and transcript:
            transcripts.setdefault(subject, []).append(transcript)
    return {subject: phrases(own) for subject, own in transcripts.items()}


def hand_out(
    subjects: Sequence[Subject | None],
    splits: Sequence[Split],
    captions: Mapping[Subject, Sequence[str]],
    per: Per,
    count: int,
    seed: int = 0,
) -> list[str | None]:
    """A caption for every utterance.

    Per point each takes one of its split's share of the set; the splits of a subject share no caption. Per utterance
    each has its own, and only where some were given up they serve twice.

    Args:
        subjects: of every utterance.
        splits: of every utterance.
        captions: of every subject.
        per: see `wanted`.
        count: captions in a set.
        seed: of the choices.
    """
    random = np.random.default_rng(seed)
    sharers: dict[Subject, list[Split]] = {}
    for name in _SPLITS:
        for place in {each for each, split in zip(subjects, splits, strict=True) if each is not None and split == name}:
            sharers.setdefault(place, []).append(name)
    turn: Counter[Subject] = Counter()
    result: list[str | None] = []
    for subject, split in zip(subjects, splits, strict=True):
        number = float(random.random())  # for every row, so that one row's fate does not change another's choice
        if subject is None:
            result.append(None)
            continue
        have = captions[subject]
        if per == "point":
            have = have[sharers[subject].index(split) :: len(sharers[subject])][:count]
            index = int(number * len(have))
        else:
            index = turn[subject] % len(have) if have else 0
            turn[subject] += 1
        result.append(have[index] if have else None)
    return result
