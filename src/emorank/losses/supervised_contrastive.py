"""Supervised contrastive loss across modalities (the paper's SupConCLAP, section 4.1)."""

import torch
from torch import Tensor, nn

from emorank.losses.rank_n_contrast import cosine
from emorank.losses.targets import Targets


class SupervisedContrastive(nn.Module):
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

    def forward(self, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
        """The loss of one batch; see the class. `scale` is 1 / temperature."""
        if targets.audio_category is None or targets.text_category is None:
            raise ValueError("the supervised contrastive loss needs the categories of the audios and of the texts")
        logits = cosine(audio, text) * scale
        same = targets.audio_category[:, None] == targets.text_category[None, :]
        return (_anchored(logits, same) + _anchored(logits.T, same.T)) / 2


def _anchored(logits: Tensor, same: Tensor) -> Tensor:
    """The loss with rows as anchors: (N, M) scaled similarities and which columns are positives -> ()."""
    positives = same.sum(1)
    likelihood = torch.where(same, logits.log_softmax(1), 0).sum(1) / positives.clamp(min=1)
    return -likelihood.sum() / (positives > 0).sum().clamp(min=1)
