"""Pretrained checkpoints in Hugging Face's layout: a local folder or a hub id -> its config, its weights.

Weights come from safetensors, or from a pytorch_model.bin through torch's reader that takes nothing but tensors.
No code of a checkpoint is ever run.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
            f"{source!r} could not be had from the hub ({type(error).__name__}), and there is no such folder."
        ) from error


def complete_folder(source: str) -> Path:
    """A folder with all that transformers needs of a checkpoint: configs, vocabulary, weights.

    Raises:
        EmorankError: see `checkpoint_folder`.
    """
    texts = ["*.json", "*.txt", "*.model"]
    folder = checkpoint_folder(source, [*texts, f"{_SAFE}*", "model-*.safetensors"])
    if not _files(folder, _SAFE):
        folder = checkpoint_folder(source, [*texts, f"{_PICKLED}*", "pytorch_model-*.bin"])
    return folder


def read_network(source: str, config: Any = None) -> Any:
    """A network that transformers knows, without the heads that a checkpoint may have on top.

    Args:
        source: a folder or a hub id.
        config: of transformers, changed for what is needed; None is the checkpoint's own.

    Raises:
        EmorankError: it cannot be had or read, or weights are missing.
    """
    from pickle import UnpicklingError

    from safetensors import SafetensorError
    from transformers import AutoModel

    folder = complete_folder(source)
    options = {"dtype": torch.float32, "weights_only": True, "trust_remote_code": False, "output_loading_info": True}
    try:
        with _quiet():
            network, report = AutoModel.from_pretrained(folder, config=config, **options)
    except (OSError, ValueError, KeyError, RuntimeError, UnpicklingError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0]
        raise EmorankError(f"{source} is no checkpoint that can be read: {reason}") from error
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise EmorankError(f"{source} lacks weights: {', '.join(missing[:5])}; get the checkpoint again.")
    return network.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' bar and its table of the heads that are left out; what is really missing is an error."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()


def read_weights(source: str) -> dict[str, Tensor]:
    """The weights of a checkpoint by name, in float32.

    Raises:
        EmorankError: there are none, they are damaged, or the file holds more than tensors.
    """
    folder = complete_folder(source)
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
    try:
        shards = set(json.loads(index.read_text("utf8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EmorankError(f"{index} does not list the files of the weights; get the checkpoint again.") from error
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
