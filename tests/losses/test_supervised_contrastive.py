"""The supervised contrastive loss against the formula and against pytorch-metric-learning."""

import math

import pytest
import torch
from torch import Tensor

from emorank.losses import SupervisedContrastive, SymmetricCrossEntropy, Targets


def batch(n: int, m: int, kinds: int = 3, seed: int = 0) -> tuple[Tensor, Tensor, Targets]:
    generator = torch.Generator().manual_seed(seed)
    audio, text = (torch.randn(size, 6, generator=generator, dtype=torch.float64) for size in (n, m))
    labels = [torch.rand(size, 2, generator=generator) * 6 + 1 for size in (n, m)]
    kind = [torch.randint(kinds, (size,), generator=generator) for size in (n, m)]
    return audio, text, Targets(labels[0], labels[1], kind[0], kind[1])


def oracle(anchors: Tensor, others: Tensor, kinds: list[int], other_kinds: list[int], scale: float) -> float:
    """L_out of Khosla et al., one pair at a time."""
    terms = []
    for anchor, kind in zip(anchors, kinds, strict=True):
        s = [scale * torch.cosine_similarity(anchor, other, dim=0).item() for other in others]
        total = math.log(sum(map(math.exp, s)))
        positives = [total - s[k] for k, other in enumerate(other_kinds) if other == kind]
        if positives:
            terms.append(sum(positives) / len(positives))
    return sum(terms) / len(terms)


@pytest.mark.parametrize(("n", "m"), [(4, 4), (7, 5), (3, 9)])
@pytest.mark.parametrize("scale", [1.0, 14.3])
def test_is_the_formula(n: int, m: int, scale: float) -> None:
    audio, text, targets = batch(n, m, kinds=4)
    assert targets.audio_category is not None
    assert targets.text_category is not None
    kinds = targets.audio_category.tolist(), targets.text_category.tolist()
    expected = (oracle(audio, text, *kinds, scale) + oracle(text, audio, *kinds[::-1], scale)) / 2
    assert SupervisedContrastive()(audio, text, targets, scale).item() == pytest.approx(expected)


def test_agrees_with_another_library() -> None:
    losses = pytest.importorskip("pytorch_metric_learning.losses")
    audio, text, targets = batch(12, 12)
    a, t = targets.audio_category, targets.text_category
    supcon = losses.SupConLoss(temperature=0.2)
    both = (supcon(audio, a, ref_emb=text, ref_labels=t) + supcon(text, t, ref_emb=audio, ref_labels=a)) / 2
    assert SupervisedContrastive()(audio, text, targets, 5.0).item() == pytest.approx(both.item(), rel=1e-6)


def test_with_one_clip_a_category_it_is_the_symmetric_cross_entropy() -> None:
    audio, text, targets = batch(6, 6)
    own = torch.arange(6)
    alone = Targets(targets.audio_labels, targets.text_labels, own, own)
    expected = SymmetricCrossEntropy()(audio, text, alone, 4.0).item()
    assert SupervisedContrastive()(audio, text, alone, 4.0).item() == pytest.approx(expected)


def test_no_positive_at_all_is_zero_and_differentiable() -> None:
    audio, text, targets = batch(4, 4)
    alone = Targets(targets.audio_labels, targets.text_labels, torch.zeros(4), torch.ones(4))
    audio.requires_grad_()
    loss = SupervisedContrastive()(audio, text, alone, 4.0)
    loss.backward()
    assert loss.item() == 0
    assert audio.grad is not None
    assert torch.isfinite(audio.grad).all()


def test_says_that_it_needs_categories() -> None:
    audio, text, targets = batch(4, 4)
    with pytest.raises(ValueError, match="needs the categories"):
        SupervisedContrastive()(audio, text, Targets(targets.audio_labels, targets.text_labels), 1.0)
