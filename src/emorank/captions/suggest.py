"""Completes a description while it is written, from the bank's training captions."""

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from emorank.captions.bank import bundled
from emorank.captions.rules import normalised, words
from emorank.captions.wording import spoken

MOST = 20  # suggestions at once
_LONGEST = 8  # words of a caption that is suggested
_LONGEST_PART = 3  # words of one that completes the last part of a description
_CONSIDERED = 200  # captions of each kind
_LIKE = 2  # suggestions that begin with the same word, while there are others


@dataclass(frozen=True)
class Suggestion:
    """A description, and where its caption lies on the plane.

    Args:
        text: the whole description.
        valence: 1..7, of the caption that completes it.
        arousal: 1..7.
    """

    text: str
    valence: float
    arousal: float


def suggest(text: str, count: int = 8) -> list[Suggestion]:
    """Descriptions that go on from what is written so far, the likeliest first.

    First those that begin with it, then those that hold its words in any order, the last one perhaps not yet whole,
    then those that complete what stands behind its last comma. Of each, short ones come first, and such as begin
    differently.

    Args:
        text: what is written so far.
        count: at most so many; up to 20.
    """
    typed = words(text)
    if not typed or text.rstrip()[-1:] in ",;":
        return []
    whole = not text[-1].isalpha()  # the last word is ended, by a space or otherwise
    result: dict[str, Suggestion] = {}
    for found, before in _candidates(text, typed, whole):
        for row in found[:_CONSIDERED]:
            suggestion = _bank().suggestion(row, before)
            result.setdefault(normalised(suggestion.text), suggestion)
    result.pop(normalised(text), None)
    return _mixed(list(result.values()), len(typed))[: min(count, MOST)]


def _candidates(text: str, typed: list[str], whole: bool) -> Iterator[tuple[list[int], str]]:
    """Rows of captions, and what stands before them in the description, from likely to less likely."""
    bank = _bank()
    yield bank.beginning(" ".join(typed) + (" " if whole else "")), ""
    yield bank.holding(typed, whole), ""
    before, comma, last = text.rpartition(",")
    if comma and words(last):
        yield bank.beginning(normalised(last) + (" " if whole else ""), _LONGEST_PART), f"{before.strip()}, "


def _mixed(found: list[Suggestion], typed: int) -> list[Suggestion]:
    """In their order, but those after the second that go on with the same word come behind all others."""
    seen: dict[str, int] = {}
    first: list[Suggestion] = []
    then: list[Suggestion] = []
    for each in found:
        key = " ".join(words(each.text)[: typed + 1])
        seen[key] = seen.get(key, 0) + 1
        (first if seen[key] <= _LIKE else then).append(each)
    return first + then


class _Bank:
    """The captions that are suggested, by what they begin with and by their words."""

    def __init__(self) -> None:
        captions = bundled("train")
        usable = [
            (tokens, text.rstrip("."), place)
            for text, place in zip(captions.texts, captions.points.clip(1, 7).tolist(), strict=True)
            if text[0].isalpha()
            and text[-1] not in "?!"
            and len(tokens := words(text)) <= _LONGEST
            and not spoken(text)
        ]
        self.rows = sorted(usable, key=lambda row: len(row[0]))  # stable: in the order of the bank
        self.begins = sorted((" ".join(tokens) + " ", row) for row, (tokens, _, _) in enumerate(self.rows))
        by_word: dict[str, set[int]] = {}
        for row, (tokens, _, _) in enumerate(self.rows):
            for word in tokens:
                by_word.setdefault(word, set()).add(row)
        self.by_word = by_word
        self.vocabulary = sorted(by_word)

    def beginning(self, text: str, longest: int = _LONGEST) -> list[int]:
        """Rows of captions that begin so, the shortest first."""
        first = bisect.bisect_left(self.begins, (text,))
        last = bisect.bisect_left(self.begins, (text + "\U0010ffff",))
        return sorted(row for _, row in self.begins[first:last] if len(self.rows[row][0]) <= longest)

    def holding(self, typed: list[str], whole: bool) -> list[int]:
        """Rows of captions that hold all words, the last one as it is or as the beginning of one."""
        sets = [self.by_word.get(word, set()) for word in (typed if whole else typed[:-1])]
        if not whole:
            first = bisect.bisect_left(self.vocabulary, typed[-1])
            last = bisect.bisect_left(self.vocabulary, typed[-1] + "\U0010ffff")
            sets.append(set().union(*(self.by_word[word] for word in self.vocabulary[first:last])))
        return sorted(set.intersection(*sets))

    def suggestion(self, row: int, before: str) -> Suggestion:
        """A caption as what completes a description."""
        _, text, (valence, arousal, _) = self.rows[row]
        text = text if text.isupper() or text.startswith("I ") else text[0].lower() + text[1:]
        return Suggestion(before + text, valence, arousal)


@lru_cache(maxsize=1)
def _bank() -> _Bank:
    return _Bank()
