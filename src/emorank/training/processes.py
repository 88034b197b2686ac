"""Where a training runs: on which device, and with which other processes (as torchrun starts them)."""

import datetime
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from emorank.errors import EmorankError
from emorank.training.config import Device

_TORCHRUN = frozenset({"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})  # what it tells every process
_PATIENCE = datetime.timedelta(days=7)  # the others wait while the first one encodes a corpus


@dataclass(frozen=True)
class Processes:
    """Where this process stands among those that train together.

    Args:
        rank: its number, from 0.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def here(cls) -> "Processes":
        """As torch.distributed has been told; alone where it has not."""
        if distributed.is_available() and distributed.is_initialized():
            return cls(distributed.get_rank(), distributed.get_world_size())
        return ALONE

    def share(self, rows: int) -> slice:
        """Which of the rows of a batch are this process's; shares differ by one row at most, and may be empty."""
        size, larger = divmod(rows, self.count)
        start = self.rank * size + min(self.rank, larger)
        return slice(start, start + size + (self.rank < larger))

    def average(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace the gradients of every process by their mean over all."""
        if self.count > 1:
            gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in parameters]
            total = nn.utils.parameters_to_vector(gradients)
            distributed.all_reduce(total)
            nn.utils.vector_to_parameters(total / self.count, gradients)

    def agree(self, *tensors: Tensor) -> None:
        """Replace tensors by those of the first process."""
        if self.count > 1:
            for tensor in tensors:
                distributed.broadcast(tensor, 0)

    def alike(self, value: int, device: torch.device) -> bool:
        """Whether a number is the same in all processes; all have to ask together."""
        if self.count == 1:
            return True
        ends = torch.tensor([value, -value], device=device)
        distributed.all_reduce(ends, distributed.ReduceOp.MAX)
        return ends.sum().item() == 0

    def wait(self) -> None:
        """Until all have come here.

        Raises:
            EmorankError: one of them has ended.
        """
        if self.count > 1:
            try:
                distributed.barrier()
            except RuntimeError as error:
                raise EmorankError("Another process of this training has ended, so this one ends too.") from error

    @contextmanager
    def first_ahead(self) -> Iterator[None]:
        """The first process does what is inside; when it is done, the others do."""
        if self.rank:
            self.wait()
        yield
        if not self.rank:
            self.wait()


ALONE = Processes()


@contextmanager
def joined(device: Device) -> Iterator[Processes]:
    """This process among those that torchrun has started; alone where it has not.

    Args:
        device: what they train on; NCCL connects CUDA devices, gloo everything else.
    """
    if not os.environ.keys() >= _TORCHRUN:
        yield ALONE
        return
    backend = "nccl" if device_of(device).type == "cuda" else "gloo"
    distributed.init_process_group(backend, timeout=_PATIENCE)
    try:
        yield Processes.here()
    finally:
        distributed.destroy_process_group()


def device_of(name: Device) -> torch.device:
    """The device of this process; `auto` is CUDA where there is one, else the processor.

    Of several CUDA devices, each process of a machine takes its own.

    Raises:
        EmorankError: there is no such device here.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    available = torch.backends.mps.is_available() if name == "mps" else torch.cuda.is_available()
    if not available:
        raise EmorankError(f"--device {name}: torch finds no such device here; leave the flag out, or name cpu.")
    if name == "mps":
        return torch.device("mps")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
    torch.cuda.set_device(device)
    return device


@contextmanager
def threads(batch_size: int) -> Iterator[None]:
    """Small matrices are slower on several cores, and far slower where others need them too: one core for them."""
    before = torch.get_num_threads()
    if batch_size <= _SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


_SMALL = 512  # utterances in a batch
