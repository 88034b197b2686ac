"""Rank-N-Contrast against the formula, written out slowly, and against its invariants."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from emorank.losses import RankNContrast, Targets
from emorank.losses import rank_n_contrast as module
from emorank.losses.denominators import losses, ranked
from emorank.losses.rank_n_contrast import squared_distances

READINGS = ["at_least_as_far", "farther_and_self", "farther"]


def negatives_of(distances: Tensor, i: int, j: int, reading: str) -> list[int]:
    """The set S_ij of the formula."""
    row = distances[i].tolist()
    if reading == "at_least_as_far":
        return [k for k, d in enumerate(row) if d >= row[j]]
    farther = [k for k, d in enumerate(row) if d > row[j]]
    return [*farther, j] if reading == "farther_and_self" else farther


def oracle(
    audio: Tensor, text: Tensor, audio_labels: Tensor, text_labels: Tensor, scale: float, reading: str
) -> Tensor:
    """The paper's double sum, one pair at a time."""
    distances = torch.cdist(audio_labels.double(), text_labels.double())
    terms = []
    for i in range(len(audio)):
        similarity = torch.stack([torch.cosine_similarity(audio[i], t, dim=0) for t in text]) * scale
        for j in range(len(text)):
            inside = negatives_of(distances, i, j, reading)
            if inside:
                terms.append(-torch.log(similarity[j].exp() / sum(similarity[k].exp() for k in inside)))
    return torch.stack(terms).mean()


def batch(n: int, m: int, seed: int = 0, grid: bool = False, k: int = 2) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = [torch.rand(size, k, generator=generator, dtype=torch.float64) * 6 + 1 for size in (n, m)]
    if grid:  # many ties
        labels = [label.round() for label in labels]
    embeddings = [torch.randn(size, 5, generator=generator, dtype=torch.float64) for size in (n, m)]
    return embeddings[0], embeddings[1], labels[0], labels[1]


def test_golden_case_of_figure_1() -> None:
    labels = torch.tensor([[6.0, 6.0], [1.0, 6.5], [2.0, 1.0]])
    distances = squared_distances(labels, labels)
    assert negatives_of(distances, 0, 0, "farther") == [1, 2]
    assert negatives_of(distances, 0, 1, "farther") == [2]
    assert negatives_of(distances, 0, 2, "farther") == []
    s = torch.tensor([0.9, 0.3, -0.2])
    total, pairs, _ = losses(s[None], distances[:1], "farther")
    by_hand = (
        -math.log(math.exp(0.9) / (math.exp(0.3) + math.exp(-0.2))) - math.log(math.exp(0.3) / math.exp(-0.2))
    ) / 2
    assert (total / pairs).item() == pytest.approx(by_hand, abs=1e-6)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("shape", [(5, 5), (3, 8), (8, 3), (1, 4)])
@pytest.mark.parametrize("grid", [False, True])
def test_equals_the_formula(reading: str, shape: tuple[int, int], grid: bool) -> None:
    audio, text, a, t = batch(*shape, grid=grid)
    loss = RankNContrast(reading)(audio, text, Targets(a, t), 3.0)
    torch.testing.assert_close(loss, oracle(audio, text, a, t, 3.0, reading))


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 6), m=st.integers(2, 6), k=st.integers(1, 3), seed=st.integers(0, 10_000), grid=st.booleans())
def test_equals_the_formula_anywhere(n: int, m: int, k: int, seed: int, grid: bool) -> None:
    audio, text, a, t = batch(n, m, seed, grid, k)
    if grid and torch.cdist(a, t).std(1).max() == 0:
        return  # every text ties: the printed reading has no pair at all
    for reading in READINGS:
        loss = RankNContrast(reading)(audio, text, Targets(a, t), 2.0)
        torch.testing.assert_close(loss, oracle(audio, text, a, t, 2.0, reading))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("anchors", ["audio", "both"])
def test_gradients(reading: str, anchors: str) -> None:
    audio, text, a, t = batch(4, 5, grid=True)
    audio.requires_grad_()
    text.requires_grad_()
    scale = torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    loss = RankNContrast(reading, anchors)
    assert torch.autograd.gradcheck(lambda x, y, s: loss(x, y, Targets(a, t), s), (audio, text, scale))


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("anchors", ["audio", "both"])
def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch, reading: str, anchors: str) -> None:
    audio, text, a, t = batch(11, 13, grid=True)
    found = []
    for tile in (13, 40, 10_000):  # one row, a few with a rest, all
        monkeypatch.setattr(module, "_TILE", tile)
        leaves = [x.clone().requires_grad_() for x in (audio, text, torch.tensor(3.0, dtype=torch.float64))]
        loss = RankNContrast(reading, anchors)(leaves[0], leaves[1], Targets(a, t), leaves[2])
        loss.backward()
        found.append((loss.detach(), *(x.grad for x in leaves)))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


@pytest.mark.parametrize("reading", READINGS)
def test_exponents_beyond_what_a_double_adds_up(reading: str) -> None:
    """A scale of 2,000 spreads the logits over 4,000; the sums are then taken as logarithms throughout."""
    audio, text, a, t = batch(6, 9)
    leaves = [x.clone().requires_grad_() for x in (audio, text)]
    loss = RankNContrast(reading)(*leaves, Targets(a, t), 2000.0)
    loss.backward()
    logits = 2000 * torch.nn.functional.normalize(audio, dim=1) @ torch.nn.functional.normalize(text, dim=1).T
    terms = []
    for i in range(6):
        distances = torch.cdist(a, t)
        for j in range(9):
            inside = negatives_of(distances, i, j, reading)
            if inside:
                terms.append(logits[i, inside].logsumexp(0) - logits[i, j])
    torch.testing.assert_close(loss.detach(), torch.stack(terms).mean())
    assert all(x.grad is not None and x.grad.isfinite().all() for x in leaves)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 5), m=st.integers(1, 40), seed=st.integers(0, 10_000), grid=st.booleans())
def test_places_of_ties(n: int, m: int, seed: int, grid: bool) -> None:
    _, _, a, t = batch(n, m, seed, grid)
    distances = squared_distances(a, t)
    order, first, beyond = ranked(distances)
    by_distance = distances.gather(1, order)
    for row in range(n):
        values = by_distance[row].tolist()
        assert values == sorted(values)
        assert first[row].tolist() == [values.index(value) for value in values]
        assert beyond[row].tolist() == [sum(other <= value for other in values) for value in values]


@pytest.mark.parametrize("reading", READINGS)
def test_order_of_the_batch_does_not_count(reading: str) -> None:
    audio, text, a, t = batch(6, 7, grid=True)
    loss = RankNContrast(reading, "both")
    p, q = torch.randperm(6), torch.randperm(7)
    torch.testing.assert_close(loss(audio, text, Targets(a, t), 4.0), loss(audio[p], text[q], Targets(a[p], t[q]), 4.0))


@pytest.mark.parametrize("reading", READINGS)
def test_both_anchors_is_the_mean_of_the_two_sides(reading: str) -> None:
    audio, text, a, t = batch(4, 6)
    one, other = RankNContrast(reading), RankNContrast(reading, "both")
    mean = (one(audio, text, Targets(a, t), 2.0) + one(text, audio, Targets(t, a), 2.0)) / 2
    torch.testing.assert_close(other(audio, text, Targets(a, t), 2.0), mean)


@pytest.mark.parametrize("reading", ["at_least_as_far", "farther_and_self"])
def test_never_negative(reading: str) -> None:
    for seed in range(20):
        audio, text, a, t = batch(5, 9, seed, grid=bool(seed % 2))
        assert RankNContrast(reading)(audio, text, Targets(a, t), 50.0) >= 0


def test_the_printed_reading_is_unbounded_below() -> None:
    audio = torch.eye(3, dtype=torch.float64)
    labels = torch.tensor([[1.0], [4.0], [7.0]])
    low, high = (RankNContrast("farther")(audio, audio, Targets(labels, labels), scale) for scale in (1.0, 100.0))
    assert high < low < 0


@pytest.mark.parametrize("reading", READINGS)
def test_all_texts_tie(reading: str) -> None:
    audio, text, a, _ = batch(3, 4)
    text.requires_grad_()
    loss = RankNContrast(reading)(audio, text, Targets(a, torch.full((4, 2), 4.0)), 5.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert text.grad is not None
    assert torch.isfinite(text.grad).all()
    if reading == "farther":
        assert loss == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("reading", READINGS)
def test_stable_in_low_precision_at_the_largest_scale(dtype: torch.dtype, reading: str) -> None:
    audio, text, a, t = batch(16, 24, grid=True)
    low = [x.to(dtype).requires_grad_() for x in (audio, text)]
    loss = RankNContrast(reading)(*low, Targets(a, t), 100.0)
    loss.backward()
    exact = RankNContrast(reading)(low[0].detach().double(), low[1].detach().double(), Targets(a, t), 100.0)
    assert loss.item() == pytest.approx(exact.item(), rel=1e-4)
    assert all(x.grad is not None and torch.isfinite(x.grad).all() for x in low)


def test_unknown_options_are_named() -> None:
    with pytest.raises(ValueError, match="negatives must be one of"):
        RankNContrast("nearer")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="anchors must be one of"):
        RankNContrast(anchors="text")  # type: ignore[arg-type]


def test_weights_stretch_the_dimensions() -> None:
    audio, text, audio_labels, text_labels = batch(7, 9)
    stretch = torch.tensor([1.5, 0.5], dtype=torch.float64)
    weighted = RankNContrast(weights=(1.5, 0.5))(audio, text, Targets(audio_labels, text_labels), 3.0)
    stretched = RankNContrast()(audio, text, Targets(audio_labels * stretch, text_labels * stretch), 3.0)
    assert torch.equal(weighted, stretched)
    with pytest.raises(ValueError, match="zip"):
        RankNContrast(weights=(1.0, 1.0, 1.0))(audio, text, Targets(audio_labels, text_labels), 3.0)
