"""The heads as torch modules and as arrays, and what dropout blanks."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from emorank.model import EmotionRankCLAP
from emorank.training.heads import Heads, Projection, ridge
from tests.training.synthetic import SMALL, split


def test_the_temperature_is_clamped() -> None:
    heads = Heads(split(0), SMALL)
    assert heads.scale.item() == 1
    heads.log_scale.data.fill_(50.0)
    assert heads.scale.item() == pytest.approx(100)


def test_building_heads_leaves_the_callers_random_numbers_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Heads(split(0), SMALL)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("standardise", [True, False])
def test_the_exported_head_is_the_module(standardise: bool) -> None:
    features = split(0).audio.features
    head = Projection(features, (16, 8), standardise)
    expected = torch.nn.functional.normalize(head(features), dim=1).detach().numpy()
    np.testing.assert_allclose(head.export()(features.numpy()), expected, atol=1e-6)


def test_masks_keep_the_mean_and_are_cut_from_those_of_the_whole_batch() -> None:
    head = Projection(split(0).audio.features, (16, 8))
    drawn = [head.masks(1000, own, 0.3, torch.Generator().manual_seed(1)) for own in (slice(0, 1000), slice(300, 400))]
    for whole, part, width in zip(*drawn, (24, 16), strict=True):
        assert whole.shape == (1000, width)
        assert torch.equal(whole[300:400], part)
        torch.testing.assert_close(whole.unique(), torch.tensor([0, 1 / 0.7]))
        assert whole.mean().item() == pytest.approx(1, abs=0.05)
    assert head.masks(1000, slice(0, 10), 0.0, torch.Generator()) == []


@pytest.mark.parametrize("rows", [0, 1, 10])
def test_chunks_change_neither_embeddings_nor_gradients(rows: int) -> None:
    head = Projection(split(0).audio.features, (16, 8))
    features = split(1).audio.features[:rows]
    masks = head.masks(rows, slice(0, rows), 0.5, torch.Generator().manual_seed(0))
    found = []
    for chunks in (1, 3, 20):
        head.zero_grad()
        embeddings = head.embed(features, masks, chunks)
        embeddings.square().sum().backward()
        found.append([embeddings, *(p.grad.clone() for p in head.parameters() if p.grad is not None)])
    for other in found[1:]:
        for mine, theirs in zip(found[0], other, strict=True):
            torch.testing.assert_close(mine, theirs)


def test_ridge_finds_a_linear_map() -> None:
    rng = np.random.default_rng(0)
    x, slope = rng.normal(size=(500, 6)), rng.normal(size=(6, 3))
    found = ridge(x, x @ slope + 4.0, strength=1e-6)
    np.testing.assert_allclose(found, np.vstack([slope, np.full((1, 3), 4.0)]), atol=1e-4)


def test_layers_are_as_wide_as_asked() -> None:
    heads = Heads(split(0), dataclasses.replace(SMALL, audio_hidden=None, text_hidden=(7, 5)))
    assert [tuple(layer.weight.shape) for layer in heads.audio.layers] == [(32, 24)]
    assert [tuple(layer.weight.shape) for layer in heads.text.layers] == [(7, 20), (5, 7), (32, 5)]


def test_what_all_captions_share_is_taken_out_of_descriptions_alone(tmp_path: Path) -> None:
    """A voice's cosine to a description loses a share of its mean cosine to all captions; that is what hubs have."""
    train, heads = split(0), Heads(split(0), SMALL)
    features = train.text.features.numpy()
    plain, centred = (heads.export(train, dataclasses.replace(SMALL, centring=share), {}) for share in (0.0, 0.4))
    assert plain.text.origin is None
    voices, before, after = plain.audio(train.audio.features.numpy()), plain.text(features), centred.text(features)
    np.testing.assert_array_equal(centred.audio(train.audio.features.numpy()), voices)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1, atol=1e-6)
    hubs = (voices @ before.T).mean(axis=1)
    expected = voices @ before.T - 0.4 * hubs[:, None]
    scales = np.linalg.norm(before - 0.4 * before.mean(0), axis=1)
    np.testing.assert_allclose(voices @ after.T, expected / scales, atol=1e-5)
    for model, form in ((plain, 1), (centred, 2)):  # what has no origin is read by those who know of none
        model.save(tmp_path / str(form))
        assert json.loads((tmp_path / str(form) / "config.json").read_text("utf8"))["format"] == form
        read = EmotionRankCLAP.from_pretrained(tmp_path / str(form))
        np.testing.assert_array_equal(read.text(features), model.text(features))
