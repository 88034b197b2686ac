"""Symmetric cross-entropy against the formula and against pytorch-metric-learning."""

import math

import pytest
import torch
from torch import Tensor

from emorank.losses import SymmetricCrossEntropy, Targets


def pairs(n: int, seed: int = 0) -> tuple[Tensor, Tensor, Targets]:
    generator = torch.Generator().manual_seed(seed)
    audio, text = (torch.randn(n, 6, generator=generator, dtype=torch.float64) for _ in range(2))
    labels = torch.rand(n, 2, generator=generator) * 6 + 1
    return audio, text, Targets(labels, labels)


def oracle(audio: Tensor, text: Tensor, scale: float) -> float:
    """Both cross-entropies, one exponential at a time."""
    n = len(audio)
    s = [[math.exp(scale * torch.cosine_similarity(a, t, dim=0).item()) for t in text] for a in audio]
    rows = sum(-math.log(s[i][i] / sum(s[i])) for i in range(n)) / n
    columns = sum(-math.log(s[i][i] / sum(s[k][i] for k in range(n))) for i in range(n)) / n
    return (rows + columns) / 2


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize("scale", [1.0, 14.3])
def test_is_the_formula(n: int, scale: float) -> None:
    audio, text, targets = pairs(n)
    assert SymmetricCrossEntropy()(audio, text, targets, scale).item() == pytest.approx(oracle(audio, text, scale))


def test_agrees_with_another_library() -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    audio, text, targets = pairs(9)
    own = torch.arange(9)
    ntxent = losses.NTXentLoss(temperature=0.2)
    both = (ntxent(audio, own, ref_emb=text, ref_labels=own.clone()) + ntxent(text, own, None, audio, own.clone())) / 2
    assert SymmetricCrossEntropy()(audio, text, targets, 5.0).item() == pytest.approx(both.item(), rel=1e-6)


def test_order_and_sides_do_not_matter() -> None:
    audio, text, targets = pairs(8)
    order = torch.randperm(8, generator=torch.Generator().manual_seed(1))
    loss = SymmetricCrossEntropy()
    expected = loss(audio, text, targets, 3.0).item()
    assert loss(audio[order], text[order], targets, 3.0).item() == pytest.approx(expected)
    assert loss(text, audio, targets, 3.0).item() == pytest.approx(expected)
    assert loss(audio, text[order], targets, 3.0).item() != pytest.approx(expected)


def test_says_that_it_needs_pairs() -> None:
    audio, text, targets = pairs(5)
    with pytest.raises(ValueError, match="needs pairs: there are 5 audios and 4 texts"):
        SymmetricCrossEntropy()(audio, text[:4], targets, 1.0)
