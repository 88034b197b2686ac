"""Labelled clips that an encoder is tuned on, and the batches that are drawn from them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from emorank.audio import SAMPLE_RATE
from emorank.tuning.config import TuneConfig
from emorank.tuning.sounds import Sounds

_TEMPO = 0.11  # logarithm of the largest change of speed
_LOSSY = 0.3  # share of the clips that come from a lossy file where there are some
_SHORTEST = SAMPLE_RATE * 3 // 10


@dataclass(frozen=True)
class Speech:
    """Clips with labels.

    Args:
        sounds: n clips, and after them, if there are any, the same n from lossy files, once or more often.
        labels: (n, k) dimensions, 1..7.
        category: (n,) ids.
        corpus: (n,) ids.
        possible: (corpora, categories) which of them a corpus has.
    """

    sounds: Sounds
    labels: Tensor
    category: Tensor
    corpus: Tensor
    possible: Tensor

    def to(self, device: torch.device) -> "Speech":
        """The same on a device."""
        return Speech(*(each.to(device) for each in vars(self).values()))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def corpora(self) -> int:
        """How many."""
        return len(self.possible)

    def odds(self, evenness: float) -> Tensor:
        """(n,) how likely each clip is drawn."""
        sizes = torch.bincount(self.corpus, minlength=self.corpora).clamp(min=1).double()
        share = sizes ** (1 - evenness)
        return (share / share.sum() / sizes)[self.corpus].float()


@dataclass(frozen=True)
class Drawn:
    """A batch: clips, and (batch, samples) of their sound with (batch,) lengths."""

    clips: Tensor
    waves: Tensor
    samples: Tensor


def draw(speech: Speech, odds: Tensor, config: TuneConfig, generator: torch.Generator) -> Drawn:
    """Clips with some of the silence around them, at another tempo and pitch, some of them parts."""
    count, device = config.batch_size, odds.device

    def uniform() -> Tensor:
        return torch.rand(count, device=device, generator=generator)

    clips = torch.multinomial(odds, count, replacement=True, generator=generator)
    versions = len(speech.sounds) // len(speech) - 1
    lossy = (uniform() * versions).long() + 1
    heard = clips + torch.where(uniform() < _LOSSY, lossy * len(speech), 0) if versions else clips
    length, lead, tail = (each[heard] for each in (speech.sounds.length, speech.sounds.lead, speech.sounds.tail))
    trimmed = uniform() < 0.5
    begin = torch.where(trimmed, lead * uniform(), 0.0)
    span = length - begin - torch.where(trimmed, tail * uniform(), 0.0)
    part = span * torch.where(uniform() < 0.25, 0.5 + 0.5 * uniform(), 1.0)
    speed = torch.exp(_TEMPO * (2 * uniform() - 1))
    longest = round(config.seconds * SAMPLE_RATE)
    part = torch.minimum(part, longest * speed).clamp(min=_SHORTEST)
    begin = begin + (span - part).clamp(min=0) * uniform()
    samples = (part / speed).long().clamp(max=longest)
    return Drawn(clips, speech.sounds.cut(heard, begin.double(), samples, speed, longest), samples)
