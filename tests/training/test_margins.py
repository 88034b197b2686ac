"""How far the places of a model may be off: as many labels lie within as is said, whatever the distances are."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.training.config import TrainConfig
from emorank.training.heads import Heads
from emorank.training.margins import SURE, margins, with_margins
from tests.training.synthetic import split


@given(st.integers(9, 60), st.integers(0, 10_000))
def test_it_is_the_smallest_that_holds_the_share_of_one_more(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places, labels = rng.uniform(1, 7, (2, count, 3)).astype(np.float32)
    found = margins(places, labels)
    assert found is not None
    distances = np.abs(places - labels)
    for margin, own in zip(found, distances.T, strict=True):
        inside = int((own <= margin).sum())
        assert inside >= SURE * (count + 1) - 1e-9
        assert int((own <= margin - 0.0101).sum()) < math.ceil(SURE * (count + 1))


def test_nine_in_ten_of_others_of_their_kind_lie_within() -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        off = rng.standard_t(3, (101, 1))
        found = margins(np.zeros((100, 1)), off[:100])
        assert found is not None
        inside.append(abs(off[100, 0]) <= found[0])
    assert np.mean(inside) == pytest.approx(0.9, abs=0.05)


def test_too_few_cannot_tell() -> None:
    assert margins(np.zeros((8, 2)), np.ones((8, 2))) is None
    assert margins(np.zeros((9, 2)), np.ones((9, 2))) == (1, 1)
    assert margins(np.zeros((0, 2)), np.zeros((0, 2))) is None


def test_a_dimension_without_places_has_no_margin() -> None:
    train, development = split(0, 40), split(1, 20)
    config = TrainConfig(dimensions=("unpredictability", "arousal", "valence"), embedding_dim=8)
    model = with_margins(Heads(train, config).export(train, config, {}), development.audio, config)
    assert model.config.dimensions == ("arousal", "valence")
    places = model.locate(model.audio(development.audio.features.numpy()))
    assert places.shape == (20, 2)
    assert model.config.margins == margins(places, development.audio.labels[:, 1:].numpy())
