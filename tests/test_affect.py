"""The space of affect: published points on the 1..7 scale."""

import pytest

from emorank.affect import CATEGORIES, Affect, category_of, point, unpredictability


def test_points_are_the_published_ones_on_our_scale() -> None:
    assert point("anger") == Affect(2.47, 5.77, 4.75)
    assert point("happiness") == Affect(6.43, 5.53, 5.38)
    assert point("neutral") == Affect(4, 4, 4)


@pytest.mark.parametrize("category", CATEGORIES)
def test_strength_moves_away_from_neutral_and_lift_raises_arousal(category: str) -> None:
    weak, strong = point(category, 0.5), point(category, 1.0)
    for near, far in zip(weak, strong, strict=True):
        assert abs(near - 4) <= abs(far - 4)
    assert point(category, 1.0, 0.5).arousal == pytest.approx(min(7, strong.arousal + 0.5))
    assert point(category, 0.0) == Affect(4, 4, 4)


@pytest.mark.parametrize("category", CATEGORIES)
def test_points_stay_on_the_scale(category: str) -> None:
    assert all(1 <= value <= 7 for value in point(category, 9.0, 9.0))


def test_anger_and_fear_differ_in_dominance() -> None:
    assert point("anger").dominance > 4 > point("fear").dominance


def test_surprise_is_foreseen_least_and_then_fear() -> None:
    found = {category: unpredictability(category) for category in CATEGORIES}
    assert sorted(found, key=lambda name: -found[name])[:2] == ["surprise", "fear"]
    assert all(1 <= value <= 7 for value in found.values())


@pytest.mark.parametrize(
    ("names", "category"),
    [
        (("happy", "Happy ", "JOY", "hap", "happiness"), "happiness"),
        (("angry", "ang", "Anger"), "anger"),
        (("sad", "sadness"), "sadness"),
        (("fearful", "Fear", "afraid"), "fear"),
        (("disgusted", "surprised", "bored", "relaxed", "neu"), ("disgust", "surprise", "boredom", "calm", "neutral")),
        (("pride", "Quiet_Pride"), ("pride", "quiet pride")),
        (("xxx", "No_Agreement", "Other"), ("no agreement", "no agreement", "other")),
    ],
)
def test_synonyms_are_one_category_and_other_words_stay(
    names: tuple[str, ...], category: str | tuple[str, ...]
) -> None:
    expected = (category,) * len(names) if isinstance(category, str) else category
    assert tuple(map(category_of, names)) == expected
    assert tuple(map(category_of, expected)) == expected
