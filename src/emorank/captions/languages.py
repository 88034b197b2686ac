"""Descriptions in other languages than English: the bundled ones, and how one is told."""

import csv
import importlib.resources
from functools import lru_cache
from typing import Literal

import numpy as np

from emorank.captions.bank import Captions
from emorank.captions.bank import bundled as english
from emorank.captions.rules import words

__all__ = ["bundled", "strange", "translations"]


@lru_cache
def bundled(split: Literal["train", "development"] | None = None) -> Captions:
    """Descriptions in fourteen languages, none a translation of another; a language model wrote them one by one.

    Args:
        split: `train`; or `development`, by which choices are made: all descriptions at some places, and whatever is
            as good as the same as one of them or as a test description. None is both.
    """
    with (importlib.resources.files("emorank.captions") / "languages.tsv").open(encoding="utf8") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        rows = [row for row in lines if split in (None, row["split"])]
    points = [[float(row[name]) for name in ("valence", "arousal", "dominance")] for row in rows]
    return Captions(tuple(row["text"] for row in rows), np.array(points, np.float32))


@lru_cache
def translations() -> tuple[tuple[str, str], ...]:
    """Pairs of a description in German, French, Spanish, Polish or Chinese and the training caption that it translates.

    A language model wrote them for a drawn part of the bank's training captions, each in all five; where a caption or a
    translation was as good as the same as a development description of `bundled` or as a test description, all five
    were left out. Encoders are tuned on them (benchmarks/descriptions_in_languages.py); a head gains nothing by them.
    """
    with (importlib.resources.files("emorank.captions") / "translations.tsv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return tuple((row[language], row["en"]) for row in rows for language in row if language != "en")


def strange(text: str) -> bool:
    """Whether at least half of its words stand in no training caption of the bank.

    They do in nearly every description in another language, whatever its script, and in few in English.
    """
    tokens = words(text)
    known = _vocabulary()
    return sum(token not in known for token in tokens) >= len(tokens) / 2 > 0


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    return frozenset(token for text in english("train").texts for token in words(text))
