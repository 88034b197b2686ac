"""What happens to speech between a mouth and a file, drawn anew for every clip of a batch.

None of it changes how a voice is meant. Everything is computed for the whole batch at once and taken for a share of it.
"""

import torch
from torch import Tensor

from emorank.audio import SAMPLE_RATE
from emorank.encoders.whisper import LEVEL, SILENCE

_ECHO = SAMPLE_RATE * 2 // 5  # samples of a room's answer
_KNOTS = 9  # of the colour, from 60 Hz to 8 kHz
_COLOUR = 5.0  # dB, deviation of the colour at a knot
_VOICES = 5  # of a babble


class Augment:
    """Draws from one generator.

    Args:
        share: of the clips that are changed.
        generator: on the device of the sounds.
    """

    def __init__(self, share: float, generator: torch.Generator) -> None:
        self._share = share
        self._generator = generator

    def __call__(self, waves: Tensor, samples: Tensor, babble: Tensor | None = None) -> Tensor:
        """Changed sounds.

        Args:
            waves: (batch, samples), zero after the end of a clip.
            samples: (batch,) how long each clip is.
            babble: (batch, samples) other people who talk at once; None takes the other clips of the batch for them.

        Returns:
            (batch, samples), zero after the end of a clip.
        """
        inside = torch.arange(waves.shape[1], device=waves.device) < samples[:, None]
        waves = level(waves, samples)
        changed = self._noisy(self._filtered(waves), inside, samples, babble)
        changed = self._clipped(changed * inside)
        result: Tensor = torch.where(self._draw(len(waves), 1) < self._share, changed, waves) * inside
        return result

    def _draw(self, *shape: int) -> Tensor:
        return torch.rand(*shape, device=self._generator.device, generator=self._generator)

    def _between(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * self._draw(*shape)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, device=self._generator.device, generator=self._generator)

    def _filtered(self, waves: Tensor) -> Tensor:
        """In a room (a quarter), through a microphone of another colour (half), a telephone or a narrow line."""
        count, length = waves.shape
        size = -(-(length + _ECHO) // 4096) * 4096
        spectrum = torch.fft.rfft(waves, size)
        frequencies = torch.fft.rfftfreq(size, 1 / SAMPLE_RATE, device=waves.device)

        time = torch.arange(_ECHO, device=waves.device) / SAMPLE_RATE
        reverberation = self._between(0.15, 0.8, count, 1)  # seconds until it has fallen by 60 dB
        answer = self._normal(count, _ECHO) * torch.exp(-6.9 * time / reverberation)
        answer = answer / answer.square().sum(1, keepdim=True).sqrt() * self._between(0.2, 1.0, count, 1)
        answer = torch.where(self._draw(count, 1) < 0.25, answer, 0)
        answer[:, 0] += 1
        spectrum = spectrum * torch.fft.rfft(answer, size)

        octaves = (frequencies.clamp(min=60) / 60).log2() / 7.06 * (_KNOTS - 1)
        knot = octaves.floor().long().clamp(max=_KNOTS - 2)
        decibel = self._normal(count, _KNOTS) * _COLOUR
        curve = torch.lerp(decibel[:, knot], decibel[:, knot + 1], octaves - knot)
        curve = torch.where(self._draw(count, 1) < 0.5, curve, 0)

        low = torch.where(self._draw(count, 1) < 0.2, self._between(150, 400, count, 1), 0)
        high = torch.where(self._draw(count, 1) < 0.3, self._between(2800, 7000, count, 1), 9000)
        outside = ((low - frequencies) / 40).relu() + ((frequencies - high) / 40).relu()
        heard: Tensor = torch.fft.irfft(spectrum * 10 ** ((curve - 6 * outside.clamp(max=12)) / 20), size)
        return heard[:, :length]

    def _noisy(self, waves: Tensor, inside: Tensor, samples: Tensor, babble: Tensor | None) -> Tensor:
        """With other voices, with noise of any colour or with hum, 3 to 30 dB below the speech (half)."""
        count, length = waves.shape
        if babble is None:
            others = [waves.roll(by + 1, 0).roll(by * length // _VOICES, 1) for by in range(_VOICES)]
            babble = torch.stack(others).sum(0)
        spectrum = torch.fft.rfft(self._normal(count, length))
        place = torch.arange(1, spectrum.shape[1] + 1, device=waves.device)
        hiss = torch.fft.irfft(spectrum * place ** -self._between(0, 1.2, count, 1), length)
        time = torch.arange(length, device=waves.device) / SAMPLE_RATE
        base = torch.where(self._draw(count, 1) < 0.5, 50.0, 60.0)
        hum = sum(
            self._draw(count, 1) * torch.sin(2 * torch.pi * (base * k * time + self._draw(count, 1)))
            for k in (1, 2, 3, 4, 6)
        )
        which = self._draw(count, 1)
        noise = torch.where(which < 0.45, babble, torch.where(which < 0.8, hiss, torch.as_tensor(hum)))
        ratio = 10 ** (-self._between(3, 30, count, 1) / 20)
        noise = level(noise * inside, samples) * ratio
        return torch.where(self._draw(count, 1) < 0.5, level(waves * inside, samples) + noise, waves)

    def _clipped(self, waves: Tensor) -> Tensor:
        """Cut off above a tenth to two thirds of the loudest sample (an eighth)."""
        limit = waves.abs().amax(1, keepdim=True) * self._between(0.1, 0.66, len(waves), 1)
        return torch.where(self._draw(len(waves), 1) < 0.125, waves.clamp(-limit, limit), waves)


def level(waves: Tensor, samples: Tensor) -> Tensor:
    """Every clip at the level that the encoder hears it at, `emorank.encoders.whisper.LEVEL`."""
    power = waves.double().square().sum(1) / samples.clamp(min=1)
    return waves * (LEVEL / power.sqrt().clamp(min=SILENCE)).float()[:, None]
