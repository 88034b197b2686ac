"""Pretrained checkpoints in Hugging Face's layout: a local folder or a hub id -> its config, its weights.

Weights come from safetensors, or from a pytorch_model.bin through torch's reader that takes nothing but tensors.
No code of a checkpoint is ever run.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emorank.errors import EmorankError

CONFIG = "config.json"
_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"


def read_config(source: str) -> dict[str, Any]:
    """The config.json of a local folder or of a hub id.

    Raises:
        EmorankError: there is none, or it is no JSON object.
    """
    path = checkpoint_folder(source, [CONFIG]) / CONFIG
    try:
        config = json.loads(path.read_text("utf8"))
    except FileNotFoundError as error:
        raise EmorankError(f"{source} holds no checkpoint: {CONFIG} is missing.") from error
    except (OSError, ValueError) as error:
        raise EmorankError(f"{path} cannot be read ({error}); get the checkpoint again.") from error
    if not isinstance(config, dict):
        raise EmorankError(f"{path} is no JSON object; get the checkpoint again.")
    return config


def checkpoint_folder(source: str, patterns: Sequence[str]) -> Path:
    """A local folder as it is, or the copy of a hub id in the hub's cache.

    Args:
        source: a folder, or owner/name.
        patterns: which files of the hub id are needed.

    Raises:
        EmorankError: there is no such folder, and the hub has or gives no such checkpoint.
    """
    if Path(source).is_dir():
        return Path(source)
    if source.count("/") != 1 or source.startswith((".", "/", "~")):
        raise EmorankError(f"There is no folder {source}; name a checkpoint's folder or its hub id (owner/name).")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, allow_patterns=list(patterns)))
    except Exception as error:  # the hub raises many kinds; each means that the checkpoint is not to be had
        raise EmorankError(
            f"Checkpoint {source!r} could not be had from the hub, and there is no such folder ({type(error).__name__})."
        ) from error


def read_weights(source: str) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, in float32.

    Raises:
        EmorankError: there are none, they are damaged, or the file holds more than tensors.
    """
    folder = checkpoint_folder(source, [CONFIG, f"{_SAFE}*", "model-*.safetensors"])
    if not _files(folder, _SAFE):
        folder = checkpoint_folder(source, [CONFIG, f"{_PICKLED}*", "pytorch_model-*.bin"])
    files = _files(folder, _SAFE) or _files(folder, _PICKLED)
    if not files:
        raise EmorankError(f"{source} holds no weights: neither {_SAFE} nor {_PICKLED}.")
    weights: dict[str, Tensor] = {}
    for file in files:
        weights |= _read(file)
    return {name: tensor.float() for name, tensor in weights.items()}


def _files(folder: Path, name: str) -> list[Path]:
    """The one file, or the shards that its index lists."""
    if (folder / name).is_file():
        return [folder / name]
    index = folder / f"{name}.index.json"
    if not index.is_file():
        return []
    shards = set(json.loads(index.read_text("utf8"))["weight_map"].values())
    return [folder / Path(shard).name for shard in sorted(shards)]  # shards lie beside their index, nowhere else


def _read(file: Path) -> dict[str, Tensor]:
    from pickle import UnpicklingError

    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        weights = torch.load(file, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise EmorankError(
            f"{file} holds more than weights, or is damaged, and was not loaded; use a checkpoint with {_SAFE}."
        ) from error
    except (OSError, RuntimeError, EOFError, SafetensorError) as error:
        raise EmorankError(f"{file} cannot be read ({error}); get the checkpoint again.") from error
    if not isinstance(weights, dict) or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise EmorankError(f"{file} holds no weights by name; use a checkpoint with {_SAFE}.")
    return weights
