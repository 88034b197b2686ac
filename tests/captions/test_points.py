"""Utterances as points, and captions given out to them."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.affect import CATEGORIES
from emorank.captions.clap4emo import by_category
from emorank.captions.llm.prompt import Point, load_prompt
from emorank.captions.points import categories_of, hand_out, points_of, splits_of, spoken, wanted
from emorank.errors import EmorankError

ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.sampled_from([1.0, 2.2, 4.0])),
        st.sampled_from([3.0, 6.9]),
        st.sampled_from(["train", "development", "test", None]),
    ),
    min_size=1,
    max_size=40,
)


def frame(rows: list[tuple[float | None, float, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, {"valence": pl.Float64, "arousal": pl.Float64, "split": pl.String}, orient="row")


@given(ROWS, st.integers(1, 3))
def test_sets_of_a_point_are_whole_and_splits_share_nothing(rows: list, count: int) -> None:
    table = frame(rows)
    points, splits = points_of(table, 0.5), splits_of(table)
    need = wanted(points, splits, "point", count)
    captions = {point: [f"{point} {i}" for i in range(number)] for point, number in need.items()}
    out = hand_out(points, splits, captions, "point", count)
    assert [text is None for text in out] == [valence is None for valence, _, _ in rows]
    owner: dict[str, str] = {}
    for text, split, point in zip(out, splits, points, strict=True):
        if text is not None:
            assert text.startswith(f"{point} ")
            assert owner.setdefault(text, split) == split
    assert out == hand_out(points, splits, captions, "point", count)


@given(ROWS)
def test_every_utterance_has_its_own(rows: list) -> None:
    table = frame(rows)
    points, splits = points_of(table, 0.1), splits_of(table)
    need = wanted(points, splits, "utterance", 4)
    captions = {point: [f"{point} {i}" for i in range(number)] for point, number in need.items()}
    out = [text for text in hand_out(points, splits, captions, "utterance", 4) if text is not None]
    assert len(set(out)) == len(out) == sum(valence is not None for valence, _, _ in rows)


def test_given_up_captions_leave_gaps_or_serve_twice() -> None:
    point = Point(4.0, 4.0)
    assert hand_out([point, None], ["train", "train"], {point: []}, "point", 4) == [None, None]
    assert hand_out([point] * 3, ["train"] * 3, {point: ["a", "b"]}, "utterance", 4) == ["a", "b", "a"]


def test_points_are_rounded_and_take_what_is_asked_for() -> None:
    table = pl.DataFrame(
        {"valence": [2.24, None], "arousal": [6.76, 3.0], "dominance": [5.1, 2.0], "gender": ["F", "male"]}
    )
    assert points_of(table, 0.5) == [Point(2.0, 7.0), None]
    assert points_of(table, 0.1, dominance=True, gender=True) == [Point(2.2, 6.8, 5.1, "female"), None]
    with pytest.raises(EmorankError, match="no column gender"):
        points_of(table.drop("gender"), 0.5, gender=True)


def test_splits_choose_whose_captions_are_taken() -> None:
    table = pl.DataFrame({"split": ["train", "Development", "validation", "test", "test2", None, "other"]})
    assert splits_of(table) == ["train", "development", "development", "test", "test", "train", "train"]


def test_what_is_said_is_kept_from_captions_of_its_point_alone() -> None:
    table = pl.DataFrame({"transcript": ["Open the red door now, please", None, "too short"]})
    forbidden = spoken([Point(1.0, 1.0), Point(1.0, 1.0), Point(2.0, 2.0)], table)
    assert ("open", "the", "red", "door", "now") in forbidden[Point(1.0, 1.0)]
    assert not forbidden[Point(2.0, 2.0)]


def test_a_category_is_what_the_raters_agreed_on_and_has_words() -> None:
    table = pl.DataFrame({"emotion": ["anger", " Anger ", "no agreement", "other", "Unknown", "", None, "grumpiness"]})
    first, second, *rest = categories_of(table)
    assert first is not None
    assert first == second
    assert first.emotion == "anger"
    assert "furious" in first.words
    assert rest == [None] * 6
    with pytest.raises(EmorankError, match="no column emotion"):
        categories_of(table.drop("emotion"))


def test_every_prompt_is_its_own_version_and_has_words_for_every_bundled_category() -> None:
    for name in ("plane", "clap4emo"):
        prompt = load_prompt(name)
        assert prompt.version.startswith(f"{name}-")
        assert '{"items": [{"id": 1, "captions"' in prompt.system
    words = load_prompt("clap4emo").words
    assert set(words) > set(by_category()) == set(CATEGORIES)
    assert all(len(set(own)) == len(own) >= 10 for own in words.values())
