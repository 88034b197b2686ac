"""Processes with shares of a batch are one process with the whole batch, in loss and gradients, by their own rows."""

import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import distributed, multiprocessing, nn
from torch.nn.parallel import DistributedDataParallel

from emorank.losses import (
    Contrastive,
    RankNContrast,
    SupervisedContrastive,
    SymmetricCrossEntropy,
    Targets,
    across,
)
from emorank.losses.contrastive import Side, Sum

LOSSES: dict[str, Any] = {
    "rank": lambda: RankNContrast(anchors="both"),
    "rank-audio": lambda: RankNContrast("farther_and_self"),
    "rank-farther": lambda: RankNContrast("farther", "both", (1.2, 0.7)),
    "cross": SymmetricCrossEntropy,
    "supervised": SupervisedContrastive,
}
N = 12
#: How many of the audios, and of the texts, each process has. Only Rank-N-Contrast needs no equal numbers.
SPLITS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "one": ((12,), (12,)),
    "halves": ((6, 6), (6, 6)),
    "all-but-one": ((11, 1), (1, 11)),
    "nothing-for-the-second": ((12, 0), (12, 0)),
    "quarters": ((3, 3, 3, 3), (3, 3, 3, 3)),
    "four-uneven": ((5, 0, 6, 1), (0, 2, 4, 6)),
}


class Both(nn.Module):
    """Two heads and a temperature, as in training."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.audio, self.text = nn.Linear(5, 4).double(), nn.Linear(3, 4).double()
        self.log_scale = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))

    def forward(self, audio: torch.Tensor, text: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.audio(audio), self.text(text), self.log_scale.exp()


def data() -> list[tuple[torch.Tensor, ...]]:
    """Features, labels with ties, and categories of both sides."""
    generator = torch.Generator().manual_seed(1)
    features = [torch.randn(N, d, generator=generator, dtype=torch.float64) for d in (5, 3)]
    labels = [torch.randint(1, 5, (N, 2), generator=generator).double() for _ in range(2)]
    return [(each, label, torch.arange(N) % 3) for each, label in zip(features, labels, strict=True)]


def losses_and_gradients(model: nn.Module, shares: list[slice], parameters: list[nn.Parameter]) -> dict[str, Any]:
    (audio, *audio_targets), (text, *text_targets) = (
        tuple(each[own] for each in side) for side, own in zip(data(), shares, strict=True)
    )
    targets = Targets(audio_targets[0], text_targets[0], audio_targets[1], text_targets[1])
    found = {}
    for name, make in LOSSES.items():
        a, t, scale = model(audio, text)
        loss = across(make(), a, t, targets, scale)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        found[name] = (loss.item(), [p.grad.clone() for p in parameters if p.grad is not None])
    return found


def shares_of(split: str, rank: int) -> list[slice]:
    return [slice(sum(sizes[:rank]), sum(sizes[: rank + 1])) for sizes in SPLITS[split]]


class Watched(RankNContrast):
    """Keeps how many anchors and candidates it was asked for: a process's own anchors, the candidates of all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.seen: list[tuple[int, int]] = []

    def rows(self, anchors: Side, candidates: Side, scale: torch.Tensor) -> Sum:
        self.seen.append((len(anchors.embeddings), len(candidates.embeddings)))
        return super().rows(anchors, candidates, scale)


def process(rank: int, port: int, count: int, folder: str) -> None:
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=count)
    model = Both()
    wrapped = DistributedDataParallel(model)
    for name, sizes in SPLITS.items():
        if len(sizes[0]) == count:
            found = losses_and_gradients(wrapped, shares_of(name, rank), list(model.parameters()))
            torch.save(found, Path(folder) / f"{name}-{rank}.pt")
    audios, texts = (own.stop - own.start for own in shares_of("four-uneven", rank)) if count == 4 else (2, 3)
    watched = Watched(anchors="both")
    labels = Targets(torch.rand(audios, 2), torch.rand(texts, 2))
    across(watched, torch.randn(audios, 4), torch.randn(texts, 4), labels, 1.0)
    whole = (N, N) if count == 4 else (2 * count, 3 * count)
    assert watched.seen == [(audios, whole[1]), (texts, whole[0])]
    with pytest.raises(ValueError, match=rf"there are {count} audios and {2 * count} texts"):
        across(SymmetricCrossEntropy(), torch.ones(1, 4), torch.ones(2, 4), Targets(*torch.ones(2, 2, 2)), 1.0)
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    for count in (1, 2, 4):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        multiprocessing.spawn(process, (port, count, str(folder)), nprocs=count)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", LOSSES)
def test_processes_are_one(processes: Path, name: str, split: str) -> None:
    model = Both()
    (audio, *audio_targets), (text, *text_targets) = data()
    a, t, scale = model(audio, text)
    loss = LOSSES[name]()(a, t, Targets(audio_targets[0], text_targets[0], audio_targets[1], text_targets[1]), scale)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert len(gradients) == 5
    for rank in range(len(SPLITS[split][0])):
        found = torch.load(processes / f"{split}-{rank}.pt", weights_only=True)
        assert found[name][0] == pytest.approx(loss.item(), rel=1e-12)
        for mine, theirs in zip(gradients, found[name][1], strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_rows_add_up_to_the_whole(name: str) -> None:
    """What a process computes is its own anchors' part and nothing else."""
    loss = LOSSES[name]()
    sides = [Side(nn.functional.normalize(each[:, :3]), labels, ids) for each, labels, ids in data()]
    scale = torch.tensor(2.0, dtype=torch.float64)
    whole = loss.rows(*sides, scale)
    parts = [loss.rows(part(sides[0], start, end), sides[1], scale) for start, end in ((0, 5), (5, 5), (5, 12))]
    torch.testing.assert_close(sum(part.total for part in parts), whole.total)
    assert sum(int(part.number) for part in parts) == int(whole.number)


def part(side: Side, start: int, end: int) -> Side:
    ids = None if side.category is None else side.category[start:end]
    return Side(side.embeddings[start:end], side.labels[start:end], ids, start)


def test_without_other_processes_it_is_the_loss() -> None:
    (audio, audio_labels, _), (text, text_labels, _) = data()
    loss: Contrastive = RankNContrast()
    targets = Targets(audio_labels, text_labels)
    assert torch.equal(across(loss, audio[:, :3], text, targets, 2.0), loss(audio[:, :3], text, targets, 2.0))
