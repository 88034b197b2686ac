"""What a training run learns from: cached features and labels of utterances and of captions."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emorank.losses import Targets


@dataclass(frozen=True)
class Side:
    """Features and labels of utterances, or of captions.

    Args:
        features: (n, encoder_dim) outputs of the frozen encoder.
        labels: (n, k) points, 1..7.
        category: (n,) category ids, for losses that use them.
    """

    features: Tensor
    labels: Tensor
    category: Tensor | None = None

    @classmethod
    def of(cls, features: np.ndarray, labels: np.ndarray, category: np.ndarray | None = None) -> "Side":
        """From numpy arrays."""
        ids = None if category is None else torch.from_numpy(category.astype(np.int64))
        return cls(torch.from_numpy(features.astype(np.float32)), torch.from_numpy(labels.astype(np.float32)), ids)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Part:
    """Utterances and captions that are contrasted with each other.

    Args:
        audio: the utterances.
        text: the captions, from anywhere.
        paired: caption i belongs to utterance i, and they stay together in every batch.
    """

    audio: Side
    text: Side
    paired: bool = False


@dataclass(frozen=True)
class Batch:
    """N utterances and M captions."""

    audio: Tensor
    text: Tensor
    targets: Targets


def batches(part: Part, batch_size: int, captions: int, seed: int, epoch: int) -> Iterator[Batch]:
    """One epoch: every utterance once, each batch with its own captions, or against some drawn anew from all over.

    Order and draws depend on the seed and the epoch alone, so a run that is resumed goes on as if never interrupted.
    The last batch is dropped when it is smaller, unless it is the only one.
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + epoch)
    order = torch.randperm(len(part.audio), generator=generator)
    count = max(1, len(order) // batch_size)
    for index in range(count):
        chosen = order[index * batch_size : (index + 1) * batch_size]
        drawn = chosen if part.paired else torch.randperm(len(part.text), generator=generator)[:captions]
        yield Batch(part.audio.features[chosen], part.text.features[drawn], _targets(part, chosen, drawn))


def _targets(part: Part, chosen: Tensor, drawn: Tensor) -> Targets:
    categories = [
        None if side.category is None else side.category[index]
        for side, index in ((part.audio, chosen), (part.text, drawn))
    ]
    return Targets(part.audio.labels[chosen], part.text.labels[drawn], *categories)
