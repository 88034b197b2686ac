"""Retrieval against slow counting, another library, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank.evaluation.retrieval import Direction, average_precisions, ranked, retrieval

Case = tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]


def case(clips: int, captions: int, seed: int = 0, spread: int = 40) -> Case:
    """Utterances around captions that several of them share; whole numbers, so that similarities are exact."""
    rng = np.random.default_rng(seed)
    text = rng.integers(-spread, spread + 1, (captions, 4)).astype(float)
    caption_of = np.concatenate([np.arange(captions), rng.integers(0, captions, clips - captions)])
    audio = text[caption_of] + rng.integers(-spread, spread + 1, (clips, 4))
    return audio, text, caption_of, [str(kind) for kind in rng.choice(["a", "b", "c"], clips)]


def slow(queries: list[int], items: list[int], similar, own, right) -> dict[str, object]:
    """The definitions, one query after the other; of equal similarities the wrong come first."""
    first, hits, share, ceiling, precision = [], [], [], [], []
    for query in queries:
        order = sorted(items, key=lambda item: (-similar(query, item), own(query, item)))
        mine = [own(query, item) for item in order]
        first.append(mine.index(True) + 1)
        hits.append([any(mine[:k]) for k in (1, 5, 10)])
        share.append([sum(mine[:k]) / sum(mine) for k in (1, 5, 10)])
        ceiling.append([min(k, sum(mine)) / sum(mine) for k in (1, 5, 10)])
        order = sorted(items, key=lambda item: (-similar(query, item), right(query, item)))
        good = [right(query, item) for item in order]
        precision.append(np.mean([sum(good[: i + 1]) / (i + 1) for i, each in enumerate(good) if each]))
    return {
        "recall": np.mean(hits, axis=0),
        "item_recall": np.mean(share, axis=0),
        "item_ceiling": np.mean(ceiling, axis=0),
        "median_rank": np.median(first),
        "map": np.mean(precision),
    }


def agree(found: Direction, expected: dict[str, object]) -> None:
    for name, value in expected.items():
        own = getattr(found, name)
        assert (list(own.values()) if isinstance(own, dict) else own) == pytest.approx(value), name


@given(st.integers(1, 12), st.integers(0, 25), st.integers(0, 10**6), st.sampled_from([1, 40]))
@settings(max_examples=60, deadline=None)
def test_it_is_the_definition(captions: int, more: int, seed: int, spread: int) -> None:
    audio, text, caption_of, kinds = case(captions + more, captions, seed, spread)
    found = retrieval(audio, text, caption_of, kinds)
    kinds_of = [{kinds[c] for c in range(len(audio)) if caption_of[c] == t} for t in range(captions)]

    def own(caption: int, clip: int) -> bool:
        return bool(caption_of[clip] == caption)

    def right(caption: int, clip: int) -> bool:
        return kinds[clip] in kinds_of[caption]

    def similar(caption: int, clip: int) -> float:
        return float(text[caption] @ audio[clip])

    all_captions, all_clips = list(range(captions)), list(range(len(audio)))
    agree(found.text_to_audio, slow(all_captions, all_clips, similar, own, right))
    turned = [lambda clip, caption, f=f: f(caption, clip) for f in (similar, own, right)]
    agree(found.audio_to_text, slow(all_clips, all_captions, *turned))
    assert (found.pairs, found.text_to_audio.queries, found.text_to_audio.items) == (len(audio), captions, len(audio))


@given(st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_rows_changes_nothing(seed: int) -> None:
    audio, text, caption_of, kinds = case(30, 8, seed, spread=1)  # many similarities are equal
    rng = np.random.default_rng(seed)
    clips, captions = rng.permutation(30), rng.permutation(8)
    moved = retrieval(audio[clips], text[captions], np.argsort(captions)[caption_of[clips]], [kinds[c] for c in clips])
    for one, other in zip(
        (moved.text_to_audio, moved.audio_to_text), _both(retrieval(audio, text, caption_of, kinds)), strict=True
    ):
        assert one.map == pytest.approx(other.map)
        assert one.item_recall == pytest.approx(other.item_recall)
        assert (one.recall, one.median_rank) == (other.recall, other.median_rank)


@given(st.integers(0, 10**6), st.integers(2, 4))
@settings(max_examples=20, deadline=None)
def test_more_clips_of_the_same_kind_make_no_caption_harder_to_find(seed: int, times: int) -> None:
    """The same utterances again, with the same captions: before, R@1 could then reach no more than 1 / times."""
    audio, text, caption_of, kinds = case(30, 8, seed)
    once = retrieval(audio, text, caption_of, kinds)
    more = retrieval(np.tile(audio, (times, 1)), text, np.tile(caption_of, times), kinds * times)
    assert more.audio_to_text.recall == pytest.approx(once.audio_to_text.recall)
    assert more.text_to_audio.recall[1] == once.text_to_audio.recall[1]
    assert more.text_to_audio.ceiling == {1: 1, 5: 1, 10: 1}
    assert more.text_to_audio.item_ceiling[1] <= 1 / times


def test_a_perfect_model_reaches_every_ceiling() -> None:
    caption_of = np.repeat(np.arange(12), np.arange(1, 13))  # the last caption has 12 clips
    found = retrieval(np.eye(12)[caption_of], np.eye(12), caption_of, [str(c) for c in caption_of])
    for each in _both(found):
        assert each.recall == each.ceiling == {1: 1, 5: 1, 10: 1}
        assert each.item_recall == pytest.approx(each.item_ceiling)
        assert (each.map, each.median_rank) == (1, 1)
    assert found.text_to_audio.item_ceiling[10] == pytest.approx(np.mean([1] * 10 + [10 / 11, 10 / 12]))


def test_a_model_that_tells_nothing_apart_finds_nothing() -> None:
    caption_of = np.repeat(np.arange(20), 2)
    found = retrieval(np.zeros((40, 3)), np.zeros((20, 3)), caption_of)
    assert found.text_to_audio.recall == found.audio_to_text.recall == {1: 0, 5: 0, 10: 0}
    assert (found.text_to_audio.median_rank, found.audio_to_text.median_rank) == (39, 20)
    assert found.text_to_audio.map is None


def test_some_queries_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = retrieval(*case(50, 20))
    monkeypatch.setattr("emorank.evaluation.retrieval._SIMILARITIES", 70)
    assert retrieval(*case(50, 20)) == whole


def test_of_equal_similarities_the_wrong_come_first() -> None:
    similarity = np.array([[0.5, 0.9, 0.5, 0.5]])
    right = np.array([[True, False, False, True]])
    assert ranked(similarity, right).tolist() == [[False, False, True, True]]
    assert average_precisions(similarity, right).tolist() == [pytest.approx((1 / 3 + 2 / 4) / 2)]


def test_average_precision_agrees_with_another_library() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    similarity, right = rng.normal(size=(6, 30)), rng.random((6, 30)) < 0.3
    expected = [metrics.average_precision_score(r, s) for r, s in zip(right, similarity, strict=True)]
    np.testing.assert_allclose(average_precisions(similarity, right), expected)


def _both(found) -> tuple[Direction, Direction]:
    return found.text_to_audio, found.audio_to_text


def slow_ranked(similarity: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.take_along_axis(right, np.lexsort((right, -similarity), axis=1), axis=1)


@given(st.integers(0, 10**6), st.sampled_from([np.float32, np.float64]), st.sampled_from([0, 1e-30, 1.0, 1.999, 1e9]))
@settings(max_examples=40, deadline=None)
def test_the_order_is_that_of_a_full_sort_whatever_the_numbers(seed: int, kind: type, size: float) -> None:
    rng = np.random.default_rng(seed)
    similarity = (size * rng.uniform(-1, 1, (4, 30))).astype(kind)
    similarity[:, 10:20] = similarity[:, :10]  # the same numbers twice
    similarity[:, 20:24] = [0.0, -0.0, size, -size]
    right = rng.random((4, 30)) < 0.4
    assert (ranked(similarity, right) == slow_ranked(similarity, right)).all()


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emorank.evaluation.retrieval._SIMILARITIES", 70)
    assert retrieval(*case(50, 20), jobs=3) == retrieval(*case(50, 20))
