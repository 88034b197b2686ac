"""What happens to speech between a mouth and a file: whole batches, and single clips that heads learn from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from emorank.encoders import audio_encoder
from emorank.training.augment import Augment, level
from emorank.training.damaged import Damaged, Voices, damaged
from emorank.training.lossy import KINDS, lossy
from tests.conftest import voice

NOBODY = Voices((), "nobody")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    waves = [torch.from_numpy(voice(0.7, 120, 0)), torch.from_numpy(voice(1.1, 180, 1))]
    return torch.nn.utils.rnn.pad_sequence(waves, batch_first=True), torch.tensor([len(wave) for wave in waves])


def test_changed_sounds_are_finite_end_where_they_did_and_come_again() -> None:
    waves, samples = batch()
    waves, samples = waves.repeat(16, 1), samples.repeat(16)
    changed = Augment(1.0, generator())(waves, samples)
    assert changed.isfinite().all()
    assert all(not row[end:].any() for row, end in zip(changed, samples, strict=True))
    torch.testing.assert_close(changed, Augment(1.0, generator())(waves, samples), rtol=0, atol=0)
    torch.testing.assert_close(Augment(0.0, generator())(waves, samples), level(waves, samples))


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_lossy_clip_is_much_like_the_clip(kind: int) -> None:
    clip = voice(1.0)
    damaged = lossy(clip, kind)
    assert abs(len(damaged) - len(clip)) < 4000
    assert 0.5 < np.std(damaged) / np.std(clip) < 1.5


def test_babble_is_that_of_other_voices_where_they_are_given() -> None:
    waves, samples = batch()
    waves, samples = waves.repeat(16, 1), samples.repeat(16)
    one, other = (Augment(1.0, generator())(waves, samples, torch.full_like(waves, each)) for each in (0.0, 1.0))
    assert 0 < int((one != other).any(1).sum()) < len(waves)


def test_a_clip_is_damaged_alike_in_every_batch_and_otherwise_in_every_copy(tiny_whisper: str) -> None:
    encoder = audio_encoder(tiny_whisper)
    clips = [voice(0.4 + 0.1 * i, 100 + 20 * i, i) for i in range(6)]
    one, other = (Damaged(encoder, copy, NOBODY) for copy in (0, 1))
    together = one(clips)
    alone = np.concatenate([one([clip]) for clip in clips])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert together.shape == (6, encoder.dim) == (6, one.dim)
    assert (np.abs(together - other(clips)).max(1) > 1e-3).all()
    assert one.device == encoder.device
    names = {one.fingerprint, other.fingerprint, Damaged(encoder, 0, Voices((), "others")).fingerprint}
    assert len({*names, encoder.fingerprint}) == 4
    assert one.name != encoder.name


@pytest.mark.parametrize("samples", [1, 7, 400, 16_000, 31 * 16_000])
def test_any_clip_is_about_as_long_and_finite_when_damaged(samples: int) -> None:
    talking = Voices((voice(0.3) / 0.1,), "one")
    for clip in (np.resize(voice(1.0), samples), np.zeros(samples, np.float32)):
        for copy in range(4):
            found = damaged(clip, copy, talking)
            assert found.dtype == np.float32
            assert np.isfinite(found).all()
            assert abs(len(found) - samples) < 4000
            assert len(found)
    assert not len(damaged(np.zeros(0, np.float32), 0, talking))


def test_voices_go_by_what_recordings_hold(recordings: Callable[..., Path]) -> None:
    paths = [str(path) for path in recordings(3).iterdir()]
    elsewhere = [str(path) for path in recordings(3, "elsewhere").iterdir()]
    one, other = Voices.of(paths), Voices.of(elsewhere[::-1])
    assert one.fingerprint == other.fingerprint != Voices.of(paths[:2]).fingerprint
    random = np.random.default_rng
    np.testing.assert_array_equal(one.babble(9000, random(0)), other.babble(9000, random(0)))
    assert np.std(one.babble(9000, random(0))) > 1
    assert not NOBODY.babble(9, random(0)).any()


def test_voices_without_a_sound_are_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(800), 16_000)
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    paths = [str(tmp_path / name) for name in ("silent.wav", "broken.wav", "missing.wav")]
    assert not Voices.of(paths).waves
