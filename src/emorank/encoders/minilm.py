"""all-MiniLM-L6-v2 as a frozen text encoder, in numpy.

A search from the terminal is one short sentence through six small layers. Importing torch and transformers for it
takes several times longer than the whole search, so the forward pass is written out here; tests hold it to
transformers' BertModel.
"""

from pathlib import Path

import numpy as np

from emorank.encoders import numpy_layers, packaged
from emorank.encoders.base import Spec, TextEncoder
from emorank.encoders.checkpoint import CONFIG, read_config, readable, refuse_infinite
from emorank.errors import EmorankError
from emorank.hub import local_folder
from emorank.types import Array

VOCABULARY, WEIGHTS = "tokenizer.json", "model.safetensors"
LONGEST = 256  # tokens, the limit that the model was trained with
_BATCH = 32  # texts in one forward pass


class MiniLMEncoder:
    """The mean over tokens of the last layer of a small BERT, L2-normalised.

    Args:
        folder: holds config.json, tokenizer.json and model.safetensors, as sentence-transformers writes them.
        name: what the user calls it.
        fingerprint: see `emorank.encoders.base`.

    Raises:
        EmorankError: a file is damaged, or the model is not a BERT.
    """

    device = "cpu"

    def __init__(self, folder: Path, name: str, fingerprint: str = "") -> None:
        from tokenizers import Tokenizer

        config = read_config(str(folder))
        kind, activation = config.get("model_type"), config.get("hidden_act")
        if (kind, activation) != ("bert", "gelu"):
            raise EmorankError(
                f"{folder} is a {kind} with {activation}, not a bert with gelu; name it MODEL/first or MODEL/mean."
            )
        self.name = name
        self.fingerprint = fingerprint
        with readable(str(folder)):
            self.dim, self._heads = int(config["hidden_size"]), int(config["num_attention_heads"])
            self._layers = int(config["num_hidden_layers"])
            self._epsilon = float(config["layer_norm_eps"])
            self._weights = self._read(folder / WEIGHTS)
            self._tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
            if self._tokenizer.get_vocab_size() > len(self._weights["embeddings.word_embeddings.weight"]):
                raise ValueError("its vocabulary has words that its network does not know")
            places = len(self._weights["embeddings.position_embeddings.weight"])
            self._tokenizer.enable_truncation(min(LONGEST, places))
            self._tokenizer.enable_padding(pad_id=int(config["pad_token_id"]))
            self(["calm"])  # weights that are missing or do not fit show here

    def _read(self, path: Path) -> dict[str, Array]:
        """The weights by name, float32; queries, keys and values of a layer in one, a large product is faster."""
        from safetensors.numpy import load_file

        read = {name.removeprefix("bert."): array for name, array in load_file(path).items()}
        weights = {name: array.astype(np.float32, copy=False) for name, array in read.items()}
        refuse_infinite(str(path.parent), weights)
        for index in range(self._layers):
            name = f"encoder.layer.{index}.attention.self"
            for kind in ("weight", "bias"):
                three = [weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value")]
                weights[f"{name}.{kind}"] = np.concatenate(three)
        for name, weight in weights.items():  # a few tokens times a large matrix is faster in this order
            if name.startswith("encoder."):
                weights[name] = np.asfortranarray(weight)
        return weights

    def __call__(self, texts: list[str]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: any strings; what lies beyond 256 tokens is cut.

        Returns:
            (n, dim) float32, L2-normalised.
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
            inner = numpy_layers.gelu(self._linear(states, f"{layer}.intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        return states

    def _attend(self, states: Array, inside: np.ndarray, name: str) -> Array:
        """Attention within each text; only here are texts padded to one length."""
        width = states.shape[1]
        padded = np.zeros((*inside.shape, 3 * width), np.float32)
        padded[inside] = self._linear(states, name)
        query, key, value = padded.reshape(*inside.shape, 3, self._heads, -1).transpose(2, 0, 3, 1, 4)
        mixed = numpy_layers.attention(query, key, value, inside[:, None, None, :])
        tokens: Array = mixed.transpose(0, 2, 1, 3).reshape(*inside.shape, width)[inside]
        return tokens

    def _linear(self, states: Array, name: str) -> Array:
        return numpy_layers.linear(states, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _norm(self, states: Array, name: str) -> Array:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return numpy_layers.layer_norm(states, weight, bias, self._epsilon)


def load(spec: Spec, fingerprint: str, on: str | None) -> TextEncoder:
    """The encoder of the packaged weights, a local folder or a hub id; numpy computes it on the CPU in any case.

    Raises:
        EmorankError: it cannot be had, or is no BERT.
    """
    return MiniLMEncoder(files(spec.source)[0].parent, spec.name, fingerprint)


def files(source: str) -> list[Path]:
    """Config, vocabulary and weights of packaged ones, a local folder or a hub id.

    Raises:
        EmorankError: they cannot be had.
    """
    if source == "minilm":
        return packaged.files(source)
    names = (CONFIG, VOCABULARY, WEIGHTS)
    folder = local_folder(source, (), names)
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise EmorankError(
            f"{source} holds no text encoder of MiniLM's kind: {', '.join(missing)} missing; "
            "name others MODEL/first or MODEL/mean."
        )
    return [folder / name for name in names]
