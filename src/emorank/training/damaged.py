"""Clips as a room, a telephone, a crowd or a small file leaves them: heads shall know a voice in spite of it.

The changes are drawn from the clip's own samples, so that what was heard can be kept by the digest of its file.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.signal import butter, fftconvolve, sosfilt

from emorank import audio
from emorank.audio import SAMPLE_RATE
from emorank.digest import known_digests
from emorank.encoders import AudioEncoder
from emorank.errors import AudioError
from emorank.training.augment import Augment
from emorank.training.dataset import seed_of
from emorank.training.lossy import KINDS, lossy
from emorank.types import Array

_CODE = 2  # raised by whoever changes what happens to a clip
_AT_ONCE = 30 * SAMPLE_RATE  # samples of a longer recording that are changed alike
_RECORDINGS = 40  # that babble is made of
_LONGEST = 10.0  # seconds of each
_TALKING = 5  # voices of a babble
_LOSSY = 0.3  # share of the clips that come out of a small file


@dataclass(frozen=True)
class Voices:
    """Whom one hears in the background.

    Args:
        waves: mono float32 at 16 kHz, each of root mean square 1.
        fingerprint: of the recordings that they are from.
    """

    waves: tuple[Array, ...]
    fingerprint: str

    @classmethod
    def of(cls, paths: Sequence[str]) -> "Voices":
        """Of up to forty recordings, chosen by what they hold, so that order and place do not matter."""
        digests = {digest: path for path, digest in known_digests(paths) if isinstance(digest, str)}
        chosen = sorted(digests)[:_RECORDINGS]
        found = [wave for wave in map(_loud, (digests[digest] for digest in chosen)) if wave is not None]
        return cls(tuple(found), hashlib.blake2b(" ".join(chosen).encode(), digest_size=8).hexdigest())

    def babble(self, samples: int, random: np.random.Generator) -> Array:
        """(samples,) of some of them at once; silence where there are none."""
        result = np.zeros(samples, np.float32)
        for index in random.integers(len(self.waves), size=_TALKING if self.waves else 0):
            wave = self.waves[index]
            result += np.resize(np.roll(wave, int(random.integers(len(wave)))), samples)
        return result


class Damaged:
    """An audio encoder that hears clips damaged; the same clip always in the same way, whatever batch it is in.

    Args:
        encoder: hears what is left.
        copy: which of several; each is damaged in another way.
        voices: who talks in the background.
    """

    def __init__(self, encoder: AudioEncoder, copy: int, voices: Voices) -> None:
        self.name = f"{encoder.name}, damaged {copy}"
        self.dim = encoder.dim
        recipe = f"{encoder.fingerprint} damaged {_CODE} {copy} {voices.fingerprint}"
        self.fingerprint = hashlib.blake2b(recipe.encode(), digest_size=8).hexdigest()
        self._encoder, self._copy, self._voices = encoder, copy, voices

    @property
    def device(self) -> str:
        """Where the encoder computes."""
        return self._encoder.device

    def __call__(self, waves: list[np.ndarray]) -> Array:
        """(n, dim) float32 from mono float32 arrays at 16 kHz of any length."""
        return self._encoder([damaged(wave, self._copy, self._voices) for wave in waves])


def damaged(wave: np.ndarray, copy: int, voices: Voices) -> Array:
    """A clip with many small changes at once or with one that costs much, and some of the times out of a small file.

    Args:
        wave: (samples,) mono float32 at 16 kHz; what is longer than 30 s is changed part by part.
        copy: another number is another damage. Half of the clips are changed by `Augment`, the others are in a phone,
            a crowd or a room: that costs the order of unheard speakers most, and `Augment` seldom draws it alone.
        voices: who talks in the background.

    Returns:
        (about as many samples,) float32.
    """
    if not len(wave):
        return wave
    parts = np.array_split(np.ascontiguousarray(wave, np.float32), -(-len(wave) // _AT_ONCE))
    return np.concatenate([_changed(part, copy, voices) for part in parts])


def _changed(wave: Array, copy: int, voices: Voices) -> Array:
    seed = seed_of(copy, hashlib.blake2b(wave.data, digest_size=16).hexdigest())
    random, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    if seed % 2:
        changed = _plainly(wave, voices, random)
    else:
        background = torch.from_numpy(voices.babble(len(wave), random))[None]
        samples = torch.tensor([len(wave)])
        changed = Augment(1.0, generator)(torch.from_numpy(wave)[None], samples, background)[0].numpy()
    if random.random() >= _LOSSY:
        return changed
    return lossy(changed / max(1.0, float(np.abs(changed).max())), int(random.integers(len(KINDS))))


def _plainly(wave: Array, voices: Voices, random: np.random.Generator) -> Array:
    """A telephone's band (two fifths), other voices 3 to 18 dB below (two fifths), or a room."""
    kind = random.random()
    if kind < 0.4:
        band = random.uniform(200, 400), random.uniform(3000, 3800)
        changed = sosfilt(butter(6, band, "bandpass", fs=SAMPLE_RATE, output="sos"), wave)
    elif kind < 0.8:
        babble = voices.babble(len(wave), random)
        changed = wave + babble * (_level(wave) / (_level(babble) or 1.0) * 10 ** (-random.uniform(3, 18) / 20))
    else:
        time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
        answer = random.standard_normal(len(time)) * np.exp(-6.9 * time / random.uniform(0.2, 0.8))
        answer *= random.uniform(0.3, 1.2) / np.sqrt(np.square(answer).sum())
        answer[0] += 1
        changed = fftconvolve(wave, answer)[: len(wave)]
    return changed.astype(np.float32)


def _level(wave: Array) -> float:
    """Root mean square; 0 of nothing."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))) if len(wave) else 0.0


def _loud(path: str) -> Array | None:
    """The beginning of a recording at root mean square 1; None where there is nothing to hear."""
    try:
        wave = audio.load(path, end=_LONGEST)
    except AudioError:
        return None
    level = _level(wave)
    return (wave / level).astype(np.float32) if level else None
