"""What a tuning is made of: sounds, what is done to them, spectrograms, the network, what is minimised."""

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau

from emorank.encoders import audio_encoder, packaged
from emorank.encoders.whisper_network import log_mel as exact
from emorank.training.augment import level
from emorank.tuning import objective
from emorank.tuning.config import TuneConfig
from emorank.tuning.network import TunedWhisper
from emorank.tuning.sounds import Sounds
from emorank.tuning.spectrogram import hide, log_mel, mix_styles
from emorank.tuning.speech import draw
from tests.conftest import voice
from tests.tuning.small import speech, weights

WAVES = [voice(0.7, 120, 0), voice(1.1, 180, 1)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    sounds = Sounds.of(WAVES)
    still = torch.zeros(2)
    longest = int(sounds.length.max())
    return sounds.cut(torch.arange(2), still.double(), sounds.length, still + 1, longest), sounds.length


def test_a_whole_clip_at_its_own_speed_is_itself() -> None:
    waves, samples = batch()
    for row, wave in zip(waves.numpy(), WAVES, strict=True):
        np.testing.assert_allclose(row[: len(wave)], wave, atol=2e-5)
        assert not row[len(wave) :].any()
    assert samples.tolist() == [len(wave) for wave in WAVES]


def test_a_faster_clip_is_higher_by_as_much() -> None:
    tone = np.sin(2 * np.pi * 400 * np.arange(16_000) / 16_000).astype(np.float32)
    sounds = Sounds.of([tone])
    fast = sounds.cut(torch.tensor([0]), torch.zeros(1).double(), torch.tensor([12_000]), torch.tensor([1.25]), 12_000)
    peak = np.abs(np.fft.rfft(fast[0].numpy())).argmax() * 16_000 / 12_000
    assert abs(peak - 500) < 2


def test_silence_around_speech_is_found() -> None:
    sounds = Sounds.of([np.concatenate([np.zeros(8000, np.float32), voice(1.0), np.zeros(4800, np.float32)])])
    assert abs(int(sounds.lead[0]) - 8000) < 2000
    assert abs(int(sounds.tail[0]) - 4800) < 2000


def test_the_spectrogram_is_that_of_the_encoder() -> None:
    waves, samples = batch()
    mel, inside = log_mel(waves, samples)
    for row, where, wave in zip(mel.numpy(), inside.numpy(), WAVES, strict=True):
        wanted = exact(wave, 80)
        assert where.sum() == len(wanted)
        np.testing.assert_allclose(row[: len(wanted) - 2], wanted[:-2], atol=2e-2)
        assert not row[len(wanted) :].any()


@pytest.mark.parametrize("change", [hide, mix_styles])
def test_what_is_done_to_a_spectrogram_keeps_what_is_outside_empty(change: object) -> None:
    mel, inside = log_mel(*batch())
    changed = change(mel, inside, 1.0, generator())  # type: ignore[operator]
    assert not changed[~inside].any()
    assert (changed != mel).any()
    torch.testing.assert_close(change(mel, inside, 0.0, generator()), mel)  # type: ignore[operator]


def test_batches_draw_corpora_alike_if_asked_to() -> None:
    given = speech(12)
    uneven = type(given)(given.sounds, given.labels, given.category, (torch.arange(12) > 8).long(), given.possible)
    shares = [torch.bincount(uneven.corpus, uneven.odds(evenness)).tolist() for evenness in (0.0, 1.0)]
    np.testing.assert_allclose(shares, [[0.75, 0.25], [0.5, 0.5]], atol=1e-6)
    drawn = draw(speech(12, versions=2), given.odds(0.5), TuneConfig(batch_size=40, seconds=0.5), generator())
    assert drawn.waves.shape == (40, 8000)
    assert int(drawn.clips.max()) < 12
    assert (drawn.samples <= 8000).all()


def test_untuned_it_is_the_packaged_encoder() -> None:
    network = TunedWhisper(packaged.whisper_base(4), TuneConfig())
    waves, samples = batch()
    with torch.no_grad():
        pooled = network(*log_mel(level(waves, samples), samples)).numpy()
    wanted = audio_encoder("whisper-base/3+4")(WAVES)
    assert np.linalg.norm(pooled - wanted) < 3e-2 * np.linalg.norm(wanted)


def test_merged_weights_are_what_was_learnt() -> None:
    config = TuneConfig(layers=(1, 2), rank=2)
    tuned, plain = TunedWhisper(weights(), config), TunedWhisper(weights(1), config)
    for parameter in tuned.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator())
    fixed = {name: array for name, array in tuned.merged().items() if name.startswith(("conv", "embed"))}
    plain = TunedWhisper(weights() | fixed, config)
    plain.absorb(tuned.merged())
    mel, inside = log_mel(*batch())
    with torch.no_grad():
        torch.testing.assert_close(tuned(mel, inside), plain(mel, inside), rtol=1e-4, atol=1e-4)


def test_agreement_is_lins_within_each_corpus() -> None:
    rng = np.random.default_rng(0)
    places, labels = rng.normal(4, 1, (40, 2)), rng.normal(4.2, 1.3, (40, 2))
    corpus = np.arange(40) % 2

    def concordance(x: np.ndarray, y: np.ndarray) -> float:
        covariance = np.mean((x - x.mean()) * (y - y.mean()))
        return float(2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2))

    wanted = np.mean([1 - concordance(places[corpus == c, k], labels[corpus == c, k]) for c in (0, 1) for k in (0, 1)])
    arrays = (torch.from_numpy(each) for each in (places, labels, corpus))
    assert abs(float(objective.disagreement(*arrays, 3)) - wanted) < 1e-3


def test_categories_that_a_corpus_lacks_cost_nothing() -> None:
    logits = torch.tensor([[2.0, 0.0, 9.0]])
    possible = torch.tensor([[True, True, False]])
    category = torch.tensor([0])
    other = logits.clone()
    other[0, 2] = -9
    assert objective.confusion(logits, category, possible) == objective.confusion(other, category, possible)


def test_corpora_that_are_alike_are_not_apart() -> None:
    rng = torch.randn(200, 4, generator=generator())
    corpus = torch.arange(200) % 2
    near, far = objective.separation(rng, corpus, 2), objective.separation(rng + 3 * corpus[:, None], corpus, 2)
    assert 0 <= near < 0.1 < far


def test_order_is_kendalls() -> None:
    rng = np.random.default_rng(1)
    places, labels = rng.normal(size=(50, 2)), rng.integers(1, 5, (50, 2)).astype(float)
    wanted = [kendalltau(places[:, k], labels[:, k]).statistic for k in (0, 1)]
    np.testing.assert_allclose(objective.order(torch.from_numpy(places), torch.from_numpy(labels)), wanted, atol=1e-6)
