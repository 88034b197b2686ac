"""One contrastive batch over several processes: each computes the rows of its own anchors, none the whole loss."""

from typing import Any

import torch
from torch import Tensor, distributed

from emorank.losses.contrastive import Contrastive, Side, Sum, mean, sides
from emorank.losses.targets import Targets


def across(loss: Contrastive, audio: Tensor, text: Tensor, targets: Targets, scale: Tensor | float) -> Tensor:
    """The loss of the batch that all processes of torch.distributed have together; alone, `loss` itself.

    The whole batch is the audios and the texts of all processes in the order of their ranks. A process contrasts its
    own audios (and texts, where both are anchors) with the candidates of all; time and memory are those of its share
    of the rows. All have to call this together, and all `backward` of what it gives.

    The value is that of the whole batch in every process. The gradients are made for a mean over processes, as
    DistributedDataParallel takes it: after that, parameters have those of one process with the whole batch.

    Args:
        loss: which one.
        audio: (n, embedding_dim) of this process; n may differ between processes, and be 0.
        text: (m, embedding_dim) of this process; m may differ too.
        targets: of this process.
        scale: 1 / temperature, (), the same in all processes.

    Returns:
        A scalar.

    Raises:
        ValueError: see the loss; in all processes alike.
    """
    count = distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1
    if count == 1:
        result: Tensor = loss(audio, text, targets, scale)
        return result
    audios, texts = _sizes(len(audio), len(text), device=audio.device)
    loss.require((sum(audios), sum(texts)), targets)
    a, t = sides(audio, text, targets)
    scale = torch.as_tensor(scale, dtype=a.embeddings.dtype, device=audio.device)
    sums = [_rows(loss, a, audios, _whole(t, texts), scale)]
    if loss.anchors == "both":
        sums.append(_rows(loss, t, texts, _whole(a, audios), scale))
    counts = torch.stack([each.number.to(scale) for each in sums])
    distributed.all_reduce(counts)
    together: Tensor = _Together.apply(mean(sums, counts.unbind()))  # type: ignore[no-untyped-call]
    return together


def _rows(loss: Contrastive, own: Side, sizes: list[int], candidates: Side, scale: Tensor) -> Sum:
    """The part of the anchors that this process has."""
    return loss.rows(own._replace(first=sum(sizes[: distributed.get_rank()])), candidates, scale)


def _sizes(*own: int, device: torch.device) -> list[list[int]]:
    """How many rows every process has, for each of the sides."""
    mine = torch.tensor(own, device=device)
    found = [torch.empty_like(mine) for _ in range(distributed.get_world_size())]
    distributed.all_gather(found, mine)
    return torch.stack(found, 1).tolist()


def _whole(side: Side, sizes: list[int]) -> Side:
    """A side as all processes have it together."""
    embeddings: Tensor = _Gather.apply(side.embeddings, sizes)  # type: ignore[no-untyped-call]
    category = None if side.category is None else _all(side.category, sizes)
    return Side(embeddings, _all(side.labels, sizes), category)


def _all(tensor: Tensor, sizes: list[int]) -> Tensor:
    """The rows of all processes; they travel in parts of one size, as gloo wants them."""
    largest = max(sizes)
    padded = torch.cat([tensor, tensor.new_zeros(largest - len(tensor), *tensor.shape[1:])])
    parts = [torch.empty_like(padded) for _ in sizes]
    distributed.all_gather(parts, padded)
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])


class _Gather(torch.autograd.Function):
    """all_gather that gradients pass through, torch's own stops them: a row's is the sum of what all processes have."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor, sizes: list[int]) -> Tensor:
        ctx.sizes = sizes
        return _all(tensor, sizes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return torch.split(total, ctx.sizes)[distributed.get_rank()], None


class _Together(torch.autograd.Function):
    """The sum over processes. Its gradient is that of as many losses as there are processes, as each has one."""

    @staticmethod
    def forward(ctx: Any, own: Tensor) -> Tensor:
        total = own.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * distributed.get_world_size()
