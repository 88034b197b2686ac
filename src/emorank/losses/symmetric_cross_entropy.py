"""Symmetric cross-entropy over pairs, the loss of CLIP and CLAP (the paper's CLAP-SCE, section 4.1)."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from emorank.losses.rank_n_contrast import cosine
from emorank.losses.targets import Targets


class SymmetricCrossEntropy(nn.Module):
    """Every audio has to pick its own text among all texts of the batch, and every text its own audio.

    The mean of both cross-entropies over s = scale * cosine (Radford et al., 2021; Elizalde et al., 2023). Audio i
    and text i are a pair; labels are not used. Time and memory O(N^2).

    Shape:
        audio (N, embedding_dim), text (N, embedding_dim), targets with N labels each, scale () -> ().

    Raises:
        ValueError: audio and text are not pairs, that is N != M.
    """

    def forward(self, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
        """The loss of one batch; see the class. `scale` is 1 / temperature."""
        if len(audio) != len(text):
            raise ValueError(
                f"symmetric cross-entropy needs pairs: there are {len(audio)} audios and {len(text)} texts"
            )
        logits = cosine(audio, text) * scale
        own = torch.arange(len(logits), device=logits.device)
        return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2
