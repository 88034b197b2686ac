"""A caption for every utterance of a table, in the style that is asked for."""

from typing import Literal, cast

import numpy as np
import polars as pl

from emorank.captions import bank, clap4emo, template
from emorank.errors import EmorankError
from emorank.types import Progress

#: How captions are made; `column` takes the table's own.
Style = Literal["bank", "template", "clap4emo", "paraclap", "column"]
_NEEDED = {"bank": ("valence", "arousal"), "column": ("caption",)}  # the others are made from the category


def paired(
    table: pl.DataFrame,
    style: Style,
    progress: Progress | None = None,
    seed: int = 0,
    dominance: bool = False,
    gender: bool = False,
) -> list[str | None]:
    """The caption of every utterance; None where it lacks what the caption is made from.

    * ``bank``: a bundled description of its valence and arousal. Utterances of the splits train and development get
      those of their split, all others those of the split test.
    * ``template``, ``clap4emo``: by its category.
    * ``paraclap``: its category and what is high or low in it; the quantiles are those of the split train.
    * ``column``: the table's own column `caption`.

    Args:
        table: utterances with `path` and what the style needs.
        style: which captions.
        progress: called with recordings done and to do, where recordings have to be measured.
        seed: of the choices.
        dominance: whether the bank's captions fit the column dominance too.
        gender: whether they fit the column gender too.

    Raises:
        EmorankError: the table lacks a column that the captions are made from.
    """
    for name in _NEEDED.get(style, ("emotion",)):
        if name not in table.columns or table[name].null_count() == len(table):
            raise EmorankError(
                f"Captions of style {style!r} need the column {name}; the table has none, or it is empty."
            )
    if style == "column":
        return table["caption"].to_list()
    if style == "template":
        return template.assign(table)
    if style == "clap4emo":
        return clap4emo.assign(table, seed)
    if style == "paraclap":
        from emorank.captions import paraclap

        return paraclap.assign(table, progress=progress)
    splits = table["split"].to_numpy() if "split" in table.columns else np.full(len(table), None)
    result: list[str | None] = [None] * len(table)
    for split in set(splits):
        rows = np.flatnonzero(splits == split)
        own = cast(bank.Split, split if split in ("train", "development") else "test")
        for row, caption in zip(rows, bank.assign(table[rows], own, seed, dominance, gender), strict=True):
            result[row] = caption
    return result
