"""The heads as torch modules and as arrays, and what dropout blanks."""

import dataclasses

import numpy as np
import pytest
import torch

from emorank.head import Head
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


def test_a_direct_path_lies_beside_the_hidden_one() -> None:
    config = dataclasses.replace(SMALL, audio_hidden=(7,), audio_direct=True)
    heads = Heads(split(0), config)
    assert [tuple(layer.weight.shape) for layer in heads.audio.layers] == [(7, 24), (32, 7 + 24)]
    features = split(0).audio.features
    trained = torch.nn.functional.normalize(heads.audio(features)).detach().numpy()
    head = Head.of("audio", heads.audio.export().arrays("audio"))
    np.testing.assert_allclose(head(features.numpy()), trained, atol=1e-6)
    masks = heads.audio.masks(5, slice(1, 3), 0.5, torch.Generator().manual_seed(0))
    assert [tuple(mask.shape) for mask in masks] == [(2, 24), (2, 31)]
