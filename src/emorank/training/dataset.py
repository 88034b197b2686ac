"""Tensors that a training run learns from, and the batches that it draws from them."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emorank.errors import EmorankError
from emorank.losses import Targets
from emorank.losses.targets import not_finite
from emorank.training.processes import ALONE, Processes


@dataclass(frozen=True)
class Modality:
    """One modality of a split, speech or text: encoder outputs with their labels.

    Args:
        features: (n, encoder_dim) outputs of the frozen encoder.
        labels: (n, k) points, 1..7.
        category: (n,) category ids, for losses that use them.
        paths: of the n recordings, for an encoder that is trained too.

    Raises:
        EmorankError: a feature or a label is NaN or infinite; the sentence says how many rows, and where the first is.
    """

    features: Tensor
    labels: Tensor
    category: Tensor | None = None
    paths: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, values in (("features", self.features), ("labels", self.labels)):
            wrong = not_finite(values)
            if wrong:
                raise EmorankError(f"Nothing can be learnt from these {name}: {wrong}.")

    @classmethod
    def of(
        cls,
        features: np.ndarray,
        labels: np.ndarray,
        category: np.ndarray | None = None,
        paths: Sequence[str] | None = None,
    ) -> "Modality":
        """From numpy arrays."""
        ids = None if category is None else torch.from_numpy(category.astype(np.int64))
        heard = None if paths is None else tuple(paths)
        return cls(
            torch.from_numpy(features.astype(np.float32)), torch.from_numpy(labels.astype(np.float32)), ids, heard
        )

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Split:
    """The train or the development split: utterances, and the captions that they are contrasted with.

    Args:
        audio: the utterances.
        text: the captions.
        paired: caption i belongs to utterance i, and they stay together in every batch.
        damaged: (copies, n, encoder_dim) the utterances once more as they sound damaged; None without such copies.
        groups: (n,) numbers; utterances of one number alone share a batch. None where all may.
    """

    audio: Modality
    text: Modality
    paired: bool = False
    damaged: Tensor | None = None
    groups: Tensor | None = None

    def __post_init__(self) -> None:
        if self.damaged is not None and (wrong := not_finite(self.damaged.flatten(0, 1))):
            raise EmorankError(f"Nothing can be learnt from these damaged copies: {wrong}.")

    def versions(self, count: int, generator: torch.Generator) -> Tensor:
        """(count,) drawn for utterances: 0 is as it is, half of the time, from 1 one of the damaged copies."""
        if self.damaged is None:
            return torch.zeros(count, dtype=torch.long)
        copies = torch.randint(1, len(self.damaged) + 1, (count,), generator=generator)
        return copies * torch.randint(2, (count,), generator=generator)

    def heard(self, utterances: Tensor, versions: Tensor) -> Tensor:
        """(n, encoder_dim) features of utterances in some `versions`."""
        features = self.audio.features[utterances]
        if self.damaged is not None:
            features = features.where(versions[:, None] == 0, self.damaged[versions - 1, utterances])
        return features


@dataclass(frozen=True)
class Batch:
    """What one process embeds of a contrastive batch of N utterances and M captions.

    Args:
        audio: (n, encoder_dim) features of its utterances.
        text: (m, encoder_dim) features of its captions.
        targets: the labels of both.
        shape: N and M, over all processes.
        paths: of the n recordings, where they are known.
    """

    audio: Tensor
    text: Tensor
    targets: Targets
    shape: tuple[int, int]
    paths: tuple[str, ...] | None = None

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        moved: dict[str, Any] = {
            name: None if each is None else each.to(device) for name, each in vars(self.targets).items()
        }
        return Batch(self.audio.to(device), self.text.to(device), Targets(**moved), self.shape, self.paths)


def draw(
    split: Split, batch_size: int, captions: int, seed: int, epoch: int, processes: Processes = ALONE
) -> Iterator[Batch]:
    """The batches of one epoch: every utterance once, with its own caption or against some drawn anew from all over.

    No batch is left out for being small: they are as few as can be and differ by one utterance at most, so 65
    utterances in batches of up to 64 are 33 and 32; the same holds within each of `Split.groups`. Order and draws
    depend on seed and epoch alone, so a run that is resumed, or shared by several processes, meets the same batches.

    Args:
        split: utterances and captions.
        batch_size: utterances in a batch at most, over all processes.
        captions: in a batch, over all processes; pairs have as many as utterances.
        seed: of the run.
        epoch: from 0; development has one of its own.
        processes: whose share is given.
    """
    generator = torch.Generator().manual_seed(seed_of(seed, epoch))
    for utterances in _parted(split, batch_size, generator):
        drawn = utterances if split.paired else torch.randperm(len(split.text), generator=generator)[:captions]
        yield _share(split, utterances, split.versions(len(utterances), generator), drawn, processes)


def _parted(split: Split, batch_size: int, generator: torch.Generator) -> list[Tensor]:
    """The utterances of every batch of an epoch, in the order of the batches."""
    order = torch.randperm(len(split.audio), generator=generator)
    if split.groups is None:
        return list(order.tensor_split(-(-len(order) // batch_size)))
    groups = split.groups[order]
    own = [order[groups == group] for group in sorted(set(groups.tolist()))]
    batches = [batch for rows in own for batch in rows.tensor_split(-(-len(rows) // batch_size))]
    return [batches[at] for at in torch.randperm(len(batches), generator=generator).tolist()]


def _share(split: Split, utterances: Tensor, versions: Tensor, captions: Tensor, processes: Processes) -> Batch:
    """A process's own part of a batch."""
    own, text = processes.share(len(utterances)), captions[processes.share(len(captions))]
    audio = utterances[own]
    categories = (_picked(split.audio.category, audio), _picked(split.text.category, text))
    targets = Targets(split.audio.labels[audio], split.text.labels[text], *categories)
    shape, paths = (len(utterances), len(captions)), split.audio.paths
    heard = None if paths is None else tuple(paths[row] for row in audio.tolist())
    return Batch(split.heard(audio, versions[own]), split.text.features[text], targets, shape, heard)


def _picked(category: Tensor | None, index: Tensor) -> Tensor | None:
    return None if category is None else category[index]


def seed_of(*parts: int | str) -> int:
    """A seed for a generator, from a run's seed, an epoch, a step. Mixed, as torch looks at the last 32 bits alone."""
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=4).digest())
