"""Clips in one long tensor, so that a batch is cut, stretched and put together where it is computed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emorank.audio import SAMPLE_RATE

_FRAME = SAMPLE_RATE // 50
_QUIET = 10 ** (-35 / 10)  # of the loudest frame's power; below it, a clip's ends are not speech
_SCALE = 32767


@dataclass(frozen=True)
class Sounds:
    """Clips one after the other.

    Args:
        samples: (all samples + a few,) int16.
        first: (n,) where each clip begins.
        length: (n,) its samples.
        lead: (n,) samples before its speech.
        tail: (n,) samples after its speech.
    """

    samples: Tensor
    first: Tensor
    length: Tensor
    lead: Tensor
    tail: Tensor

    @classmethod
    def of(cls, waves: Sequence[np.ndarray]) -> "Sounds":
        """From mono float32 arrays at 16 kHz."""
        lengths = np.array([len(wave) for wave in waves], np.int64)
        ends = np.array([_silence(wave) for wave in waves], np.int64).reshape(-1, 2)
        joined = np.concatenate([*waves, np.zeros(4, np.float32)])
        whole = (np.clip(joined, -1, 1) * _SCALE).round().astype(np.int16)
        numbers = (np.cumsum(lengths) - lengths, lengths, ends[:, 0], ends[:, 1])
        return cls(torch.from_numpy(whole), *(torch.from_numpy(each) for each in numbers))

    def to(self, device: torch.device) -> "Sounds":
        """The same on a device."""
        return Sounds(*(each.to(device) for each in vars(self).values()))

    def __len__(self) -> int:
        return len(self.length)

    def cut(self, clips: Tensor, begin: Tensor, samples: Tensor, speed: Tensor, longest: int) -> Tensor:
        """Parts of clips, played at another speed.

        Args:
            clips: (batch,) which.
            begin: (batch,) where in each clip, in its own samples.
            samples: (batch,) how many are wanted.
            speed: (batch,) 1.1 raises every frequency by a tenth and shortens by it.
            longest: samples that every row has, zero after its own.

        Returns:
            (batch, longest) float32, -1..1.
        """
        steps = torch.arange(longest, device=self.samples.device)
        place = begin[:, None] + steps * speed[:, None].double()
        whole = place.floor().long()
        part = (place - whole).float()
        limit = (self.length[clips] - 1)[:, None]
        before, left, right, after = (
            self.samples[self.first[clips][:, None] + (whole + by).clamp(min=0).minimum(limit)].float() / _SCALE
            for by in (-1, 0, 1, 2)
        )
        slope = (right - before) / 2, (after - left) / 2  # Catmull and Rom's cubic
        curve = 2 * (left - right) + slope[0] + slope[1]
        bend = 3 * (right - left) - 2 * slope[0] - slope[1]
        found = ((curve * part + bend) * part + slope[0]) * part + left
        result: Tensor = found * (steps < samples[:, None])
        return result


def _silence(wave: np.ndarray) -> tuple[int, int]:
    """Samples before and after what is loud in a clip."""
    frames = len(wave) // _FRAME
    if not frames:
        return 0, 0
    power = np.square(wave[: frames * _FRAME].reshape(frames, _FRAME)).mean(1)
    loud = np.flatnonzero(power > power.max() * _QUIET)
    if not len(loud):
        return 0, 0
    return int(loud[0]) * _FRAME, len(wave) - (int(loud[-1]) + 1) * _FRAME
