"""A head for other languages gives what the model's own text side gives for the same captions."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from emorank.captions import Captions
from emorank.errors import EmorankError
from emorank.model import EmotionRankCLAP
from emorank.training.multilingual import taught, translated, with_languages
from tests.conftest import save_model

CAPTIONS = ["a calm, warm voice", "shouting with rage", "tired and sad", "whispering in fear", "laughing with joy"]
PLACES = np.array([[5.5, 2.5, 4.5], [1.5, 6.5, 6], [2, 2, 3], [2, 4.5, 1.5], [6.5, 6, 4.5]], np.float32)


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


def test_what_has_no_embedding_takes_that_of_captions_at_its_place_which_say_the_like() -> None:
    rng = np.random.default_rng(0)
    english = rng.standard_normal((200, 8)).astype(np.float32)
    english /= np.linalg.norm(english, axis=1, keepdims=True)
    places = np.repeat(np.array([[2, 6, 5], [6, 2, 4]], np.float32), 100, axis=0)
    embeddings = np.repeat(np.eye(2, 4, dtype=np.float32), 100, axis=0)
    embeddings[:50] = np.eye(4, dtype=np.float32)[2]
    told = translated(english[[10, 60, 150]], places[[10, 60, 150]], english, places, embeddings)
    np.testing.assert_allclose(np.linalg.norm(told, axis=1), 1, atol=1e-6)
    assert told.argmax(1).tolist() == [2, 2, 1]  # the 60 nearest in place are the first 60 where all are as near


def test_a_model_that_was_taught_is_saved_with_it_and_keeps_the_rest(model: EmotionRankCLAP, tmp_path: Path) -> None:
    epochs: list[int] = []
    more = with_languages(
        model, Captions(tuple(CAPTIONS), PLACES), epochs=200, progress=lambda epoch, _: epochs.append(epoch)
    )
    assert epochs == list(range(1, 201))
    more.save(tmp_path / "more")
    read = EmotionRankCLAP.from_pretrained(tmp_path / "more")
    assert read.config.multilingual_encoder == "multilingual-e5-small-emotion"
    assert read.fingerprint == model.fingerprint
    np.testing.assert_array_equal(read.encode_text(CAPTIONS), model.encode_text(CAPTIONS))
    head = read.multilingual
    assert head is not None
    own, other = model.encode_text(CAPTIONS), head(read.multilingual_features([*CAPTIONS, "eine ruhige, warme Stimme"]))
    assert (other @ own.T).argmax(1).tolist() == [0, 1, 2, 3, 4, 0]


def test_what_is_taken_out_of_descriptions_is_taken_out_of_those_in_other_languages(model: EmotionRankCLAP) -> None:
    text = dataclasses.replace(model.text, origin=0.4 * model.encode_text(CAPTIONS).mean(0))
    centred = EmotionRankCLAP(model.audio, text, model.scale, model.locator, model.config)
    learnt = Captions(tuple(CAPTIONS), PLACES)
    before, after = (with_languages(each, learnt, epochs=200) for each in (model, centred))
    assert before.multilingual is not None
    assert after.multilingual is not None
    np.testing.assert_array_equal(after.multilingual.layers[0][0], before.multilingual.layers[0][0])
    np.testing.assert_array_equal(after.multilingual.origin, centred.text.origin)
    own, other = centred.encode_text(CAPTIONS), after.multilingual(after.multilingual_features(CAPTIONS))
    assert (other @ own.T).argmax(1).tolist() == [0, 1, 2, 3, 4]


def test_what_cannot_be_is_said(model: EmotionRankCLAP, tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="reads English alone"):
        model.multilingual_features(["traurig"])
    with pytest.raises(EmorankError, match="A description is empty"):
        with_languages(model, Captions(("calm", " "), PLACES[:2]), epochs=1)
    with pytest.raises(EmorankError, match="no captions"):
        with_languages(model, Captions((), PLACES[:0]), epochs=1)
    folder = save_model(tmp_path / "model", "whisper-base/1:mean", seed=0)
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"multilingual_encoder": null', '"multilingual_encoder": "x"'))
    with pytest.raises(EmorankError, match=r"the model cannot be read .*multilingual"):
        EmotionRankCLAP.from_pretrained(folder)
