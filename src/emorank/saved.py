"""A saved model as it is read: every type, shape and number looked at once, so that nothing strange goes further."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np

from emorank.errors import EmorankError
from emorank.head import Head
from emorank.types import Array

Name = Annotated[str, msgspec.Meta(min_length=1)]


class SavedConfig(msgspec.Struct, frozen=True):
    """What config.json has to hold; more is left alone.

    Args:
        format: of the folder.
        audio_encoder: name of the audio encoder.
        text_encoder: name of the text encoder.
        dimensions: of the labels, in order.
        training: free for reading.
        multilingual_encoder: name of the text encoder for other languages, if there is a head for it.
        margins: of the dimensions, see `emorank.model.ModelConfig`.
    """

    format: int
    audio_encoder: Name
    text_encoder: Name
    dimensions: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    training: dict[str, Any]
    multilingual_encoder: Name | None = None
    margins: tuple[Annotated[float, msgspec.Meta(ge=0)], ...] | None = None


class Parts(NamedTuple):
    """What a model is made of, see `EmotionRankCLAP`."""

    audio: Head
    text: Head
    scale: float
    locator: Array
    multilingual: Head | None


class _Format(msgspec.Struct):
    format: int


def read_config(file: Path, known: tuple[int, ...]) -> SavedConfig:
    """The content of a model's config.json.

    Raises:
        EmorankError: a newer emorank wrote it.
        OSError: it cannot be read.
        ValueError: it is not of that form; the message says where.
    """
    content = file.read_bytes()
    try:
        stated = msgspec.json.decode(content, type=_Format).format
        if stated not in known:
            raise EmorankError(
                f"{file.parent}: a model of format {stated}, this emorank reads {known[-1]} at most; upgrade emorank."
            )
        config = msgspec.json.decode(content, type=SavedConfig)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{file.name}: {error}") from error
    if len(set(config.dimensions)) < len(config.dimensions):
        raise ValueError(f"{file.name}: a dimension stands twice")
    if config.margins is not None and len(config.margins) != len(config.dimensions):
        raise ValueError(f"{file.name}: margins must be as many as the dimensions")
    return config


def checked(arrays: dict[str, Array], dimensions: int, multilingual: bool = False) -> Parts:
    """The heads, the scale and the locator.

    Args:
        arrays: by the names that they are saved under.
        dimensions: how many the labels have.
        multilingual: whether there has to be a head for other languages.

    Raises:
        KeyError: one is missing.
        ValueError: one has another shape or kind than it can have, or holds NaN or infinity.
    """
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds what is no finite number")
    names = ("audio", "text", "multilingual") if multilingual else ("audio", "text")
    heads = {name: Head.of(name, arrays) for name in names}
    for name, head in heads.items():
        _require_fitting(name, head)
    scale, locator = arrays["scale"], arrays["locator"]
    audio, text = heads["audio"], heads["text"]
    if len({head.embedding_dim for head in heads.values()}) > 1:
        raise ValueError(
            f"the heads end with {' and '.join(str(head.embedding_dim) for head in heads.values())} numbers"
        )
    if locator.shape != (audio.embedding_dim + 1, dimensions):
        raise ValueError(f"locator has the shape {locator.shape}, not {(audio.embedding_dim + 1, dimensions)}")
    if scale.shape != (1,) or not scale[0] > 0:
        raise ValueError("scale is not one number above 0")
    return Parts(audio, text, float(scale[0]), locator, heads.get("multilingual"))


def _require_fitting(name: str, head: Head) -> None:
    width = head.center.shape
    if len(width) != 1 or head.spread.shape != width or not (head.spread > 0).all():
        raise ValueError(f"{name}.center and {name}.spread do not fit each other")
    for number, (weight, bias) in enumerate(head.layers):
        if weight.ndim != 2 or bias.shape != weight.shape[:1] or weight.shape[1:] != width:
            raise ValueError(f"{name}.{number} does not fit what comes before it")
        width = bias.shape
    if head.origin is not None and head.origin.shape != width:
        raise ValueError(f"{name}.origin does not fit what comes before it")
