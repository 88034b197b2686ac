"""What a tuning minimises: disagreement in the dimensions, wrong categories, order against descriptions."""

import torch
from torch import Tensor
from torch.nn import functional

from emorank.affect import NEUTRAL

_FEWEST = 4  # clips of a corpus in a batch, below which it has no agreement


def agreement(places: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Concordance correlation coefficient (Lin 1989) of every dimension within groups of clips.

    Args:
        places: (n, k).
        labels: (n, k).
        weights: (groups, n), each row's sum 1, or 0 for an empty group.

    Returns:
        (groups, k).
    """
    mean, wanted = weights @ places, weights @ labels
    shared = weights @ (places * labels) - mean * wanted
    apart = weights @ places.square() - mean.square()
    spread = weights @ labels.square() - wanted.square()
    return 2 * shared / (apart + spread + (mean - wanted).square() + 1e-4)


def disagreement(places: Tensor, labels: Tensor, corpus: Tensor, corpora: int) -> Tensor:
    """1 - agreement within each corpus, so that telling corpora apart is worth nothing; the mean over all of them."""
    own = functional.one_hot(corpus, corpora).T.to(places.dtype)
    sizes = own.sum(1, keepdim=True)
    there = (sizes >= _FEWEST).to(places.dtype)
    found = agreement(places - NEUTRAL, labels - NEUTRAL, own / sizes.clamp(min=1))
    return ((1 - found) * there).sum() / (there.sum() * labels.shape[1]).clamp(min=1)


def confusion(logits: Tensor, category: Tensor, possible: Tensor) -> Tensor:
    """Cross-entropy among the categories that a clip's corpus has, so that no category gives away a corpus.

    Args:
        logits: (n, categories).
        category: (n,) right ones.
        possible: (n, categories) whether the corpus has them.
    """
    allowed = logits.masked_fill(~possible, -1e4)
    smooth = torch.where(possible, 0.1 / possible.sum(1, keepdim=True), 0.0)
    wanted = smooth + 0.9 * functional.one_hot(category, logits.shape[1])
    return -(wanted * allowed.log_softmax(1)).sum(1).mean()


def separation(pooled: Tensor, corpus: Tensor, corpora: int) -> Tensor:
    """How far means and covariances of the corpora are apart (CORAL, Sun & Saenko 2016), 0 where they are alike."""
    scaled = (pooled - pooled.mean(0)) / (pooled.std(0) + 1e-3)
    moments = []
    for number in range(corpora):
        own = scaled[corpus == number]
        if len(own) >= _FEWEST:
            centred = own - own.mean(0)
            moments.append((own.mean(0), centred.T @ centred / (len(own) - 1)))
    total = pooled.sum() * 0
    for index, (mean, covariance) in enumerate(moments):
        for other, spread in moments[:index]:
            total = total + (mean - other).square().mean() + (covariance - spread).square().mean()
    return total / max(1, len(moments) * (len(moments) - 1) // 2)


def order(places: Tensor, labels: Tensor) -> Tensor:
    """Kendall's tau-b of every dimension, (n, k) twice -> (k,)."""
    taus = []
    for place, label in zip(places.T.float(), labels.T.float(), strict=True):
        asked, found = (torch.sign(each[:, None] - each[None]) for each in (label, place))
        taus.append((asked * found).sum() / (asked.abs().sum() * found.abs().sum()).clamp(min=1).sqrt())
    return torch.stack(taus)
