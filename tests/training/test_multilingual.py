"""A head for other languages gives what the model's own text side gives for the same captions."""

from pathlib import Path

import numpy as np
import pytest

from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.training.multilingual import taught, with_languages
from tests.conftest import save_model

CAPTIONS = ["a calm, warm voice", "shouting with rage", "tired and sad", "whispering in fear", "laughing with joy"]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> EmotionRankCLAP:
    return EmotionRankCLAP.from_pretrained(tiny_model)


def test_a_head_learns_what_it_is_told_and_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    places = rng.standard_normal((300, 3)).astype(np.float32)
    features = places @ rng.standard_normal((3, 20)).astype(np.float32)
    wanted = np.maximum(places @ rng.standard_normal((3, 16)), 0).astype(np.float32) + 1e-3
    wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
    head = taught(features[:200], wanted[:200], epochs=200)
    close = (head(features[200:]) * wanted[200:]).sum(1)
    chance = (np.roll(wanted, 1, axis=0)[200:] * wanted[200:]).sum(1)
    assert np.median(close) > 0.95 > np.median(chance) + 0.2
    again = taught(features[:200], wanted[:200], epochs=200)
    np.testing.assert_array_equal(head.layers[0][0], again.layers[0][0])


def test_a_model_that_was_taught_is_saved_with_it_and_keeps_the_rest(model: EmotionRankCLAP, tmp_path: Path) -> None:
    epochs: list[int] = []
    more = with_languages(model, CAPTIONS, epochs=200, progress=lambda epoch, _: epochs.append(epoch))
    assert epochs == list(range(1, 201))
    more.save(tmp_path / "more")
    read = EmotionRankCLAP.from_pretrained(tmp_path / "more")
    assert read.config.multilingual_encoder == "multilingual-e5-small"
    assert read.fingerprint == model.fingerprint
    np.testing.assert_array_equal(read.encode_text(CAPTIONS), model.encode_text(CAPTIONS))
    own, other = model.encode_text(CAPTIONS), read.multilingual(read.multilingual_features(CAPTIONS))
    assert ((own @ other.T).argmax(1) == np.arange(len(CAPTIONS))).all()
    assert ((read.encode_other_languages(["eine ruhige, warme Stimme"]) @ own.T).argmax(1) == 0).all()
    assert read.encode_other_languages([]).shape == (0, model.embedding_dim)


def test_what_cannot_be_is_said(model: EmotionRankCLAP, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="reads English alone"):
        model.encode_other_languages(["traurig"])
    with pytest.raises(EmorankError, match="A description is empty"):
        with_languages(model, ["calm", " "], epochs=1)
    with pytest.raises(EmorankError, match="no captions"):
        with_languages(model, [], epochs=1)
    folder = save_model(tmp_path / "model", "whisper-base/1:mean", seed=0)
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"multilingual_encoder": null', '"multilingual_encoder": "x"'))
    with pytest.raises(EmorankError, match=r"the model cannot be read .*multilingual"):
        EmotionRankCLAP.from_pretrained(folder)
