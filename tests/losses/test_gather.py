"""Two processes with shares of a batch are one process with the whole batch, in loss and gradients."""

import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from emorank.losses import RankNContrast, SupervisedContrastive, SymmetricCrossEntropy, Targets, gather

LOSSES: dict[str, Any] = {
    "rank": lambda: RankNContrast(anchors="both"),
    "cross": SymmetricCrossEntropy,
    "supervised": SupervisedContrastive,
}
N = 12
SPLITS = {"halves": 6, "uneven": 5, "all-but-one": 11, "nothing-for-the-second": 12}


class Both(nn.Module):
    """Two heads and a temperature, as in training."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.audio, self.text = nn.Linear(5, 4).double(), nn.Linear(3, 4).double()
        self.log_scale = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, audio: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.audio(audio), self.text(text), self.log_scale.exp()


def data() -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(1)
    audio, text = (torch.randn(N, d, generator=generator, dtype=torch.float64) for d in (5, 3))
    labels = torch.rand(N, 2, generator=generator)
    return audio, text, labels, torch.arange(N) % 3


def losses_and_gradients(model: nn.Module, own: slice, parameters: list[nn.Parameter]) -> dict[str, Any]:
    audio, text, labels, category = (each[own] for each in data())
    found = {}
    for name, make in LOSSES.items():
        a, t, scale = model(audio, text)
        whole = gather(a, t, Targets(labels, labels, category, category))
        loss = make()(whole.audio, whole.text, whole.targets, scale)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        found[name] = (loss.item(), [p.grad.clone() for p in parameters if p.grad is not None])
    return found


def process(rank: int, port: int, folder: str) -> None:
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    model = Both()
    for name, at in SPLITS.items():
        own = slice(0, at) if rank == 0 else slice(at, N)
        found = losses_and_gradients(DistributedDataParallel(model), own, list(model.parameters()))
        torch.save(found, Path(folder) / f"{name}-{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(process, (port, str(folder)), nprocs=2)
    return folder


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", LOSSES)
def test_two_processes_are_one(two: Path, name: str, split: str) -> None:
    model = Both()
    loss, gradients = losses_and_gradients(model, slice(None), list(model.parameters()))[name]
    assert len(gradients) == 5
    for rank in range(2):
        found = torch.load(two / f"{split}-{rank}.pt", weights_only=True)
        assert found[name][0] == pytest.approx(loss, rel=1e-12)
        for mine, theirs in zip(gradients, found[name][1], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


def test_without_other_processes_nothing_is_copied() -> None:
    audio, text, labels, category = data()
    targets = Targets(labels, labels, category, category)
    whole = gather(audio, text, targets)
    assert whole.audio is audio
    assert whole.text is text
    assert whole.targets is targets
