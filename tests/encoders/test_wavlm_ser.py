"""The paper's audio encoder: a checkpoint in its exact format, each step recomputed, padding, files that go wrong."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from emorank.encoders import audio_encoder
from emorank.encoders.base import Locates
from emorank.encoders.wavlm_ser import WavLMSEREncoder
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
