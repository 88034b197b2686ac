"""all-MiniLM-L6-v2 as a frozen text encoder, in numpy.

A search from the terminal is one short sentence through six small layers. Importing torch and transformers for it
takes several times longer than the whole search, so the forward pass is written out (`emorank.encoders.bert`);
tests hold it to transformers' BertModel.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from emorank.encoders import packaged
from emorank.encoders.base import Spec, TextEncoder
from emorank.encoders.bert import WORDS, Bert
from emorank.encoders.checkpoint import CONFIG, read_config, readable, refuse_infinite
from emorank.errors import EmorankError
from emorank.hub import local_folder
from emorank.types import Array

VOCABULARY, WEIGHTS = "tokenizer.json", "model.safetensors"
UPDATE = "update.safetensors"  # of the packaged weights: two small factors of what is added to a matrix
LONGEST = 256  # tokens, the limit that the model was trained with


class MiniLMEncoder:
    """The mean over tokens of the last layer of a small BERT, L2-normalised.

    Args:
        folder: holds config.json, tokenizer.json and model.safetensors, as sentence-transformers writes them.
        name: what the user calls it.
        fingerprint: see `emorank.encoders.base`.
        update: a file of what is added to its weights, see `emorank.tuning.descriptions`.

    Raises:
        EmorankError: a file is damaged, or the model is not a BERT.
    """

    device = "cpu"

    def __init__(self, folder: Path, name: str, fingerprint: str = "", update: Path | None = None) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._network, self._tokenize = read(folder, LONGEST, update)
        self.dim = self._network.width

    def __call__(self, texts: list[str]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: any strings; what lies beyond 256 tokens is cut.

        Returns:
            (n, dim) float32, L2-normalised.
        """
        return self._network([self._tokenize(text) for text in texts])


def read(folder: Path, longest: int, update: Path | None = None) -> tuple[Bert, Callable[[str], np.ndarray]]:
    """The network of a folder, and what makes tokens of a text, at most `longest` and what it has places for.

    Raises:
        EmorankError: a file is damaged, or the model is not a BERT.
    """
    from tokenizers import Tokenizer

    config = read_config(str(folder))
    kind, activation = config.get("model_type"), config.get("hidden_act")
    if (kind, activation) != ("bert", "gelu"):
        raise EmorankError(
            f"{folder} is a {kind} with {activation}, not a bert with gelu; name it MODEL/first or MODEL/mean."
        )
    with readable(str(folder)):
        weights = _weights(folder / WEIGHTS)
        if update:
            add(weights, update)
        tokenizer = Tokenizer.from_file(str(folder / VOCABULARY))
        words = weights.pop(WORDS)
        if tokenizer.get_vocab_size() > len(words):
            raise ValueError("its vocabulary has words that its network does not know")
        layers, heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        network = Bert(weights, words.__getitem__, layers, heads, float(config["layer_norm_eps"]))
        tokenizer.no_padding()
        tokenizer.enable_truncation(min(longest, network.longest))
    return network, lambda text: np.array(tokenizer.encode(text).ids)


def _weights(path: Path) -> dict[str, Array]:
    """The weights by name, float32."""
    from safetensors.numpy import load_file

    read = {name.removeprefix("bert."): array for name, array in load_file(path).items()}
    weights = {name: array.astype(np.float32, copy=False) for name, array in read.items()}
    refuse_infinite(str(path.parent), weights)
    return weights


def add(weights: dict[str, Array], update: Path) -> None:
    """Add the products of an update's factors to the matrices that they belong to."""
    factors = _weights(update)
    for name in [name.removesuffix(".up") for name in factors if name.endswith(".up")]:
        weights[f"{name}.weight"] = weights[f"{name}.weight"] + factors[f"{name}.up"] @ factors[f"{name}.down"]


def update_in(source: str, base: str) -> Path | None:
    """The update in a folder that `emorank.tuning.descriptions` wrote; None where it is no such folder.

    Args:
        source: a folder, or what may be the name of something else.
        base: the text encoder that is to be updated.

    Raises:
        EmorankError: it is an update of another one.
    """
    path = Path(source).expanduser() / UPDATE
    if not path.is_file():
        return None
    updated = read_config(source).get("emorank_update_of")
    if updated != base:
        raise EmorankError(
            f"{source} holds an update of {updated}, not of {base}; one of minilm is named by its folder alone, "
            "one of multilingual-e5-small FOLDER/query."
        )
    return path


def load(spec: Spec, fingerprint: str, on: str | None) -> TextEncoder:
    """The encoder of the packaged weights, a local folder or a hub id; numpy computes it on the CPU in any case.

    Raises:
        EmorankError: it cannot be had, or is no BERT.
    """
    found = files(spec.source)
    update = next((path for path in found if path.name == UPDATE), None)
    return MiniLMEncoder(found[0].parent, spec.name, fingerprint, update)


def files(source: str) -> list[Path]:
    """Config, vocabulary and weights of packaged ones, a local folder or a hub id; and an update of the former.

    Raises:
        EmorankError: they cannot be had.
    """
    if source in packaged.PACKAGED:
        return packaged.files(source)
    if update := update_in(source, "minilm"):
        return [*packaged.files("minilm"), update]
    names = (CONFIG, VOCABULARY, WEIGHTS)
    folder = local_folder(source, (), names)
    if missing := [name for name in names if not (folder / name).is_file()]:
        raise EmorankError(
            f"{source} holds no text encoder of MiniLM's kind: {', '.join(missing)} missing; "
            "name others MODEL/first or MODEL/mean."
        )
    return [folder / name for name in names]
