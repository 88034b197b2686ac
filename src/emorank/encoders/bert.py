"""BERT's forward pass in numpy: one sentence is through before torch would be imported."""

from collections.abc import Callable

import numpy as np

from emorank.encoders import numpy_layers
from emorank.types import Array

_BATCH = 32  # texts in one forward pass
_TOKENS = 4096  # in one forward pass, unless one text is longer; bounds its memory

WORDS, PLACES = "embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"


class Bert:
    """Tokens of texts -> the mean over tokens of the last layer, L2-normalised.

    Args:
        weights: float32, by the names of transformers' BertModel without the words'; it keeps them and changes them.
        words: token ids, (tokens,) -> their vectors, (tokens, width) float32.
        layers: how many of its layers are computed.
        heads: of each attention.
        epsilon: of the layer norms.

    Attributes:
        width: length of a vector.
        longest: how many tokens it has places for.

    Raises:
        KeyError: a weight is missing.
        ValueError: one does not fit the others.
    """

    def __init__(
        self,
        weights: dict[str, Array],
        words: Callable[[np.ndarray], Array],
        layers: int,
        heads: int,
        epsilon: float,
    ) -> None:
        _arrange(weights, layers)
        self._weights = weights
        self._words = words
        self._layers, self._heads, self._epsilon = layers, heads, epsilon
        self.longest, self.width = self._weights[PLACES].shape
        self([np.zeros(1, int)])  # weights that are missing or do not fit show here

    def __call__(self, texts: list[np.ndarray]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: the ids of the tokens of each, one at least and `longest` at most.

        Returns:
            (n, width) float32, L2-normalised.
        """
        out = np.zeros((len(texts), self.width), np.float32)
        for chosen in _batches([len(ids) for ids in texts]):
            lengths = np.array([len(texts[i]) for i in chosen])
            states = self._forward(np.concatenate([texts[i] for i in chosen]), lengths)
            begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            pooled = np.add.reduceat(states, begins, axis=0) / lengths[:, None]
            out[chosen] = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), 1e-12)
        return out

    def _forward(self, ids: np.ndarray, lengths: np.ndarray) -> Array:
        """Tokens of several texts, one text after the other without padding -> (tokens, width) of the last layer."""
        w = self._weights
        inside = np.arange(lengths.max()) < lengths[:, None]  # (texts, longest): where a padded text has tokens
        states = self._words(ids) + w[PLACES][np.nonzero(inside)[1]]
        states = self._norm(states + w[TYPES][0], "embeddings.LayerNorm")
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


def _batches(lengths: list[int]) -> list[np.ndarray]:
    """Texts of like length together: their indices, in batches of limited size."""
    order = np.argsort(lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        end = start + 1
        while end < min(len(order), start + _BATCH) and (end + 1 - start) * lengths[order[end]] <= _TOKENS:
            end += 1
        batches.append(order[start:end])
        start = end
    return batches


def _arrange(weights: dict[str, Array], layers: int) -> None:
    """Queries, keys and values of a layer in one, because a large product is faster; no second copy of all at once."""
    for index in range(layers):
        name = f"encoder.layer.{index}.attention.self"
        for kind in ("weight", "bias"):
            three = [weights.pop(f"{name}.{part}.{kind}") for part in ("query", "key", "value")]
            weights[f"{name}.{kind}"] = np.concatenate(three)
    for name in weights:  # a few tokens times a large matrix is faster in this order
        if name.startswith("encoder."):
            weights[name] = np.asfortranarray(weights[name])
