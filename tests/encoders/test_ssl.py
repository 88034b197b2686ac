"""Speech networks of users: each family with both kinds of norm against transformers' own forward pass."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    Data2VecAudioConfig,
    Data2VecAudioModel,
    HubertConfig,
    HubertModel,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForCTC,
    WavLMConfig,
    WavLMModel,
)

from emorank.encoders import audio_encoder
from emorank.encoders.ssl import SpeechEncoder
from emorank.errors import EmorankError
from tests.conftest import voice

LAYERS = 4
SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "conv_dim": [16] * 7,
    "num_conv_pos_embedding_groups": 4,
}
LARGE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
BASE = {"feat_extract_norm": "group", "do_stable_layer_norm": False}
KINDS: dict[str, tuple[Callable[[], Any], bool]] = {
    "wavlm-large": (lambda: WavLMModel(WavLMConfig(**SIZES, **LARGE)), True),
    "wavlm-base": (lambda: WavLMModel(WavLMConfig(**SIZES, **BASE)), False),
    "hubert-large": (lambda: HubertModel(HubertConfig(**SIZES, **LARGE)), True),
    "hubert-base": (lambda: HubertModel(HubertConfig(**SIZES, **BASE)), True),
    "wav2vec2-large": (lambda: Wav2Vec2ForCTC(Wav2Vec2Config(**SIZES, **LARGE)), True),
    "wav2vec2-base": (lambda: Wav2Vec2ForCTC(Wav2Vec2Config(**SIZES, **BASE)), False),
    "data2vec": (lambda: Data2VecAudioModel(Data2VecAudioConfig(**SIZES)), True),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a kind's checkpoint, written once."""
    root = tmp_path_factory.mktemp("speech")

    def make(kind: str) -> Path:
        folder = root / kind
        if not folder.exists():
            build, normalise = KINDS[kind]
            torch.manual_seed(0)
            network = build()
            for name, tensor in network.state_dict().items():
                if tensor.ndim == 2 and "embed" not in name:
                    tensor.mul_(4)  # so that every layer changes what passes through it
            network.save_pretrained(folder)
            masked = normalise  # the published ones say the same: with layer norm a mask, with group norm none
            Wav2Vec2FeatureExtractor(do_normalize=normalise, return_attention_mask=masked).save_pretrained(folder)
        return folder

    return make


def expected(folder: Path, wave: np.ndarray, layers: list[int], pooling: str) -> np.ndarray:
    """transformers' whole network on one clip without padding."""
    prepare = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    network = AutoModel.from_pretrained(folder).eval()
    with torch.inference_mode():
        samples = prepare(wave, sampling_rate=16_000, return_tensors="pt").input_values
        output = network(samples, output_hidden_states=True)
    # what leaves the network is the last layer, normed where the large models have a norm on top of it
    states = [*output.hidden_states[:-1], output.last_hidden_state]
    chosen = torch.cat([states[layer] for layer in layers], 2)[0].double()
    mean, std = chosen.mean(0), chosen.var(0, correction=0).clamp(min=1e-5).sqrt()
    return (mean if pooling == "mean" else torch.cat([mean, std])).numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_equals_transformers_and_no_batch_changes_it(made: Callable[[str], Path], kind: str) -> None:
    folder = made(kind)
    clips = [(0.5 + i) * voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 2.1, 1.3, 2.1, 0.41])]
    for what, layers, pooling in (("2", [2], "mean_std"), (f"3+{LAYERS}:mean", [3, LAYERS], "mean")):
        encoder = audio_encoder(f"{folder}/{what}")
        together = encoder(clips)
        assert together.shape == (len(clips), encoder.dim)
        for wave, vector in zip(clips, together, strict=True):
            np.testing.assert_allclose(vector, expected(folder, wave, layers, pooling), atol=1e-4)
        order = [3, 0, 4, 1, 2]
        np.testing.assert_allclose(encoder([clips[i] for i in order]), together[order], atol=5e-5)
        assert np.abs(together[0] - together[1]).max() > 0.01


@pytest.mark.parametrize("kind", ["wavlm-large", "wavlm-base", "data2vec"])
@pytest.mark.parametrize("samples", [0, 1, 399, 400])
def test_specks_and_silence_give_numbers(made: Callable[[str], Path], kind: str, samples: int) -> None:
    encoder = audio_encoder(f"{made(kind)}/1")
    speck, silence = voice(1.0)[:samples], np.zeros(samples, np.float32)
    vectors = encoder([speck, silence, voice(1.0)])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[:1], encoder([speck]), atol=5e-5)


def test_no_clips_give_no_vectors(made: Callable[[str], Path]) -> None:
    assert audio_encoder(f"{made('wavlm-large')}/1+2")([]).shape == (0, 128)


def test_long_clips_are_prepared_whole_and_pooled_over_windows(made: Callable[[str], Path]) -> None:
    encoder = audio_encoder(f"{made('hubert-base')}/1")
    assert isinstance(encoder, SpeechEncoder)
    wave = np.concatenate([voice(40.0), 0.1 * voice(25.0, seed=1)])
    normal = ((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)).astype(np.float32)
    frames = torch.cat([next(iter(encoder._backbone([(0, piece)])))[1] for piece in np.array_split(normal, 3)]).double()
    pooled = torch.cat([frames.mean(0), frames.var(0, correction=0).clamp(min=1e-5).sqrt()]).numpy()
    np.testing.assert_allclose(encoder([voice(0.5), wave])[1], pooled, atol=1e-4)


def test_only_the_layers_that_are_used_are_built(made: Callable[[str], Path]) -> None:
    encoder = audio_encoder(f"{made('wavlm-large')}/1+2")
    assert isinstance(encoder, SpeechEncoder)
    assert len(encoder._backbone._network.encoder.layers) == 2


def test_whisper_is_recognised_and_has_the_poolings(tiny_whisper: str) -> None:
    both = audio_encoder(tiny_whisper)([voice(1.0)])
    mean = audio_encoder(f"{tiny_whisper}:mean")([voice(1.0)])
    np.testing.assert_array_equal(mean, both[:, : mean.shape[1]])
    np.testing.assert_array_equal(audio_encoder(f"{tiny_whisper}:mean_std")([voice(1.0)]), both)


def test_mistakes_are_one_sentence(made: Callable[[str], Path], tmp_path: Path) -> None:
    folder = made("wavlm-base")
    with pytest.raises(EmorankError, match="its layers are 1 to 4"):
        audio_encoder(f"{folder}/5")
    with pytest.raises(EmorankError, match="its layers are 1 to 4"):
        audio_encoder(f"{folder}/0+1")
    with pytest.raises(EmorankError, match="name it MODEL/LAYERS"):
        audio_encoder(f"{folder}/1:max")
    with pytest.raises(EmorankError, match="is no WavLM SER checkpoint"):
        audio_encoder(f"{folder}/ser")
    silent = shutil.copytree(folder, tmp_path / "unprepared")
    (silent / "preprocessor_config.json").unlink()
    with pytest.raises(EmorankError, match=r"preprocessor_config\.json is missing"):
        audio_encoder(f"{silent}/1")
    (silent / "preprocessor_config.json").write_text("[]")
    with pytest.raises(EmorankError, match="no checkpoint that can be read"):
        audio_encoder(f"{silent}/1")
    other = tmp_path / "bert"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(EmorankError, match="is a bert checkpoint"):
        audio_encoder(f"{other}/1")
