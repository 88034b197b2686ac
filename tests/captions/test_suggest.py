"""Completing a description from the bank."""

import time

import pytest

from emorank.captions.bank import bundled
from emorank.captions.rules import words
from emorank.captions.suggest import MOST, suggest


def texts(typed: str, count: int = 8) -> list[str]:
    return [one.text for one in suggest(typed, count)]


def test_what_begins_so_comes_first_and_short() -> None:
    found = texts("ang")
    assert found[0] == "angry"
    assert all(words(text)[0].startswith("ang") for text in found)
    assert texts("ANG") == found
    assert "angry" not in texts("angry")
    assert all(text.startswith("angry") for text in texts("angry "))


def test_words_in_any_order_and_the_last_one_unfinished() -> None:
    assert any({"calm", "warm"} <= set(words(text)) for text in texts("warm calm"))
    found = texts("quiet fur")
    assert found
    assert all("quiet" in words(text) and any(word.startswith("fur") for word in words(text)) for text in found)


def test_the_last_part_of_a_description_is_completed() -> None:
    found = texts("tiny xylophone, tremb")
    assert found
    assert all(text.startswith("tiny xylophone, tremb") for text in found)


@pytest.mark.parametrize("typed", ["", " ", "zxqw", "calm,", "'", "ж", "\0", "\U0010ffff", "a" * 500, "," * 500])
def test_nothing_to_suggest(typed: str) -> None:
    assert suggest(typed) == []


def test_places_are_those_of_the_captions_and_on_the_plane() -> None:
    captions = bundled("train")
    bank = {text.rstrip(".").lower(): point for text, point in zip(captions.texts, captions.points, strict=True)}
    for one in suggest("sad"):
        assert [one.valence, one.arousal] == pytest.approx(bank[one.text.lower()][:2].clip(1, 7))


def test_it_is_bounded_and_fast() -> None:
    suggest("c")
    begun = time.perf_counter()
    for letter in "abcdefghijklmnopqrstuvwxyz":
        found = suggest(letter, 1000)
        assert len(found) <= MOST
        assert len({one.text.lower() for one in found}) == len(found)
    assert time.perf_counter() - begun < 2  # 0.1 where nothing else runs
