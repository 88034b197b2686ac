"""One loss over the batches of all processes, so that a contrastive batch is as large as all of them together."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed

from emorank.losses.targets import Targets


@dataclass(frozen=True)
class Gathered:
    """The embeddings and targets of all processes, in the order of their ranks."""

    audio: Tensor
    text: Tensor
    targets: Targets


def gather(audio: Tensor, text: Tensor, targets: Targets) -> Gathered:
    """Collect a batch from all processes; without torch.distributed it is given back as it is.

    Every process then computes the loss of the whole batch. Gradients of the embeddings are summed over the processes,
    so after the mean over processes that DistributedDataParallel takes, the parameters' gradients are those of one
    process with the whole batch.

    Args:
        audio: (n, embedding_dim) of this process; n may differ between processes, and be 0.
        text: (m, embedding_dim) of this process; m may differ too.
        targets: of this process.
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return Gathered(audio, text, targets)
    audios, texts = _sizes(audio), _sizes(text)
    sized = ((targets.audio_labels, audios), (targets.text_labels, texts))
    categories = ((targets.audio_category, audios), (targets.text_category, texts))
    return Gathered(
        _Gather.apply(audio, audios),  # type: ignore[no-untyped-call]
        _Gather.apply(text, texts),  # type: ignore[no-untyped-call]
        Targets(
            *(_all(labels, sizes) for labels, sizes in sized),
            *(None if ids is None else _all(ids, sizes) for ids, sizes in categories),
        ),
    )


def _sizes(tensor: Tensor) -> list[int]:
    """How many rows every process has."""
    own = torch.tensor([len(tensor)], device=tensor.device)
    found = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, own)
    return [int(each) for each in found]


def _all(tensor: Tensor, sizes: list[int]) -> Tensor:
    """The rows of all processes; they travel in parts of one size, as gloo wants them."""
    largest = max(sizes)
    padded = torch.cat([tensor, tensor.new_zeros(largest - len(tensor), *tensor.shape[1:])])
    parts = [torch.empty_like(padded) for _ in sizes]
    distributed.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


class _Gather(torch.autograd.Function):
    """all_gather that gradients pass through: torch's own stops them."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, sizes: list[int]) -> Tensor:
        ctx.sizes = sizes
        return _all(tensor, sizes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return torch.split(total, ctx.sizes)[distributed.get_rank()], None
