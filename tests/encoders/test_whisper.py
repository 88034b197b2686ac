"""Whisper without its padding: the packaged weights, the mask, the windows, the level."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from emorank.encoders import audio_encoder, whisper
from emorank.encoders.pooling import windows
from emorank.errors import EmorankError
from tests.conftest import voice


@pytest.fixture(scope="module")
def encoder() -> whisper.WhisperEncoder:
    built = audio_encoder("whisper-base/3+4")
    assert isinstance(built, whisper.WhisperEncoder)
    return built


def test_packaged_weights_are_the_network_that_transformers_runs(encoder: whisper.WhisperEncoder) -> None:
    """A clip of exactly 30 s needs no cropping: transformers' own forward pass must agree."""
    network = whisper.packaged_network(6)
    wave = voice(30.0)
    levelled = wave * np.float32(whisper.LEVEL / np.sqrt(np.mean(wave.astype(np.float64) ** 2)))
    mel = WhisperFeatureExtractor(feature_size=80)(levelled, sampling_rate=16_000, return_tensors="pt").input_features
    captured: list[torch.Tensor] = []
    hooks = [network.layers[i].register_forward_hook(lambda *args: captured.append(args[2])) for i in (2, 3)]
    with torch.inference_mode():
        network(mel)
    for hook in hooks:
        hook.remove()
    states = torch.cat(captured, 2)[0].double()
    expected = torch.cat([states.mean(0), states.std(0, correction=0)]).numpy()
    np.testing.assert_allclose(encoder([wave])[0], expected, atol=2e-3)


def test_mel_is_that_of_transformers(encoder: whisper.WhisperEncoder) -> None:
    wave = voice(3.3)
    theirs = WhisperFeatureExtractor(feature_size=80)(wave, sampling_rate=16_000, padding=False, return_tensors="np")
    np.testing.assert_allclose(encoder._mel(wave).numpy(), theirs.input_features[0], atol=1e-4)


def test_a_batch_gives_the_same_as_single_clips(encoder: whisper.WhisperEncoder) -> None:
    clips = [voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 3.1, 1.7, 3.1, 0.02, 6.0])]
    together = encoder(clips)
    np.testing.assert_allclose(together, np.concatenate([encoder([clip]) for clip in clips]), atol=1e-4, rtol=1e-4)
    shuffled = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(encoder([clips[i] for i in shuffled]), together[shuffled], atol=1e-4, rtol=1e-4)


def test_level_does_not_count(encoder: whisper.WhisperEncoder) -> None:
    wave = voice(2.0)
    loud, quiet = encoder([wave, wave * np.float32(0.05)])
    np.testing.assert_allclose(loud, quiet, atol=1e-3)


def test_long_clips_are_pooled_over_windows(tiny_whisper: str) -> None:
    encoder = audio_encoder(tiny_whisper)
    assert isinstance(encoder, whisper.WhisperEncoder)
    wave = voice(70.0)
    pieces = windows(whisper._levelled(wave), whisper.WINDOW)
    assert len(pieces) == 3
    assert max(map(len, pieces)) <= 30 * 16_000
    states = [encoder._forward([encoder._mel(piece)])[0][0].double() for piece in pieces]
    everything = torch.cat(states)
    expected = torch.cat([everything.mean(0), everything.std(0, correction=0)]).numpy()
    np.testing.assert_allclose(encoder([wave])[0], expected, atol=1e-4)


@pytest.mark.parametrize("clip", [np.zeros(16_000), np.zeros(1), np.zeros(0), np.full(8000, 1e-7)])
def test_silence_and_specks_give_numbers(tiny_whisper: str, clip: np.ndarray) -> None:
    vector = audio_encoder(tiny_whisper)([clip.astype(np.float32)])
    assert vector.shape == (1, 64)
    assert np.isfinite(vector).all()


def test_only_the_layers_that_are_used_are_built(encoder: whisper.WhisperEncoder) -> None:
    assert len(encoder._network.layers) == 4


def test_unknown_layers_and_names_are_refused(tiny_whisper: str) -> None:
    folder = Path(tiny_whisper).parent
    with pytest.raises(EmorankError, match="its layers are 1 to 3"):
        audio_encoder(f"{folder}/9")
    with pytest.raises(EmorankError, match="name it MODEL/LAYERS"):
        audio_encoder("whisper-base")


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "PACKAGED_SHA256", "0" * 64)
    with pytest.raises(EmorankError, match="sha256"):
        whisper.packaged_network(1)


def test_a_checkpoint_of_the_hub_gives_the_same_as_the_package(tmp_path: Path) -> None:
    """The hub's checkpoints are the whole model for transcription; ours is put into that format and read back."""
    decoder = {"decoder_layers": 1, "decoder_attention_heads": 8, "decoder_ffn_dim": 64, "vocab_size": 51865}
    config = WhisperConfig(d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048, **decoder)
    whole = WhisperForConditionalGeneration(config)
    whole.model.encoder.load_state_dict(whisper.packaged_network(6).state_dict())
    whole.save_pretrained(tmp_path)
    clip = [voice(1.5)]
    np.testing.assert_allclose(
        audio_encoder(f"{tmp_path}/3+4")(clip), audio_encoder("whisper-base/3+4")(clip), atol=1e-5
    )


def test_what_is_no_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"config\.json is missing"):
        audio_encoder(f"{tmp_path}/2")
