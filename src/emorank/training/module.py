"""The heads as Lightning sees them."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import lightning.pytorch as lightning
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, IterableDataset

from emorank.affect import DIMENSIONS
from emorank.losses import RankNContrast, SupervisedContrastive, SymmetricCrossEntropy, gather
from emorank.training.config import TrainConfig
from emorank.training.data import Batch, Part, batches
from emorank.training.heads import Heads

DEVELOPMENT_LOSS = "development_loss"


class _Epoch(IterableDataset[Batch]):
    """The batches of one epoch."""

    def __init__(self, part: Part, config: TrainConfig, epoch: int) -> None:
        self._part, self._config, self._epoch = part, config, epoch

    def __iter__(self) -> Iterator[Batch]:
        c = self._config
        return batches(self._part, c.batch_size, c.captions_per_batch, c.seed, self._epoch)


class Module(lightning.LightningModule):
    """Trains the heads.

    Args:
        train: utterances and captions to learn from.
        development: utterances and captions whose loss chooses the epoch that is kept.
        config: every choice.
    """

    def __init__(self, train: Part, development: Part, config: TrainConfig) -> None:
        super().__init__()
        self._train, self._development, self.config = train, development, config
        torch.manual_seed(config.seed)
        self.heads = Heads(train, config)
        self.loss = loss_of(config)

    def train_dataloader(self) -> DataLoader[Batch]:
        """The batches of the current epoch; its number alone decides order and draws."""
        return DataLoader(_Epoch(self._train, self.config, self.current_epoch), batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All of the development part, the same batches after every epoch."""
        return DataLoader(_Epoch(self._development, self.config, epoch=-1), batch_size=None)

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """The loss of one batch; seed, epoch and index alone decide what dropout blanks."""
        torch.manual_seed((self.config.seed * 1_000_003 + self.current_epoch) * 1_000_003 + index)
        return self._loss(batch)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Adds to the development loss."""
        self.log(DEVELOPMENT_LOSS, self._loss(batch), batch_size=len(batch.audio))

    def configure_optimizers(self) -> Any:
        """AdamW; the temperature is not decayed. The schedule steps once an epoch."""
        decayed = [p for name, p in self.heads.named_parameters() if name != "log_scale"]
        groups: list[dict[str, Any]] = [{"params": decayed}, {"params": [self.heads.log_scale], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=self.config.learning_rate, weight_decay=self.config.weight_decay)
        if self.config.schedule == "constant":
            return optimizer
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.config.epochs)]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, index: int) -> Batch:
        """Lightning moves only what it knows; a batch is a dataclass with labels inside."""
        moved: dict[str, Any] = {
            name: None if each is None else each.to(device) for name, each in vars(batch.targets).items()
        }
        return Batch(batch.audio.to(device), batch.text.to(device), dataclasses.replace(batch.targets, **moved))

    def _loss(self, batch: Batch) -> Tensor:
        audio = embedded(self.heads.audio, batch.audio, self.config.chunks)
        text = embedded(self.heads.text, batch.text, self.config.chunks)
        whole = gather(audio, text, batch.targets)
        loss: Tensor = self.loss(whole.audio, whole.text, whole.targets, self.heads.scale)
        return loss


def loss_of(config: TrainConfig) -> nn.Module:
    """The loss that a config names."""
    if config.loss == "symmetric_cross_entropy":
        return SymmetricCrossEntropy()
    if config.loss == "supervised_contrastive":
        return SupervisedContrastive()
    weights = [config.weights[DIMENSIONS.index(name)] for name in config.dimensions]
    return RankNContrast(config.negatives, config.anchors, weights)


def embedded(head: Callable[[Tensor], Tensor], features: Tensor, chunks: int) -> Tensor:
    """A batch through a head, in chunks whose inner values are forgotten and computed again for the gradient.

    So the loss sees the whole contrastive batch while the memory is that of one chunk.
    """
    if chunks == 1:
        return head(features)
    return torch.cat([checkpoint(head, chunk, use_reentrant=False) for chunk in features.chunk(chunks)])
