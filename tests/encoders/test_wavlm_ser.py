"""The paper's audio encoder: a checkpoint in its exact format, each step recomputed, padding, files that go wrong."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from emorank.encoders import audio_encoder
from emorank.encoders.base import Locates
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


def wavlm(wave: np.ndarray, weights: Weights) -> torch.Tensor:
    """WavLM with layer norm before each part, written from its papers: one clip -> (frames, width)."""
    w = {name.removeprefix("ssl_model."): tensor.double() for name, tensor in weights.items()}
    x = torch.from_numpy(wave).double()[None]
    for i, (kernel, stride) in enumerate(zip((10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2), strict=True)):
        name = f"feature_extractor.conv_layers.{i}"
        assert w[f"{name}.conv.weight"].shape[2] == kernel
        x = functional.conv1d(x, w[f"{name}.conv.weight"], stride=stride)
        x = functional.gelu(norm(x.T, w, f"{name}.layer_norm")).T
    x = linear(norm(x.T, w, "feature_projection.layer_norm"), w, "feature_projection.projection")
    conv = "encoder.pos_conv_embed.conv"
    g, v = (w[f"{conv}.parametrizations.weight.original{i}"] for i in (0, 1))
    kernel_weights = g * v / v.norm(dim=(0, 1), keepdim=True)
    position = functional.conv1d(x.T, kernel_weights, w[f"{conv}.bias"], padding=64, groups=4)[:, :-1]
    x = x + functional.gelu(position).T
    bias = position_bias(len(x), w["encoder.layers.0.attention.rel_attn_embed.weight"])
    for i in range(3):
        layer = f"encoder.layers.{i}"
        x = x + attention(norm(x, w, f"{layer}.layer_norm"), bias, w, f"{layer}.attention")
        inner = linear(norm(x, w, f"{layer}.final_layer_norm"), w, f"{layer}.feed_forward.intermediate_dense")
        x = x + linear(functional.gelu(inner), w, f"{layer}.feed_forward.output_dense")
    return norm(x, w, "encoder.layer_norm")


def attention(x: torch.Tensor, bias: torch.Tensor, w: Weights, name: str, heads: int = 4) -> torch.Tensor:
    frames, width = x.shape
    split = x.view(frames, heads, -1).transpose(0, 1)
    gate = torch.sigmoid(linear(split, w, f"{name}.gru_rel_pos_linear").view(heads, frames, 2, 4).sum(-1))
    constant = w[f"{name}.gru_rel_pos_const"][0]
    gated = (gate[..., :1] * (gate[..., 1:] * constant - 1) + 2) * bias
    q, k, v = (linear(x, w, f"{name}.{p}_proj").view(frames, heads, -1).transpose(0, 1) for p in "qkv")
    scores = q @ k.transpose(1, 2) / (width // heads) ** 0.5 + gated
    mixed = (scores.softmax(-1) @ v).transpose(0, 1).reshape(frames, width)
    return linear(mixed, w, f"{name}.out_proj")


def position_bias(frames: int, table: torch.Tensor, buckets: int = 320, farthest: int = 800) -> torch.Tensor:
    """Buckets of T5: half for what comes before; near distances one each, far ones on a logarithmic scale."""
    half, exact = buckets // 2, buckets // 4
    bucket = np.zeros((frames, frames), int)
    for query in range(frames):
        for key in range(frames):
            distance = abs(key - query)
            near = distance < exact
            far = exact + int(np.log(max(distance, 1) / exact) / np.log(farthest / exact) * (half - exact))
            bucket[query, key] = (half if key > query else 0) + (distance if near else min(far, half - 1))
    return table[torch.from_numpy(bucket)].permute(2, 0, 1)


def linear(x: torch.Tensor, w: Weights, name: str) -> torch.Tensor:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def norm(x: torch.Tensor, w: Weights, name: str) -> torch.Tensor:
    return functional.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"])


def test_equals_a_computation_step_by_step(folder: Path) -> None:
    wave = voice(1.9)
    weights = load_file(folder / "model.safetensors")
    w = {name: tensor.double() for name, tensor in weights.items()}
    normal = (wave.astype(np.float64) - SER_CONFIG["mean"]) / (SER_CONFIG["std"] + 1e-6)
    x = wavlm(normal, weights)
    attentive = torch.tanh(linear(x, w, "pool_model.sap_linear")) @ w["pool_model.attention"]
    alpha = attentive.softmax(0)
    assert alpha.max() > 2 / len(alpha)  # the attention of this checkpoint is not flat
    mean = (alpha * x).sum(0)
    std = ((alpha * x**2).sum(0) - mean**2).clamp(min=1e-5).sqrt()
    both = torch.cat([mean, std])
    hidden = functional.relu(norm(linear(both, w, "ser_model.fc.0.0"), w, "ser_model.fc.0.1"))
    arousal, dominance, valence = linear(hidden, w, "ser_model.out.0").tolist()

    def close(found: np.ndarray, expected: np.ndarray) -> None:
        np.testing.assert_allclose(found, expected[None], atol=2e-4)

    close(encoder(folder, "mean")([wave]), mean.numpy())
    close(encoder(folder, "mean_std")([wave]), both.numpy())
    close(encoder(folder, "hidden")([wave]), hidden.numpy())
    close(encoder(folder).points([wave]), np.clip(1 + 6 * np.array([valence, arousal, dominance]), 1, 7))


def test_named_poolings_have_their_size(folder: Path) -> None:
    assert [encoder(folder, pooling).dim for pooling in ("mean", "mean_std", "hidden")] == [WIDTH, 2 * WIDTH, WIDTH]
    assert encoder(folder).name == f"{folder}/ser:mean"
    assert audio_encoder(f"{folder}/ser").name == f"{folder}/ser"
    with pytest.raises(EmorankError, match="name it"):
        audio_encoder(f"{folder}/ser:max")


@pytest.mark.parametrize("pooling", ["mean", "mean_std", "hidden"])
def test_batch_and_padding_never_change_a_vector(folder: Path, pooling: str) -> None:
    clips = [voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 3.1, 1.7, 3.1, 0.02, 6.0, 0.41])]
    built = encoder(folder, pooling)
    together = built(clips)
    np.testing.assert_allclose(together, np.concatenate([built([clip]) for clip in clips]), atol=2e-5)
    order = [3, 0, 6, 5, 1, 4, 2]
    np.testing.assert_allclose(built([clips[i] for i in order]), together[order], atol=2e-5)
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_points_do_not_depend_on_the_batch_and_lie_on_the_scale(folder: Path) -> None:
    clips = [voice(seconds, 100 + 30 * i, i) for i, seconds in enumerate([0.4, 3.1, 1.7])]
    built = encoder(folder)
    assert isinstance(built, Locates)
    points = built.points(clips)
    assert points.shape == (3, 3)
    assert points.min() >= 1
    assert points.max() <= 7
    np.testing.assert_allclose(points, np.concatenate([built.points([clip]) for clip in clips]), atol=1e-4)


@pytest.mark.parametrize("samples", [0, 1, 399, 400, 401, 720])
def test_specks_and_silence_give_numbers(folder: Path, samples: int) -> None:
    built = encoder(folder, "mean_std")
    speck, silence = voice(1.0)[:samples], np.zeros(samples, np.float32)
    vectors = built([speck, silence, voice(2.0)])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(vectors[:1], built([speck]), atol=2e-5)
    assert np.isfinite(built.points([speck, silence])).all()


def test_no_clips_give_no_vectors(folder: Path) -> None:
    for pooling, width in (("mean", WIDTH), ("mean_std", 2 * WIDTH), ("hidden", WIDTH)):
        assert encoder(folder, pooling)([]).shape == (0, width)
    assert encoder(folder).points([]).shape == (0, 3)


def test_long_clips_are_heard_in_windows_and_pooled_over_all(folder: Path) -> None:
    built = encoder(folder, "mean_std")
    wave = voice(65.0)
    weights = {name: tensor.double() for name, tensor in load_file(folder / "model.safetensors").items()}
    normal = (wave - np.float32(SER_CONFIG["mean"])) / np.float32(SER_CONFIG["std"] + 1e-6)
    frames = torch.cat([next(iter(built._backbone([(0, piece)])))[1] for piece in np.array_split(normal, 3)]).double()
    alpha = (torch.tanh(linear(frames, weights, "pool_model.sap_linear")) @ weights["pool_model.attention"]).softmax(0)
    mean = (alpha * frames).sum(0)
    std = ((alpha * frames**2).sum(0) - mean**2).clamp(min=1e-5).sqrt()
    np.testing.assert_allclose(built([voice(1.0), wave])[1], torch.cat([mean, std]).numpy(), atol=1e-4)


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
