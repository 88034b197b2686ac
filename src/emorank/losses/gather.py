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
        audio: (n, embedding_dim) of this process; n is the same in all.
        text: (m, embedding_dim) of this process; m is the same in all.
        targets: of this process.
    """
    if not (distributed.is_available() and distributed.is_initialized()) or distributed.get_world_size() == 1:
        return Gathered(audio, text, targets)
    labels = (targets.audio_labels, targets.text_labels, targets.audio_category, targets.text_category)
    return Gathered(
        _Gather.apply(audio),  # type: ignore[no-untyped-call]
        _Gather.apply(text),  # type: ignore[no-untyped-call]
        Targets(*(None if each is None else torch.cat(_all(each)) for each in labels)),  # type: ignore[arg-type]
    )


def _all(tensor: Tensor) -> list[Tensor]:
    """The tensors of all processes."""
    parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, tensor.contiguous())
    return parts


class _Gather(torch.autograd.Function):
    """all_gather that gradients pass through: torch's own stops them."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        ctx.size = len(tensor)
        return torch.cat(_all(tensor))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        start = distributed.get_rank() * ctx.size
        return total[start : start + ctx.size]
