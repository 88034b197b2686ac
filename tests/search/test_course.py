"""The course of a recording: aggregates are what a slow loop gives, and words say what the places bear out."""

import numpy as np
import pytest

from emorank.affect import DIMENSIONS
from emorank.search.course import WINDOW, aggregated, striking


def segments(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Segments with pauses between some of them, and places."""
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.uniform(0.3, 5.0, 2 * count))
    starts, ends = edges[::2], edges[1::2].copy()
    ends[::3] = np.append(starts[1:], ends[-1])[::3]  # no pause behind every third
    return starts, ends, rng.uniform(1, 7, (count, 3)).astype(np.float32)


@pytest.mark.parametrize("part", [(0.0, 100.0, 50), (3.3, 17.9, 200), (0.0, 400.0, 3), (90.0, 4000.0, 64)])
def test_aggregates_are_those_of_a_slow_loop(part: tuple[float, float, int]) -> None:
    start, end, bins = part
    starts, ends, places = segments(60)
    found = aggregated(starts, ends, places, start, end, bins)
    width = (end - start) / bins
    for place in range(bins):
        begin, until = start + place * width, start + (place + 1) * width
        spoken = np.minimum(ends, until) - np.maximum(starts, begin)
        inside = spoken > 1e-9
        for i, name in enumerate(DIMENSIONS):
            line = found[name]
            if not inside.any():
                assert np.isnan([line.low[place], line.mean[place], line.high[place]]).all()
                continue
            values = places[inside, i]
            assert (line.low[place], line.high[place]) == (values.min(), values.max())
            assert line.mean[place] == pytest.approx(np.average(values, weights=spoken[inside]), abs=1e-4)


def test_what_a_model_lacks_has_no_line() -> None:
    starts, ends, places = segments(10)
    places[:, 2] = np.nan
    found = aggregated(starts, ends, places, 0, 60, 30)
    assert np.isnan(found["dominance"].mean).all()
    assert not np.isnan(found["valence"].mean).all()
    assert np.isnan(aggregated(starts, ends, places, 1e6, 2e6, 4)["valence"].mean).all()


def calls(**moods: tuple[float, tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten minutes of neutral speech in segments of 4 s every 5 s, with 40 s of each mood from a time on."""
    starts = np.arange(0, 600, 5.0)
    places = np.full((len(starts), 3), 4.0, np.float32)
    places[:, :2] += np.random.default_rng(0).normal(0, 0.1, (len(starts), 2))
    for at, place in moods.values():
        places[(starts >= at) & (starts < at + 40)] = place
    return starts, starts + 4.0, places


def test_stretches_are_named_where_they_are() -> None:
    found = striking(*calls(angry=(100, (2, 6, 5)), calm=(300, (6, 2, 4))))
    assert [one.name for one in found] == ["angriest", "calmest"]
    for one, at, places in ((found[0], 100, (2, 6)), (found[1], 300, (6, 2))):
        assert at <= one.start <= at + 10
        assert one.end - one.start == pytest.approx(WINDOW, abs=1.01)
        assert (one.places["valence"], one.places["arousal"]) == pytest.approx(places)


def test_nothing_is_said_where_nothing_stands_out() -> None:
    assert striking(*calls()) == []
    starts, ends, places = calls(angry=(0, (2, 6, 5)))
    few = starts < 50
    assert striking(starts[few], ends[few], places[few]) == []  # too little speech
    places[:] = (2, 6, 5)
    assert striking(starts, ends, places) == []  # angry all through: no stretch is the angriest
    assert striking(np.zeros(0), np.zeros(0), np.zeros((0, 3))) == []


def test_one_shout_in_silence_is_no_stretch() -> None:
    starts, ends, places = calls()
    starts, ends = np.append(starts, 700.0), np.append(ends, 703.0)
    places = np.vstack([places, [[1.5, 6.5, 5]]])
    assert striking(starts, ends, places) == []


@pytest.mark.parametrize(
    ("known", "names"),
    [
        (("arousal", "valence"), ["angriest", "calmest"]),
        (("arousal",), ["most energetic", "least energetic"]),
        (("dominance", "valence"), ["most positive", "most negative", "most dominant"]),
        (("dominance",), ["most dominant"]),
    ],
)
def test_words_are_of_what_the_model_knows(known: tuple[str, ...], names: list[str]) -> None:
    starts, ends, places = calls(angry=(100, (2, 6, 6)), calm=(300, (6, 2, 4)))
    places[:, [i for i, name in enumerate(DIMENSIONS) if name not in known]] = np.nan
    found = striking(starts, ends, places, known)
    assert [one.name for one in found] == names
    assert all(set(one.places) <= set(known) for one in found)
