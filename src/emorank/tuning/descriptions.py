"""Fine-tuning of a small BERT on descriptions with a place, before it is frozen and heads are trained on it.

Low-rank updates beside every matrix of its layers, or of its upper ones, learn to bring the mean over tokens to where a
linear readout finds the place. The updates alone are written; `emorank.encoders.minilm` and `e5` add them to the
packaged weights.
"""

import hashlib
import json
import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from emorank.affect import NEUTRAL
from emorank.encoders.checkpoint import CONFIG
from emorank.encoders.minilm import UPDATE
from emorank.errors import EmorankError
from emorank.storage import written_whole
from emorank.training.dataset import seed_of
from emorank.tuning.base import Base
from emorank.types import Array

_SORTED = 16  # batches that share their texts by length
_AT_ONCE = 64  # descriptions through the layers that are kept
_MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
Report = Callable[[int, float], None]  # epochs done, mean loss of the last one


@dataclass(frozen=True)
class DescriptionsConfig:
    """How the text encoder is tuned.

    Args:
        rank: of the low-rank update of every matrix.
        kept: how many of the lowest layers stay as they are; what they give is computed once, without dropout.
        epochs: passes over the descriptions.
        batch_size: descriptions in a batch.
        learning_rate: of the updates; the readout has five times as much. Both fall to 0 along a cosine.
        warmup: share of the steps until the learning rate is reached.
        weight_decay: of AdamW.
        dropout: share of what every layer, and the readout, takes in that is blanked.
        seed: fixes initial updates, order and what is blanked.

    Raises:
        EmorankError: a choice that cannot be.
    """

    rank: int = 16
    kept: int = 0
    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    warmup: float = 0.06
    weight_decay: float = 0.01
    dropout: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("rank", "epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise EmorankError(f"{name} must be a whole number of at least 1, not {getattr(self, name)}.")
        if self.kept < 0:
            raise EmorankError(f"kept must be a whole number of at least 0, not {self.kept}.")
        if not 0 <= self.dropout < 1:
            raise EmorankError(f"dropout must be a number from 0 to below 1, not {self.dropout}.")


class _Updated(nn.Module):
    """A layer that stays, and a low-rank update of its matrix."""

    def __init__(self, linear: nn.Linear, rank: int, dropout: float) -> None:
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.randn(rank, linear.in_features) / math.sqrt(linear.in_features))
        self.up = nn.Parameter(torch.zeros(linear.out_features, rank))
        self.blank = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.linear(x) + functional.linear(functional.linear(self.blank(x), self.down), self.up)
        return result


class TunedDescriptions(nn.Module):
    """A small BERT with updates, and a readout of places.

    Args:
        base: what stays as it is.
        dimensions: of a place.
        config: rank, kept layers and dropout.

    Raises:
        EmorankError: all layers are kept.
    """

    def __init__(self, base: Base, dimensions: int, config: DescriptionsConfig) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        chosen = {"hidden_dropout_prob": config.dropout, "attention_probs_dropout_prob": config.dropout}
        self.bert = BertModel(BertConfig(**{**base.sizes, **chosen}), add_pooling_layer=False)
        read = {name: torch.from_numpy(base.weights[name]) for name in self.bert.state_dict()}
        self.bert.load_state_dict(read, assign=True)
        self.bert.requires_grad_(False)
        layers = self.bert.encoder.layer
        if config.kept >= len(layers):
            raise EmorankError(f"kept must be less than the {len(layers)} layers of {base.name}, not {config.kept}.")
        for layer in layers[config.kept :]:
            for name in _MATRICES:
                at, _, last = name.rpartition(".")
                home = layer.get_submodule(at)
                setattr(home, last, _Updated(getattr(home, last), config.rank, config.dropout))
        self._ids, self._kept = base.ids, config.kept
        self.width = self.bert.config.hidden_size
        self.readout = nn.Linear(self.width, dimensions)
        nn.init.zeros_(self.readout.weight)
        nn.init.zeros_(self.readout.bias)
        self._blank = nn.Dropout(config.dropout)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Their ids."""
        return [list(self._ids(text)) for text in texts]

    def forward(self, tokens: Sequence[Sequence[int]]) -> Tensor:
        """Ids of n descriptions -> (n, dimensions) their places on 1..7, not clipped."""
        return self.above(self.below(tokens))

    def below(self, tokens: Sequence[Sequence[int]]) -> list[Tensor]:
        """Ids of n descriptions -> what the layers that are kept give for each, (tokens, width)."""
        padded = pad_sequence([torch.tensor(ids) for ids in tokens], batch_first=True)
        inside = _inside([len(ids) for ids in tokens])
        states = _through(self.bert.encoder.layer[: self._kept], self.bert.embeddings(padded), inside)
        return [each[: len(ids)] for each, ids in zip(states, tokens, strict=True)]

    def above(self, states: Sequence[Tensor]) -> Tensor:
        """What `below` gives -> (n, dimensions) the places."""
        inside = _inside([len(each) for each in states])
        padded = pad_sequence(list(states), batch_first=True)
        last = _through(self.bert.encoder.layer[self._kept :], padded, inside)
        pooled = functional.normalize((last * inside[..., None]).sum(1), dim=1) * math.sqrt(self.width)
        result: Tensor = self.readout(self._blank(pooled)) + NEUTRAL
        return result

    def updates(self) -> dict[str, Array]:
        """The two factors of every matrix's update, by the matrix's name."""
        found = {}
        for name, module in self.bert.named_modules():
            if isinstance(module, _Updated):
                found[f"{name}.down"] = module.down.detach().numpy().copy()
                found[f"{name}.up"] = module.up.detach().numpy().copy()
        return found


def tune(
    texts: Sequence[str],
    points: Array,
    config: DescriptionsConfig,
    folder: Path,
    report: Report | None = None,
    base: Base | None = None,
) -> TunedDescriptions:
    """Tune, and write the updates; a run that was killed goes on with the epoch it was in.

    Args:
        texts: (n,) descriptions.
        points: (n, k) their places, 1..7.
        config: every choice.
        folder: where the encoder goes; its name is then FOLDER, that of an E5 FOLDER/query.
        report: called after every epoch.
        base: what is tuned; None is the packaged all-MiniLM-L6-v2.

    Raises:
        EmorankError: the file of an unfinished run is damaged, or is that of other choices or data.
    """
    torch.manual_seed(config.seed)
    base = base or Base.minilm()
    network = TunedDescriptions(base, points.shape[1], config)
    tokens, places = network.tokens(texts), torch.from_numpy(np.asarray(points, np.float32))
    updates = [parameter for parameter in network.bert.parameters() if parameter.requires_grad]
    readout = list(network.readout.parameters())
    groups: list[dict[str, Any]] = [{"params": updates}, {"params": readout, "lr": 5 * config.learning_rate}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, weight_decay=config.weight_decay)
    steps = config.epochs * -(-len(texts) // config.batch_size)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / steps, config.warmup))
    learnt = nn.ParameterList([*updates, *readout])
    state: dict[str, Any] = {"network": learnt, "optimizer": optimizer, "rates": rates}
    unfinished = folder / "run.pt"
    about = f"{config} {hashlib.sha256(repr((list(texts), places.tolist())).encode()).hexdigest()}"
    done = _resumed(unfinished, about, state)
    held = _held(network, tokens) if config.kept else None
    for epoch in range(done, config.epochs):
        torch.manual_seed(seed_of(config.seed, epoch))
        network.train()
        losses = []
        for rows in _batches(tokens, config.batch_size):
            states = network.below([tokens[row] for row in rows]) if held is None else [held[row] for row in rows]
            loss = functional.smooth_l1_loss(network.above(states), places[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(learnt, 1.0)
            optimizer.step()
            rates.step()
            losses.append(loss.item())
        saved = {name: part.state_dict() for name, part in state.items()}
        with written_whole(unfinished) as path:
            torch.save({"about": about, "epoch": epoch + 1, **saved}, path)
        if report:
            report(epoch + 1, float(np.mean(losses)))
    network.eval()
    write(network.updates(), folder, base.name)
    unfinished.unlink(missing_ok=True)
    return network


def write(updates: dict[str, Array], folder: Path, base: str = "minilm") -> None:
    """Write an encoder's folder, updates in float16, and what they are of."""
    halves = {name: np.ascontiguousarray(array, np.float16) for name, array in updates.items()}
    with written_whole(folder / UPDATE) as path:
        path.write_bytes(save(halves))
    with written_whole(folder / CONFIG) as path:
        path.write_text(json.dumps({"model_type": "bert", "emorank_update_of": base}, indent=2), "utf8")


def _inside(lengths: Sequence[int]) -> Tensor:
    """(n, longest): where a padded text has tokens."""
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def _through(layers: nn.ModuleList, states: Tensor, inside: Tensor) -> Tensor:
    """Padded states after some layers."""
    for layer in layers:
        states = layer(states, inside[:, None, None, :])
    return states


@torch.no_grad()
def _held(network: TunedDescriptions, tokens: Sequence[Sequence[int]]) -> list[Tensor]:
    """What the layers that are kept give for all descriptions."""
    network.eval()
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    held: dict[int, Tensor] = {}
    for at in range(0, len(order), _AT_ONCE):
        rows = order[at : at + _AT_ONCE]
        held |= dict(zip(rows, map(torch.clone, network.below([tokens[row] for row in rows])), strict=True))
    return [held[row] for row in range(len(tokens))]


def _rate(done: float, warmup: float) -> float:
    return min(1.0, done / warmup) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def _batches(tokens: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """All descriptions once, those of like length together, in an order of torch's generator."""
    order = torch.randperm(len(tokens)).tolist()
    batches = []
    for start in range(0, len(order), size * _SORTED):
        some = sorted(order[start : start + size * _SORTED], key=lambda row: len(tokens[row]))
        batches += [some[at : at + size] for at in range(0, len(some), size)]
    for index in torch.randperm(len(batches)).tolist():
        yield batches[index]


def _resumed(file: Path, about: str, state: dict[str, Any]) -> int:
    """Put a state back where there is one; how many epochs are done."""
    if not file.is_file():
        return 0
    try:
        saved: dict[str, Any] = torch.load(file, "cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as error:
        raise EmorankError(f"{file}: the unfinished tuning is damaged; remove the file.") from error
    if saved["about"] != about:
        raise EmorankError(f"{file} is an unfinished tuning of other choices or data; remove it.")
    for name, part in state.items():
        part.load_state_dict(saved[name])
    return int(saved["epoch"])
