"""Supervised contrastive loss across modalities (the paper's SupConCLAP, section 4.1)."""

import torch
from torch import Tensor

from emorank.losses.contrastive import Contrastive, Side, Sum
from emorank.losses.targets import Targets


class SupervisedContrastive(Contrastive):
    """Pulls an anchor towards all candidates of the other modality that share its category.

    For an anchor i with positives P(i) the loss is the mean over p in P(i) of -log(exp(s_ip) / sum over all k of
    exp(s_ik)), s = scale * cosine: L_out of Khosla et al. (2020). Anchors are the audios and the texts, each averaged
    over its anchors, then both averaged; an anchor without a positive does not count. Any N and M. Time and memory
    O(N M).

    Shape:
        audio (N, embedding_dim), text (M, embedding_dim), categories (N,) and (M,) in the targets, scale () -> ().

    Raises:
        ValueError: the targets hold no categories.
    """

    def __init__(self) -> None:
        super().__init__("both")

    def require(self, shape: tuple[int, int], targets: Targets) -> None:
        """Raise a ValueError where a side has no categories."""
        if targets.audio_category is None or targets.text_category is None:
            raise ValueError("the supervised contrastive loss needs the categories of the audios and of the texts")

    def rows(self, anchors: Side, candidates: Side, scale: Tensor) -> Sum:
        """See `Contrastive.rows`."""
        assert anchors.category is not None
        assert candidates.category is not None
        logits = anchors.embeddings @ candidates.embeddings.T * scale
        same = anchors.category[:, None] == candidates.category[None, :]
        positives = same.sum(1)
        likelihood = torch.where(same, logits.log_softmax(1), 0).sum(1) / positives.clamp(min=1)
        return Sum(-likelihood.sum(), (positives > 0).sum())
