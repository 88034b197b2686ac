"""Captions for a table without any server: the bank, and the baselines' ways."""

from collections.abc import Callable
from typing import Literal

import polars as pl

from emorank.captions.bank import nearest_captions
from emorank.captions.points import parts_of, points_of
from emorank.errors import EmorankError

Style = Literal["bank", "template", "clap4emo", "paraclap"]


def captions_in_style(
    table: pl.DataFrame, style: Style, dominance: bool = False, gender: bool = False, seed: int = 0
) -> list[str | None]:
    """A caption for every utterance; None where it lacks what the style needs.

    Args:
        table: utterances. The bank needs valence and arousal, the others emotion; paraclap listens to the recordings.
        style: bank takes the nearest description of the plane; template is "speech has anger emotion"; clap4emo is
            written from category and emotion words; paraclap from acoustic properties.
        dominance: of the bank, whether captions fit the column dominance too.
        gender: of the bank, whether captions fit the column gender too.
        seed: of the draws.

    Raises:
        EmorankError: a column is missing.
    """
    if style == "bank":
        points = points_of(table, None, dominance, gender)
        places = [None if point is None else (point.valence, point.arousal, point.dominance) for point in points]
        genders = [None if point is None else point.speaker for point in points] if gender else None
        return nearest_captions(places, parts_of(table), genders, seed)
    if "emotion" not in table.columns:
        raise EmorankError(f"The table has no column emotion; captions in the style {style} need it.")
    return _BASELINES[style](table, seed)


def _template(table: pl.DataFrame, seed: int) -> list[str | None]:
    from emorank.captions import template

    return template.captions(table)


def _clap4emo(table: pl.DataFrame, seed: int) -> list[str | None]:
    from emorank.captions import clap4emo

    return clap4emo.captions(table, seed=seed)


def _paraclap(table: pl.DataFrame, seed: int) -> list[str | None]:
    """What is low or high is judged by the training utterances, where the table says which they are."""
    from emorank.captions import paraclap

    train = table.filter(pl.col("split") == "train") if "split" in table.columns else table
    return paraclap.captions(table, reference=None if train.is_empty() else train)


_BASELINES: dict[str, Callable[[pl.DataFrame, int], list[str | None]]] = {
    "template": _template,
    "clap4emo": _clap4emo,
    "paraclap": _paraclap,
}
