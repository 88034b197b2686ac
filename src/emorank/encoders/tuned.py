"""The folder of a tuned encoder: the layers that are used of a Whisper, as `WhisperNetwork` names them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emorank.encoders.attentive import Attention
from emorank.encoders.checkpoint import CONFIG, refuse_infinite
from emorank.errors import EmorankError
from emorank.storage import written_whole
from emorank.types import Array

WEIGHTS_FILE = "model.safetensors"
_POOL = "pool."
_WEIGH, _BIAS, _FOCUS = f"{_POOL}weigh.weight", f"{_POOL}weigh.bias", f"{_POOL}focus.weight"


def is_tuned(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of such a folder."""
    return "emorank_tuned" in config


def write_tuned(
    folder: Path, weights: Mapping[str, np.ndarray], layers: int, heads: int, attentive: Sequence[int] = ()
) -> None:
    """Write such a folder; its name is then FOLDER/LAYERS, or FOLDER/LAYERS:attentive.

    Args:
        folder: is made where it is not there.
        weights: as `WhisperNetwork` has them, and those of an attention (`with_attention`); they keep their precision.
        layers: how many there are.
        heads: of each layer's attention.
        attentive: the layers that the attention over frames is for; none where there is none.
    """
    from safetensors.numpy import save

    about: dict[str, Any] = {"model_type": "whisper", "emorank_tuned": 1, "encoder_layers": layers}
    about["encoder_attention_heads"] = heads
    if attentive:
        about["attentive_layers"] = list(attentive)
    with written_whole(folder / WEIGHTS_FILE) as path:
        path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in weights.items()}))
    with written_whole(folder / CONFIG) as path:
        path.write_text(json.dumps(about, indent=2), "utf8")


def copied(folder: Path, to: Path) -> None:
    """The same encoder in another folder."""
    if folder.resolve() != to.resolve():
        for name in (WEIGHTS_FILE, CONFIG):
            with written_whole(to / name) as path:
                shutil.copyfile(folder / name, path)


def with_attention(weights: Mapping[str, Array], attention: Attention | None) -> dict[str, Array]:
    """The weights of a network and those that say how much each frame counts, as they are written."""
    if attention is None:
        return dict(weights)
    return {**weights, _WEIGH: attention.weight, _BIAS: attention.bias, _FOCUS: attention.focus[None]}


def read_tuned(file: Path, attentive: bool) -> tuple[dict[str, Array], Attention | None]:
    """The weights in float32, and how much each frame counts.

    Args:
        file: the weights.
        attentive: whether there has to be such an attention.

    Raises:
        EmorankError: the file is damaged, or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        weights = {name: array.astype(np.float32) for name, array in load_file(file).items()}
        attention = None
        if attentive:
            attention = Attention(weights.pop(_WEIGH), weights.pop(_BIAS), weights.pop(_FOCUS)[0])
        weights["conv1.weight"], weights["conv2.bias"]
    except (OSError, KeyError, SafetensorError) as error:
        raise EmorankError(f"{file} is no tuned encoder that can be read ({error}); get it again.") from error
    refuse_infinite(str(file), weights)
    return weights, attention
