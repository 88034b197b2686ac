"""What all losses here are: the mean over anchors of one side of a batch, each against all candidates of the other.

So a loss falls apart into rows, one an anchor, and several processes can take some rows each; see `across`.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from emorank.losses.targets import Targets

Anchors = Literal["audio", "both"]


class Side(NamedTuple):
    """The audios or the texts of a batch, or some of them in their order.

    Args:
        embeddings: (n, embedding_dim), L2-normalised, at least in single precision.
        labels: (n, k) points.
        category: (n,) category ids, where there are some.
        first: which of the whole side the first one is, from 0.
    """

    embeddings: Tensor
    labels: Tensor
    category: Tensor | None = None
    first: int = 0


class Sum(NamedTuple):
    """Losses of some anchors, added up, and what the sum is divided by once all anchors are together.

    Args:
        total: (), with gradients.
        number: ().
    """

    total: Tensor
    number: Tensor


class Contrastive(nn.Module):
    """A loss over audio and text embeddings.

    Args:
        anchors: "audio", or "both": the mean of the loss with audio and with text anchors.
    """

    def __init__(self, anchors: Anchors) -> None:
        super().__init__()
        self.anchors: Anchors = anchors

    def require(self, shape: tuple[int, int], targets: Targets) -> None:
        """Raise a ValueError where N audios and M texts of these targets are not what the loss is for."""

    def rows(self, anchors: Side, candidates: Side, scale: Tensor) -> Sum:
        """The loss of some anchors against all candidates of the other side. `scale` is 1 / temperature, ()."""
        raise NotImplementedError

    def forward(self, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
        """The loss of one batch; see the class. `scale` is 1 / temperature."""
        self.require((len(audio), len(text)), targets)
        a, t = sides(audio, text, targets)
        scale = torch.as_tensor(scale, dtype=a.embeddings.dtype, device=audio.device)
        sums = [self.rows(a, t, scale), *([self.rows(t, a, scale)] if self.anchors == "both" else ())]
        return mean(sums, [each.number for each in sums])


def sides(audio: Tensor, text: Tensor, targets: Targets) -> tuple[Side, Side]:
    """Both sides of a batch."""
    return (
        Side(directions(audio), targets.audio_labels, targets.audio_category),
        Side(directions(text), targets.text_labels, targets.text_category),
    )


def directions(embeddings: Tensor) -> Tensor:
    """Embeddings L2-normalised, in at least single precision."""
    return functional.normalize(embeddings.to(torch.promote_types(embeddings.dtype, torch.float32)), dim=1)


def mean(sums: Sequence[Sum], counts: Sequence[Tensor]) -> Tensor:
    """The mean over each kind of anchors, averaged over the kinds."""
    totals = [each.total / count.clamp(min=1) for each, count in zip(sums, counts, strict=True)]
    return torch.stack(totals).mean()
