"""Whether a description is in English, by the words that the bank's captions are made of."""

from functools import lru_cache

from emorank.captions.bank import bundled
from emorank.captions.rules import words

__all__ = ["strange"]


def strange(text: str) -> bool:
    """Whether more than half of its words stand in no training caption of the bank.

    They do in nearly every description in another language, whatever its script, and in few in English.
    """
    tokens = words(text)
    known = _vocabulary()
    return sum(token not in known for token in tokens) > len(tokens) / 2


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    return frozenset(token for text in bundled("train").texts for token in words(text))
