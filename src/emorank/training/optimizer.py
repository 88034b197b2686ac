"""The optimizer of a training, and how its learning rates fall."""

import math
from typing import Any

import torch

from emorank.training.config import TrainConfig
from emorank.training.heads import Heads


def optimizer_of(heads: Heads, config: TrainConfig) -> torch.optim.Optimizer:
    """Adam or AdamW; the temperature is not decayed. Its groups are heads, temperature, and the encoder if trained."""
    decayed = [*heads.audio.parameters(), *heads.text.parameters()]
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": [heads.log_scale], "weight_decay": 0.0}]
    if heads.encoder is not None:
        groups.append({"params": list(heads.encoder.parameters())})
    kind = torch.optim.AdamW if config.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=config.learning_rate, weight_decay=config.weight_decay, fused=True)


def learning_rate(config: TrainConfig, epoch: int) -> float:
    """The learning rate of an epoch, from 0: constant, or on a cosine that comes to 0 after the last one."""
    if config.schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (1 + math.cos(math.pi * epoch / config.epochs)) / 2


def set_rates(optimizer: torch.optim.Optimizer, config: TrainConfig, epoch: int) -> float:
    """Give all groups of `optimizer_of` their learning rate of an epoch, from 0; that of the heads."""
    rate = learning_rate(config, epoch)
    encoder = rate / config.learning_rate * config.encoder_learning_rate
    for group, own in zip(optimizer.param_groups, (rate, rate, encoder), strict=False):
        group["lr"] = own
    return rate
