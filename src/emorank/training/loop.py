"""Runs a training: resumes where it was killed, stops early, keeps the best epoch, writes a model folder."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import emorank
from emorank.audio import load
from emorank.errors import EmorankError
from emorank.losses import Contrastive, RankNContrast, SupervisedContrastive, SymmetricCrossEntropy, across
from emorank.model import EmotionRankCLAP
from emorank.training import loggers
from emorank.training.checkpoint import Checkpoint, finished, identity
from emorank.training.config import Device, Logger, TrainConfig
from emorank.training.dataset import Batch, Split, draw, seed_of
from emorank.training.heads import Heads, Projection
from emorank.training.margins import with_margins
from emorank.training.optimizer import optimizer_of, set_rates
from emorank.training.own_encoder import with_own_encoder
from emorank.training.processes import Processes, device_of, threads

Report = Callable[[int, int, float], None]  # epoch, epochs at most, development loss
Weighted = tuple[Tensor, int]  # a loss, and the utterances that it is the mean of
_DEVELOPMENT = -1  # the epoch whose batches development has, after every epoch the same


def fit(
    train: Split,
    development: Split,
    config: TrainConfig,
    folder: Path,
    about: dict[str, Any] | None = None,
    report: Report | None = None,
    device: Device = "auto",
    logger: Logger = "none",
) -> EmotionRankCLAP:
    """Train the heads and write the model to `folder`.

    A run that was killed goes on with the epoch it was in, and ends with the same model as an undisturbed one. A folder
    that holds the finished model of the same run is left as it is. Where torch.distributed is initialised, the
    processes share every batch, the first one writes, and all end with the model that one process would have made; they
    need to see the same `folder`.

    Args:
        train: utterances and captions to learn from.
        development: utterances and captions that choose the epoch.
        config: every choice.
        folder: where the model goes.
        about: what to note in the model's config about data and split.
        report: called after every epoch, in the first process.
        device: where the heads are trained; see `processes.device_of`.
        logger: where the curves go; see `loggers.logging`.

    Raises:
        EmorankError: the folder holds another training, or processes see different folders there; there is no such
            device; or a loss is not finite.
    """
    run = identity(train, development, config)
    model, checkpoint = finished(folder, run), Checkpoint(folder, run)
    state = None if model else checkpoint.read()
    done = -1 if model else len(state["losses"]) if state else 0
    if not Processes.here().alike(done, device_of(device)):
        raise EmorankError(f"{folder}: not all processes see the same files there; name a folder that they share.")
    if model:
        return model
    training = _Training(train, development, config, device)
    first = training.processes.rank == 0
    training.begin(state)
    log_to = loggers.logging(logger if first else "none", folder, config, run, training.epoch)
    with nullcontext() if config.unfreeze else threads(config.batch_size), log_to as log:
        try:
            while not training.ended:
                values = training.advance()
                if first:
                    checkpoint.write(training.state())
                    log(training.epoch, values)
                    if report:
                        report(training.epoch, config.epochs, training.losses[-1])
        except _NotFinite:
            if first:
                checkpoint.remove()  # a lower learning rate is another training, and may use the folder
            raise
    history = {"run": run, **training.history(), "emorank": emorank.__version__, "config": dataclasses.asdict(config)}
    history |= about or {}
    if config.unfreeze:
        if first:
            with_own_encoder(training.best(), train, development, config, folder, history).save(folder)
            checkpoint.remove()
        training.processes.wait()
        return EmotionRankCLAP.from_pretrained(folder)
    model = with_margins(training.best().export(train, config, history), development.audio, config)
    if first:
        model.save(folder)
        checkpoint.remove()
    training.processes.wait()
    return model


def untrained(train: Split, config: TrainConfig) -> EmotionRankCLAP:
    """The model as it is before the first step: what training has to improve on."""
    return Heads(train, config).export(train, config, {"untrained": True})


class _NotFinite(EmorankError):
    """A loss that is NaN or infinite."""


class _Training:
    """The heads, the optimizer, and how far they are."""

    def __init__(self, train: Split, development: Split, config: TrainConfig, device: Device) -> None:
        self._train, self._development, self._config = train, development, config
        self._device = device_of(device)
        self.processes = Processes.here()
        self._heads = Heads(train, config).to(self._device)
        self._optimizer = optimizer_of(self._heads, config)
        self._loss = loss_of(config)
        self._best: dict[str, Tensor] = {}  # the heads of the epoch that is kept
        self.losses: list[float] = []  # on the development split, of every epoch, also of those before a kill

    @property
    def epoch(self) -> int:
        """How many are done."""
        return len(self.losses)

    @property
    def epoch_kept(self) -> int:
        """From 1: the last one, or the first with the lowest development loss."""
        return self.epoch if self._config.keep == "last" else self.losses.index(min(self.losses)) + 1

    @property
    def ended(self) -> bool:
        """Whether all epochs are done, or the last ones, as many as the patience, brought no lower loss."""
        return bool(self.losses) and (
            self.epoch >= self._config.epochs or self.epoch - self.epoch_kept >= self._config.patience
        )

    def advance(self) -> dict[str, float]:
        """One epoch, and the development loss after it.

        Returns:
            What a logger shows: both losses, the learning rate and the temperature.
        """
        rate = set_rates(self._optimizer, self._config, self.epoch)
        losses = [self._step(batch, step) for step, batch in enumerate(self._batches(self._train, self.epoch))]
        training = self._mean(losses, "training")
        with torch.no_grad():
            batches = self._batches(self._development, _DEVELOPMENT)
            development = self._mean([self._loss_of(batch) for batch in batches], "development")
        self.losses.append(development)
        if self.epoch_kept == self.epoch:
            self._best = {name: values.cpu().clone() for name, values in self._heads.state_dict().items()}
        shown = {"training_loss": training, "development_loss": development}
        return {**shown, "learning_rate": rate, "temperature": 1 / self._heads.scale.item()}

    def state(self) -> dict[str, Any]:
        """All that `begin` needs to go on with the next epoch."""
        states = {"heads": self._heads.state_dict(), "optimizer": self._optimizer.state_dict()}
        return {**states, "best": self._best, "losses": self.losses}

    def begin(self, state: dict[str, Any] | None) -> None:
        """Start, or go on where `state` was taken; all processes from the same numbers."""
        if state:
            self._heads.load_state_dict(state["heads"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._best, self.losses = state["best"], state["losses"]
        self.processes.agree(*self._heads.state_dict().values())

    def best(self) -> Heads:
        """The heads of the epoch that is kept, on the processor."""
        heads = Heads(self._train, self._config)
        heads.load_state_dict(self._best)
        return heads

    def history(self) -> dict[str, Any]:
        """What the model tells of its training."""
        kept = {"epoch_kept": self.epoch_kept, "development_loss": self.losses[self.epoch_kept - 1]}
        return {"epochs_trained": self.epoch, **kept, "development_losses": self.losses}

    def _batches(self, split: Split, epoch: int) -> Iterator[Batch]:
        c = self._config
        return draw(split, c.batch_size, c.captions_per_batch, c.seed, epoch, self.processes)

    def _step(self, batch: Batch, step: int) -> Weighted:
        """The loss of a batch, and one step of the optimizer. Seed, epoch and step alone decide what dropout blanks."""
        generator = torch.Generator(self._device).manual_seed(seed_of(self._config.seed, self.epoch, step))
        self._optimizer.zero_grad()
        loss, weight = self._loss_of(batch, generator)
        loss.backward()  # type: ignore[no-untyped-call]
        self.processes.average(list(self._heads.parameters()))
        self._optimizer.step()
        return loss.detach(), weight

    def _loss_of(self, batch: Batch, dropout: torch.Generator | None = None) -> Weighted:
        """The loss over a batch of all processes, and its number of utterances."""
        own, (utterances, captions) = batch.to(self._device), batch.shape
        audio = self._embedded(self._heads.audio, self._heard(own), utterances, dropout)
        text = self._embedded(self._heads.text, own.text, captions, dropout)
        return across(self._loss, audio, text, own.targets, self._heads.scale), utterances

    def _heard(self, batch: Batch) -> Tensor:
        """The features of this process's utterances: as they were kept, or by the encoder as it is now."""
        if self._heads.encoder is None:
            return batch.audio
        if batch.paths is None:
            raise EmorankError("--unfreeze needs the recordings of the utterances, not their features alone.")
        features: Tensor = self._heads.encoder(load(path) for path in batch.paths)
        return features

    def _embedded(self, head: Projection, features: Tensor, rows: int, dropout: torch.Generator | None) -> Tensor:
        """This process's part of the rows of a batch through a head."""
        masks = head.masks(rows, self.processes.share(rows), self._config.dropout, dropout) if dropout else []
        return head.embed(features, masks, self._config.chunks)

    def _mean(self, losses: Sequence[Weighted], what: str) -> float:
        """The mean over utterances, the same in all processes."""
        values = torch.stack([loss for loss, _ in losses]).cpu()
        wrong = (~values.isfinite()).nonzero()
        if len(wrong):
            raise _NotFinite(
                f"The {what} loss is not finite ({values[wrong[0]].item()} in epoch {self.epoch + 1}, step "
                f"{wrong[0].item() + 1} of {len(values)}), so no model is written; try a --learning-rate below "
                f"{self._config.learning_rate:g}."
            )
        weights = torch.tensor([weight for _, weight in losses], dtype=torch.double)
        mean = (values.double() @ weights / weights.sum()).to(self._device, torch.float)
        self.processes.agree(mean)
        return mean.item()


def loss_of(config: TrainConfig) -> Contrastive:
    """The loss that a config names."""
    if config.loss == "symmetric_cross_entropy":
        return SymmetricCrossEntropy()
    if config.loss == "supervised_contrastive":
        return SupervisedContrastive()
    return RankNContrast(config.negatives, config.anchors, config.label_weights)
