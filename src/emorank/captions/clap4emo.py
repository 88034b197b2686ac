"""Captions from a category and words that go with it, in the manner of CLAP4Emo (paper section 4.1).

The method gives a language model the category and words that the NRC lexicon associates with it, and asks how speech
of that kind sounds. The captions were written once, ten a category, and are bundled.
"""

import csv
import importlib.resources
from functools import lru_cache

import polars as pl

from emorank.captions.draw import drawn


def captions(table: pl.DataFrame, seed: int = 0) -> list[str | None]:
    """One of the captions of its category for every utterance; None where the category has none.

    Which one depends on the seed and the recording alone, so it does not change with the rest of the table.

    Args:
        table: utterances with `path` and `emotion`.
        seed: of the draw.
    """
    known = bundled()
    result: list[str | None] = []
    for path, emotion in zip(table["path"], table["emotion"], strict=True):
        options = known.get(emotion)
        result.append(drawn(options, path, seed) if options else None)
    return result


@lru_cache
def bundled() -> dict[str, list[str]]:
    """Category -> its captions."""
    source = importlib.resources.files("emorank.captions") / "clap4emo.tsv"
    result: dict[str, list[str]] = {}
    with source.open(encoding="utf8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            result.setdefault(row["emotion"], []).append(row["text"])
    return result
