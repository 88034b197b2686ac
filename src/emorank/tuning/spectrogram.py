"""Whisper's spectrogram of a batch in torch, with vocal tracts of other lengths, and what may be hidden of it.

Without a change of the vocal tract it is that of `emorank.encoders.whisper_network.log_mel`, but for the last two
frames of a padded clip, which end in silence here and in a mirror image there.
"""

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from emorank.encoders.whisper_network import FFT, HOP, mel_filters

BINS = 80
TRACTS = np.linspace(0.86, 1.16, 16)  # factors of all frequencies; as for longer to shorter vocal tracts
STRIPES, WIDEST_BINS, WIDEST_FRAMES = 2, 10, 24  # of what is hidden, in each direction


@lru_cache
def _banks(device: str) -> tuple[Tensor, Tensor]:
    """(FFT / 2 + 1, bins) as it is, and (tracts, FFT / 2 + 1, bins)."""
    warped = np.stack([mel_filters(BINS, float(factor)) for factor in TRACTS])
    return torch.from_numpy(mel_filters(BINS)).to(device), torch.from_numpy(warped).to(device)


def log_mel(waves: Tensor, samples: Tensor, tracts: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The spectrogram of levelled clips.

    Args:
        waves: (batch, samples), zero after the end of a clip.
        samples: (batch,) how long each clip is.
        tracts: (batch,) indices into `TRACTS`; None leaves the vocal tracts as they are.

    Returns:
        (batch, frames, bins), zero after the end of a clip; and (batch, frames), where clips are.
    """
    window = torch.hann_window(FFT, device=waves.device)
    spectrum = torch.stft(waves, FFT, HOP, window=window, return_complex=True)[..., :-1]
    power = spectrum.abs().square().mT
    plain, warped = _banks(str(waves.device))
    mel = power @ (plain if tracts is None else warped[tracts])
    inside = torch.arange(mel.shape[1], device=waves.device) < (samples // HOP)[:, None]
    log = mel.clamp(min=1e-10).log10()
    highest = log.masked_fill(~inside[..., None], -10).amax((1, 2), keepdim=True)
    return (torch.maximum(log, highest - 8) + 4) / 4 * inside[..., None], inside


def hide(mel: Tensor, inside: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Stripes of bins and of frames at the clip's mean, in a share of the clips (SpecAugment, Park et al. 2019)."""
    count, frames, bins = mel.shape
    mean = mel.sum((1, 2), keepdim=True) / (inside.sum(1)[:, None, None] * bins)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, device=mel.device, generator=generator)

    hidden = torch.zeros_like(mel, dtype=torch.bool)
    chosen = uniform(count, 1, 1) < share
    for size, widest, axis in ((bins, WIDEST_BINS, 2), (frames, WIDEST_FRAMES, 1)):
        place = torch.arange(size, device=mel.device)
        place = place[None, None] if axis == 2 else place[None, :, None]
        for _ in range(STRIPES):
            first, width = uniform(count, 1, 1) * size, uniform(count, 1, 1) * widest
            hidden |= chosen & (place >= first) & (place < first + width)
    return torch.where(hidden, mean, mel) * inside[..., None]


def mix_styles(mel: Tensor, inside: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """A share of the clips with every bin's mean and deviation over time moved towards another clip's.

    MixStyle (Zhou et al. 2021) on frequencies: the colour of a voice and a room changes, the course of the speech does
    not.
    """
    held = inside[..., None]
    frames = inside.sum(1)[:, None, None]
    mean = (mel * held).sum(1, keepdim=True) / frames
    spread = (((mel - mean) * held).square().sum(1, keepdim=True) / frames + 1e-5).sqrt()
    other = torch.randperm(len(mel), device=mel.device, generator=generator)
    draw = torch.rand(2, len(mel), 1, 1, device=mel.device, generator=generator)
    weight = torch.where(draw[0] < share, draw[1] * 0.5, 0.0)
    moved = (mel - mean) / spread * torch.lerp(spread, spread[other], weight) + torch.lerp(mean, mean[other], weight)
    return moved * held
