"""Symmetric cross-entropy over pairs, the loss of CLIP and CLAP (the paper's CLAP-SCE, section 4.1)."""

import torch
from torch import Tensor
from torch.nn import functional

from emorank.losses.contrastive import Contrastive, Side, Sum
from emorank.losses.targets import Targets


class SymmetricCrossEntropy(Contrastive):
    """Every audio has to pick its own text among all texts of the batch, and every text its own audio.

    The mean of both cross-entropies over s = scale * cosine (Radford et al., 2021; Elizalde et al., 2023). Audio i
    and text i are a pair; labels are not used. Time and memory O(N^2).

    Shape:
        audio (N, embedding_dim), text (N, embedding_dim), targets with N labels each, scale () -> ().

    Raises:
        ValueError: audio and text are not pairs, that is N != M.
    """

    def __init__(self) -> None:
        super().__init__("both")

    def require(self, shape: tuple[int, int], targets: Targets) -> None:
        """Raise a ValueError where there are not as many texts as audios."""
        if shape[0] != shape[1]:
            raise ValueError(f"symmetric cross-entropy needs pairs: there are {shape[0]} audios and {shape[1]} texts")

    def rows(self, anchors: Side, candidates: Side, scale: Tensor) -> Sum:
        """See `Contrastive.rows`."""
        logits = anchors.embeddings @ candidates.embeddings.T * scale
        own = torch.arange(anchors.first, anchors.first + len(logits), device=logits.device)
        return Sum(functional.cross_entropy(logits, own, reduction="sum"), torch.tensor(len(logits)))
