"""Captions from a category and words that go with it, by the method of CLAP4emo (Lin et al., 2024; paper section 4.1).

The method gives a language model the category and words that the NRC lexicon associates with it, and asks how speech
of that kind sounds. A hundred captions, ten a category, were written that way once and are bundled; one's own model
writes others (`emorank caption --style clap4emo --llm`, see `emorank.captions.llm`).
"""

import csv
import importlib.resources
from collections.abc import Container
from functools import lru_cache

import polars as pl

from emorank.captions.choose import choose
from emorank.captions.template import category


def assign(table: pl.DataFrame, seed: int = 0) -> list[str | None]:
    """One of the captions of its category for every utterance; None where the category has none.

    Which one depends on the seed and the recording alone, so it does not change with the rest of the table.

    Args:
        table: utterances with `path` and `emotion`.
        seed: of the choice.
    """
    result: list[str | None] = []
    for path, emotion in zip(table["path"], table["emotion"], strict=True):
        options = by_category().get((category(emotion) or "").lower())
        result.append(choose(options, path, seed) if options else None)
    return result


def without_captions(table: pl.DataFrame, known: Container[str]) -> list[str]:
    """The categories of a table that are not among the known ones, fit to be shown."""
    names = {category(emotion) for emotion in table["emotion"].unique()}
    return sorted(name if name.isprintable() else ascii(name) for name in names if name and name.lower() not in known)


@lru_cache
def by_category() -> dict[str, list[str]]:
    """Category -> its bundled captions."""
    source = importlib.resources.files("emorank.captions") / "clap4emo.tsv"
    result: dict[str, list[str]] = {}
    with source.open(encoding="utf8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            result.setdefault(row["emotion"], []).append(row["text"])
    return result
