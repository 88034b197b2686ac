"""Runs a tuning: resumes where it was killed, keeps the running average that development speakers like best."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from emorank.audio import SAMPLE_RATE
from emorank.losses import RankNContrast, Targets
from emorank.training.augment import Augment, level
from emorank.training.dataset import seed_of
from emorank.tuning import objective
from emorank.tuning.config import TuneConfig
from emorank.tuning.network import Readout, TunedWhisper
from emorank.tuning.spectrogram import TRACTS, hide, log_mel, mix_styles
from emorank.tuning.speech import Speech, draw
from emorank.types import Array

WEIGHTS = (1.2, 1.0, 1.5)  # of the dimensions in the order against descriptions
_CAPTIONS = 256  # in a batch
BEGIN = 0  # seed of the initial updates, the same for all runs, so that their results can be averaged
_AT_ONCE = 240 * SAMPLE_RATE  # samples of the clips that are looked at together
Orders = dict[str, list[float]]  # group of clips -> Kendall's tau-b of every dimension


@dataclass
class Progress:
    """What a tuning has seen so far.

    Args:
        step: batches done.
        losses: of every batch.
        looks: (step, orders) at the development speakers and whoever else is to be looked at.
        best: score of the step that is kept.
        kept: its weights.
    """

    step: int = 0
    losses: list[float] = field(default_factory=list)
    looks: list[tuple[int, Orders]] = field(default_factory=list)
    best: float = -math.inf
    kept: dict[str, Tensor] = field(default_factory=dict)


class Tuning:
    """A network, its readout and their running average.

    Args:
        weights: of the untuned layers, see `TunedWhisper`.
        train: what is learnt from.
        groups: clips that are looked at, by name; those named development choose the step.
        config: every choice.
        captions: (m, text dim) vectors and (m, k) places of descriptions, for `config.contrast`.
    """

    def __init__(
        self,
        weights: Mapping[str, Array],
        train: Speech,
        groups: Mapping[str, Speech],
        config: TuneConfig,
        captions: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        self._config, self._train, self._groups, self._captions = config, train, groups, captions
        self._device = train.labels.device
        torch.manual_seed(seed_of(BEGIN))
        self.network = TunedWhisper(weights, config).to(self._device)
        text = captions[0].shape[1] if captions and config.contrast else 0
        pooled = self._pooled(train, torch.arange(0, len(train), max(1, len(train) // 1000)))
        kinds = train.possible.shape[1]
        self.readout = Readout(pooled, train.labels.shape[1], kinds, text, config.dropout).to(self._device)
        slow = [each for each in self.network.parameters() if each.requires_grad]
        rates = ((slow, config.learning_rate), (list(self.readout.parameters()), 3 * config.learning_rate))
        groups_of = [{"params": params, "lr": rate, "full": rate} for params, rate in rates]
        self._optimizer = torch.optim.AdamW(groups_of, weight_decay=config.weight_decay, betas=(0.9, 0.98), fused=True)
        self._learnt = [each for params, _ in rates for each in params]
        self._average = [each.detach().clone() for each in self._learnt]
        self._odds = train.odds(config.evenness)
        self._contrast = RankNContrast("at_least_as_far", "both", WEIGHTS[: train.labels.shape[1]])
        self.progress = Progress()

    def run(self, until: int | None = None, report: Callable[[int, float, Orders], None] | None = None) -> None:
        """Go on until a step, or the last one."""
        losses = []
        while self.progress.step < (until or self._config.steps):
            losses.append(self._advance())
            if self.progress.step % self._config.every == 0 or self.progress.step == self._config.steps:
                values = torch.stack(losses).tolist()
                self.progress.losses += values
                orders = self._look()
                if report:
                    report(self.progress.step, sum(values) / len(values), orders)
                losses = []

    def state_dict(self) -> dict[str, Tensor]:
        """What is learnt, of the network and of its readout."""
        parts = (("network", self.network), ("readout", self.readout))
        return {
            f"{part}.{name}": value.detach()
            for part, module in parts
            for name, value in module.named_parameters()
            if value.requires_grad
        }

    def take(self, values: Mapping[str, Tensor]) -> None:
        """Put in what `state_dict` gave."""
        with torch.no_grad():
            for name, own in self.state_dict().items():
                own.copy_(values[name])

    def state(self) -> dict[str, Any]:
        """Everything that is needed to go on, as tensors and plain data."""
        learnt = [each.detach() for each in self._learnt]
        progress = dict(vars(self.progress))
        return {"learnt": learnt, "average": self._average, "optimizer": self._optimizer.state_dict(), **progress}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from such a state."""
        with torch.no_grad():
            for own, values in ((self._learnt, state["learnt"]), (self._average, state["average"])):
                for each, value in zip(own, values, strict=True):
                    each.copy_(value)
        self._optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**{name: state[name] for name in vars(Progress())})

    def _advance(self) -> Tensor:
        config, train, step = self._config, self._train, self.progress.step
        torch.manual_seed(seed_of(config.seed, step))
        generator = torch.Generator(self._device).manual_seed(seed_of(config.seed, step, 1))
        for group in self._optimizer.param_groups:
            group["lr"] = group["full"] * _schedule(step, config)
        with torch.no_grad():
            drawn = draw(train, self._odds, config, generator)
            waves = level(Augment(config.augment, generator)(drawn.waves, drawn.samples), drawn.samples)
            tracts = torch.randint(len(TRACTS), (len(waves),), device=self._device, generator=generator)
            mel, inside = log_mel(waves, drawn.samples, tracts)
            if config.mix:
                mel = mix_styles(mel, inside, config.mix, generator)
            mel = hide(mel, inside, config.mask, generator)
        self.network.train()
        self.readout.train()
        with torch.autocast("cuda", torch.bfloat16, self._device.type == "cuda"):
            pooled = self.network(mel, inside)
        loss = self._loss(pooled, drawn.clips, generator)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._learnt, 1.0)
        self._optimizer.step()
        decay = min(config.average, (step + 1) / (step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self._average, [each.detach() for each in self._learnt], 1 - decay)
        self.progress.step += 1
        return loss.detach()

    def _loss(self, pooled: Tensor, clips: Tensor, generator: torch.Generator) -> Tensor:
        config, train = self._config, self._train
        labels, corpus = train.labels[clips], train.corpus[clips]
        places, logits, audio = self.readout(pooled)
        loss = objective.disagreement(places, labels, corpus, train.corpora)
        loss = loss + config.categories * objective.confusion(logits, train.category[clips], train.possible[corpus])
        if config.align:
            loss = loss + config.align * objective.separation(pooled, corpus, train.corpora)
        if self._captions and audio is not None:
            texts, points = self._captions
            some = torch.randperm(len(texts), device=texts.device, generator=generator)[:_CAPTIONS]
            scale = self.readout.log_scale.clamp(max=4.6).exp()
            ranked = self._contrast(audio, self.readout.text(texts[some]), Targets(labels, points[some]), scale)
            loss = loss + config.contrast * ranked
        return loss

    def _look(self) -> Orders:
        """Order of the places that the running average reads out; the best so far for development is kept."""
        with self._averaged():
            orders = {
                name: objective.order(self.places(speech), speech.labels).tolist()
                for name, speech in self._groups.items()
            }
            own = [sum(taus[:2]) / 2 for name, taus in orders.items() if name.startswith("development")]
            score = sum(own) / max(1, len(own))
            if score > self.progress.best or not own:
                self.progress.best = score
                self.progress.kept = {name: value.clone() for name, value in self.state_dict().items()}
        self.progress.looks.append((self.progress.step, orders))
        return orders

    def places(self, speech: Speech) -> Tensor:
        """(n, k) of clips as they are."""
        self.readout.eval()
        with torch.inference_mode():
            result: Tensor = self.readout(self._pooled(speech, torch.arange(len(speech))))[0]
        return result

    def _pooled(self, speech: Speech, clips: Tensor) -> Tensor:
        """(n, dim) of clips as they are."""
        self.network.eval()
        pooled = torch.zeros(len(clips), self.network.dim, device=self._device)
        length = speech.sounds.length.cpu()[clips]
        order = length.argsort()
        for some in _batches(order, length):
            heard, samples = clips[some].to(self._device), length[some].to(self._device)
            still = torch.zeros(len(some), device=self._device)
            waves = speech.sounds.cut(heard, still.double(), samples, still + 1, int(samples.max()))
            with torch.inference_mode(), torch.autocast("cuda", torch.bfloat16, self._device.type == "cuda"):
                pooled[some.to(self._device)] = self.network(*log_mel(level(waves, samples), samples))
        return pooled

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """With the running average in the place of what is learnt."""
        own = [each.detach().clone() for each in self._learnt]
        _put(self._learnt, self._average)
        try:
            yield
        finally:
            _put(self._learnt, own)


def _put(parameters: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(value)


def _schedule(step: int, config: TuneConfig) -> float:
    """Up along a line, down along a cosine."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    return (1 + math.cos(math.pi * (step - config.warmup) / max(1, config.steps - config.warmup))) / 2


def _batches(order: Tensor, length: Tensor) -> Iterator[Tensor]:
    """Clips of about one length together, at most four minutes of them."""
    start = 0
    while start < len(order):
        longest = int(length[order[start:]][min(200, len(order) - start) - 1])
        count = max(1, _AT_ONCE // max(1, longest))
        yield order[start : start + min(count, 200)]
        start += min(count, 200)
