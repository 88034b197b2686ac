"""Checkpoints of the paper's audio encoder: old names, shards, pickles, and files that go wrong."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from emorank.encoders import audio_encoder
from emorank.encoders.ser_config import ssl_config
from emorank.encoders.wavlm_ser import WavLMSEREncoder, WavLMSERNetwork
from emorank.errors import EmorankError
from tests.conftest import voice
from tests.encoders.checkpoints import SER_CONFIG, WIDTH, tiny_wavlm_ser

Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_wavlm_ser(tmp_path_factory.mktemp("tiny-wavlm-ser"))


def encoder(folder: Path, pooling: str = "mean") -> WavLMSEREncoder:
    built = audio_encoder(f"{folder}/ser:{pooling}")
    assert isinstance(built, WavLMSEREncoder)
    return built


def changed(folder: Path, target: Path, weights: Weights | None = None, **config: object) -> Path:
    """A copy of the checkpoint with other weights or config keys; a key set to None is left out."""
    target.mkdir(exist_ok=True)
    stated = {**json.loads((folder / "config.json").read_text()), **config}
    (target / "config.json").write_text(json.dumps({key: value for key, value in stated.items() if value is not None}))
    save_file(weights or load_file(folder / "model.safetensors"), target / "model.safetensors")
    return target


def test_old_names_of_the_positional_convolution_load(folder: Path, tmp_path: Path) -> None:
    conv = "ssl_model.encoder.pos_conv_embed.conv"
    weights = load_file(folder / "model.safetensors")
    weights[f"{conv}.weight_g"] = weights.pop(f"{conv}.parametrizations.weight.original0")
    weights[f"{conv}.weight_v"] = weights.pop(f"{conv}.parametrizations.weight.original1")
    del weights["ssl_model.masked_spec_embed"]
    old = changed(folder, tmp_path / "old", weights)
    np.testing.assert_allclose(encoder(old)([voice(1.0)]), encoder(folder)([voice(1.0)]), atol=1e-6)


def test_a_bin_file_gives_the_same(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    other = changed(folder, tmp_path / "bin")
    (other / "model.safetensors").unlink()
    torch.save(weights, other / "pytorch_model.bin")
    np.testing.assert_allclose(encoder(other)([voice(1.0)]), encoder(folder)([voice(1.0)]), atol=1e-6)


def test_shards_give_the_same(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    other = changed(folder, tmp_path / "shards")
    (other / "model.safetensors").unlink()
    names = sorted(weights)
    files = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, some in files.items():
        save_file({name: weights[name] for name in some}, other / file)
    where = {name: file for file, some in files.items() for name in some}
    (other / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    np.testing.assert_allclose(encoder(other)([voice(1.0)]), encoder(folder)([voice(1.0)]), atol=1e-6)


class Malicious:
    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.witness,)


@pytest.mark.parametrize("legacy", [True, False])
def test_a_malicious_pickle_is_refused_and_not_run(folder: Path, tmp_path: Path, legacy: bool) -> None:
    other, witness = changed(folder, tmp_path / "evil"), tmp_path / "was-run"
    (other / "model.safetensors").unlink()
    if legacy:
        (other / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": Malicious(witness)}))
    else:
        torch.save({"weights": Malicious(witness)}, other / "pytorch_model.bin")
    with pytest.raises(EmorankError, match="more than weights"):
        encoder(other)
    assert not witness.exists()


def test_wrong_weights_are_named(folder: Path, tmp_path: Path) -> None:
    good = load_file(folder / "model.safetensors")
    lost, odd = "ssl_model.encoder.layers.1.attention.gru_rel_pos_const", "ser_model.out.1.weight"
    lacking = changed(folder, tmp_path / "lacking", {name: good[name] for name in good if name != lost})
    with pytest.raises(EmorankError, match=f"lacks weights: {lost}"):
        encoder(lacking)
    surplus = changed(folder, tmp_path / "surplus", good | {odd: torch.zeros(1)})
    with pytest.raises(EmorankError, match=f"unexpected weights: {odd}"):
        encoder(surplus)
    misshapen = changed(folder, tmp_path / "misshapen", good | {"pool_model.attention": torch.zeros(WIDTH, 2)})
    with pytest.raises(EmorankError, match=r"misshapen weights: pool_model\.attention"):
        encoder(misshapen)
    infinite = changed(folder, tmp_path / "infinite", good | {"ser_model.out.0.bias": torch.full((3,), torch.inf)})
    with pytest.raises(EmorankError, match=r"infinite or NaN weights: ser_model\.out\.0\.bias"):
        encoder(infinite)


def test_wrong_configs_and_files_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="lacks mean, std"):
        encoder(changed(folder, tmp_path / "nostd", mean=None, std=None))
    with pytest.raises(EmorankError, match="says 8 classes"):
        encoder(changed(folder, tmp_path / "classes", num_classes=8))
    with pytest.raises(EmorankError, match="for 8000 Hz"):
        encoder(changed(folder, tmp_path / "rate", sampling_rate=8000))
    with pytest.raises(EmorankError, match=r"hidden_size, std in its config\.json are no numbers"):
        encoder(changed(folder, tmp_path / "words", hidden_size="large", std="small"))
    with pytest.raises(EmorankError, match="no checkpoint that can be read"):
        encoder(changed(folder, tmp_path / "heads", num_attention_heads=5))
    unlisted = changed(folder, tmp_path / "unlisted")
    (unlisted / "model.safetensors").rename(unlisted / "model.safetensors.index.json")
    with pytest.raises(EmorankError, match="does not list"):
        encoder(unlisted)
    damaged = changed(folder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"junk")
    with pytest.raises(EmorankError, match="cannot be read"):
        encoder(damaged)
    (damaged / "model.safetensors").unlink()
    with pytest.raises(EmorankError, match="holds no weights"):
        encoder(damaged)
    (damaged / "config.json").write_text("{")
    with pytest.raises(EmorankError, match=r"config\.json cannot be read"):
        encoder(damaged)
    (damaged / "config.json").unlink()
    with pytest.raises(EmorankError, match=r"config\.json missing"):
        encoder(damaged)
    with pytest.raises(EmorankError, match="There is no folder"):
        encoder(tmp_path / "nowhere")
    with pytest.raises(
        EmorankError, match="3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes', and it could not be had"
    ):
        audio_encoder("wavlm-ser/mean")


def test_a_wavlm_of_another_kind_is_read_from_where_ssl_type_says(folder: Path, tmp_path: Path) -> None:
    """`ssl_type` may name a folder with WavLM's own config.json."""
    ssl = encoder(folder)._backbone.config
    ssl.save_pretrained(tmp_path / "ssl")
    other = changed(folder, tmp_path / "other", ssl_config=None, ssl_type=str(tmp_path / "ssl"))
    np.testing.assert_allclose(encoder(other)([voice(1.0)]), encoder(folder)([voice(1.0)]), atol=1e-6)


def test_the_full_size_needs_nothing_but_the_real_config() -> None:
    """Shapes of the published checkpoint, on the meta device: 24 layers of 1024, 315 million parameters."""
    config = {**SER_CONFIG, "hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16}
    with torch.device("meta"):
        network = WavLMSERNetwork({**config, "ssl": ssl_config(config)})
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    # wav2vec2-large-lv60 has 315,438,720; WavLM adds gates and position buckets, leaves out biases of convolutions,
    # and here the embedding of masked frames.
    size = 315_438_720 + 24 * (64 * 8 + 8 + 16) + 320 * 16 - 7 * 512 - 1024
    assert sum(int(np.prod(shape)) for name, shape in shapes.items() if name.startswith("ssl_model.")) == size
    assert shapes["pool_model.attention"] == (1024, 1)
    assert shapes["ser_model.fc.0.0.weight"] == (1024, 2048)
    assert shapes["ser_model.out.0.weight"] == (3, 1024)
    assert shapes["ssl_model.encoder.pos_conv_embed.conv.parametrizations.weight.original0"] == (1, 1, 128)
    assert "ssl_model.feature_extractor.conv_layers.0.conv.bias" not in shapes
    assert shapes["ssl_model.feature_extractor.conv_layers.6.layer_norm.weight"] == (512,)
