"""Whisper without its padding, in numpy and in torch: the layers, the mask, the windows, the level."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from emorank.encoders import audio_encoder, packaged, whisper
from emorank.encoders.pooling import WINDOW, pieces_of
from emorank.encoders.whisper import WhisperEncoder
from emorank.encoders.whisper_network import log_mel
from emorank.errors import EmorankError
from tests.conftest import voice

HEADLESS = {"decoder_layers": 1, "decoder_attention_heads": 8, "decoder_ffn_dim": 64, "vocab_size": 51865}


@pytest.fixture(scope="module")
def encoder() -> WhisperEncoder:
    built = audio_encoder("whisper-base/3+4")
    assert isinstance(built, WhisperEncoder)
    return built


@pytest.fixture(scope="module")
def published() -> WhisperForConditionalGeneration:
    """transformers' whole model with the packaged weights in its encoder."""
    config = WhisperConfig(d_model=512, encoder_layers=6, encoder_attention_heads=8, encoder_ffn_dim=2048, **HEADLESS)
    torch.manual_seed(0)
    model = WhisperForConditionalGeneration(config).eval()
    state = model.model.encoder.state_dict()
    for name, array in packaged.whisper_base(6).items():
        if ".qkv_proj." not in name:
            state[name] = torch.from_numpy(array)
            continue
        for part, values in zip("qkv", torch.from_numpy(array).chunk(3), strict=True):
            theirs = name.replace("qkv_proj", f"{part}_proj")
            if theirs in state:
                state[theirs] = values
            else:  # Whisper's keys have no bias
                assert not values.any()
    state["layer_norm.weight"].fill_(1)
    model.model.encoder.load_state_dict(state)
    return model


def test_the_layers_are_those_of_transformers(
    encoder: WhisperEncoder, published: WhisperForConditionalGeneration
) -> None:
    """A clip of exactly 30 s needs no cropping: transformers' own forward pass must agree, in torch and in numpy."""
    wave = voice(30.0)
    mel = WhisperFeatureExtractor(feature_size=80)(
        whisper.levelled(wave), sampling_rate=16_000, return_tensors="pt"
    ).input_features
    with torch.inference_mode():
        states = published.model.encoder(mel, output_hidden_states=True).hidden_states
    chosen = torch.cat([states[3], states[4]], 2)[0].double()
    expected = torch.cat([chosen.mean(0), chosen.std(0, correction=0)]).numpy()
    assert np.abs(encoder([wave])[0] - expected).max() < 1e-5 * np.abs(expected).max()
    ((_, in_numpy),) = encoder._in_numpy(pieces_of([whisper.levelled(wave)]))
    # A few states of hundreds amplify the last digits of float32; torch is as far from float64 there.
    assert np.abs(in_numpy - chosen.numpy()).max() < 3e-5 * np.abs(chosen.numpy()).max()
    assert np.abs(in_numpy.mean(0) - expected[:1024]).max() < 1e-5 * np.abs(expected).max()


def test_numpy_at_first_and_torch_later_give_the_same(encoder: WhisperEncoder) -> None:
    """In a process of its own, where nothing has imported torch before."""
    code = (
        "import sys; from emorank.encoders import audio_encoder, whisper; from tests.conftest import voice;"
        "encoder = audio_encoder('whisper-base/3+4'); whisper.WITHOUT_TORCH = 5;"
        "made = [(encoder([voice(float(seconds))]), 'torch' in sys.modules) for seconds in sys.argv[1:]];"
        "[sys.stdout.buffer.write(vector.tobytes()) for vector, _ in made];"
        "print([late for _, late in made], file=sys.stderr)"
    )
    seconds = [0.05, 3.3, 2.0, 0.5]
    run = subprocess.run(
        [sys.executable, "-c", code, *map(str, seconds)], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert run.stderr.decode().splitlines()[-1] == "[False, False, True, True]"
    expected = np.concatenate([encoder([voice(each)]) for each in seconds])
    found = np.frombuffer(run.stdout, np.float32).reshape(expected.shape)
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()


def test_scoring_one_clip_imports_no_torch() -> None:
    code = (
        "import atexit, sys; from emorank.cli import main; heavy = ('torch', 'transformers', 'huggingface_hub');"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]));"
        "sys.argv = ['emorank', 'score', sys.argv[1], 'calm', 'angry']; main()"
    )
    clip = Path(__file__).parents[2] / "samples" / "calm-ann-1.ogg"
    run = subprocess.run([sys.executable, "-c", code, str(clip)], capture_output=True, text=True, check=True)
    first, *descriptions, loaded = [line.split()[-1] for line in run.stdout.splitlines()]
    assert (first, sorted(descriptions), loaded) == ("description", ["angry", "calm"], "[]")


def test_mel_is_that_of_transformers() -> None:
    wave = voice(3.3)
    for bins in (80, 128):
        extract = WhisperFeatureExtractor(feature_size=bins)
        theirs = extract(wave, sampling_rate=16_000, padding=False, return_tensors="np").input_features[0]
        np.testing.assert_allclose(log_mel(wave, bins), theirs.T, atol=1e-4)


def test_a_batch_gives_the_same_as_single_clips(encoder: WhisperEncoder) -> None:
    clips = [voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 3.1, 1.7, 3.1, 0.02, 6.0])]
    together = encoder(clips)
    np.testing.assert_allclose(together, np.concatenate([encoder([clip]) for clip in clips]), atol=1e-4, rtol=1e-4)
    shuffled = [3, 0, 5, 1, 4, 2]
    np.testing.assert_allclose(encoder([clips[i] for i in shuffled]), together[shuffled], atol=1e-4, rtol=1e-4)


def test_level_does_not_count(encoder: WhisperEncoder) -> None:
    wave = voice(2.0)
    loud, quiet = encoder([wave, wave * np.float32(0.05)])
    np.testing.assert_allclose(loud, quiet, atol=1e-3)


def test_long_clips_are_pooled_over_windows(tiny_whisper: str) -> None:
    encoder = audio_encoder(tiny_whisper)
    assert isinstance(encoder, WhisperEncoder)
    wave = voice(70.0)
    pieces = pieces_of([whisper.levelled(wave)])
    assert len(pieces) == 3
    assert max(len(piece) for _, piece in pieces) <= WINDOW == 30 * 16_000
    everything = np.concatenate([states for _, states in encoder._in_torch(pieces)]).astype(np.float64)
    expected = np.concatenate([everything.mean(0), everything.std(0)])
    np.testing.assert_allclose(encoder([wave])[0], expected, atol=1e-4)


@pytest.mark.parametrize("clip", [np.zeros(16_000), np.zeros(1), np.zeros(0), np.full(8000, 1e-7)])
def test_silence_and_specks_give_numbers(tiny_whisper: str, clip: np.ndarray) -> None:
    vector = audio_encoder(tiny_whisper)([clip.astype(np.float32)])
    assert vector.shape == (1, 64)
    assert np.isfinite(vector).all()


def test_only_the_layers_that_are_used_are_built(encoder: WhisperEncoder, tiny_whisper: str) -> None:
    tiny = audio_encoder(tiny_whisper)
    assert isinstance(tiny, WhisperEncoder)
    for each, layers in ((encoder, 4), (tiny, 2)):
        weights = each.network.weights
        assert max(int(name.split(".")[1]) for name in weights if name.startswith("layers.")) == layers - 1


def test_no_clips_give_no_vectors(encoder: WhisperEncoder) -> None:
    assert encoder([]).shape == (0, encoder.dim) == (0, 2048)


def test_a_checkpoint_of_the_hub_gives_the_same_as_the_package(
    published: WhisperForConditionalGeneration, tmp_path: Path
) -> None:
    """The hub's checkpoints are the whole model for transcription."""
    published.save_pretrained(tmp_path)
    clip = [voice(1.5)]
    np.testing.assert_allclose(
        audio_encoder(f"{tmp_path}/3+4")(clip), audio_encoder("whisper-base/3+4")(clip), atol=1e-5
    )


def test_unknown_layers_and_names_are_refused(tiny_whisper: str) -> None:
    folder = Path(tiny_whisper).parent
    for layers in ("9", "0", "1+4"):
        with pytest.raises(EmorankError, match="its layers are 1 to 3"):
            audio_encoder(f"{folder}/{layers}")
    with pytest.raises(EmorankError, match="its layers are 1 to 6"):
        audio_encoder("whisper-base/7")
    with pytest.raises(EmorankError, match="name it MODEL/LAYERS"):
        audio_encoder("whisper-base")


def test_what_is_no_checkpoint_is_one_sentence(tiny_whisper: str, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match=r"config\.json missing"):
        audio_encoder(f"{tmp_path}/2")
    folder = shutil.copytree(Path(tiny_whisper).parent, tmp_path / "whisper")
    config = json.loads((folder / "config.json").read_text("utf8"))
    weights = load_file(folder / "model.safetensors")
    lost = "encoder.layers.0.fc1.weight"
    save_file({name: weights[name] for name in weights if name != lost}, folder / "model.safetensors")
    with pytest.raises(EmorankError, match=f"lacks weights: {lost}"):
        audio_encoder(f"{folder}/1")
    save_file(weights | {lost: torch.full_like(weights[lost], torch.nan)}, folder / "model.safetensors")
    with pytest.raises(EmorankError, match=f"infinite or NaN weights: {lost}"):
        audio_encoder(f"{folder}/1")
    save_file(weights | {lost: torch.zeros(5, 5)}, folder / "model.safetensors")
    with pytest.raises(EmorankError, match="no checkpoint that can be read"):
        audio_encoder(f"{folder}/1")
    for change, sentence in (
        ({"activation_function": "relu"}, "is a Whisper with relu"),
        ({"d_model": "wide"}, "no checkpoint that can be read"),
    ):
        (folder / "config.json").write_text(json.dumps(config | change), "utf8")
        with pytest.raises(EmorankError, match=sentence) as caught:
            audio_encoder(f"{folder}/1")
        assert len(str(caught.value).splitlines()) == 1
