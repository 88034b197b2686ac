"""Pretrained checkpoints in Hugging Face's layout, in a folder or on the hub: their config, their weights.

Weights come from safetensors, or from a pytorch_model.bin through torch's reader that takes nothing but tensors.
No code of a checkpoint is ever run.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank.digest import known_digests
from emorank.errors import EmorankError
from emorank.hub import local_folder

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, PREPROCESSOR = "config.json", "preprocessor_config.json"
#: What a vocabulary may consist of.
VOCABULARY = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "*.model",
)
_SAFE, _PICKLED = "model.safetensors", "pytorch_model.bin"


def read_config(source: str) -> dict[str, Any]:
    """The config.json of a local folder or of a hub id.

    Raises:
        EmorankError: there is none, or it is no JSON object.
    """
    path = local_folder(source, [CONFIG]) / CONFIG
    try:
        config = json.loads(path.read_text("utf8"))
    except (OSError, ValueError) as error:
        raise EmorankError(f"{path} cannot be read ({error}); get the checkpoint again.") from error
    if not isinstance(config, dict):
        raise EmorankError(f"{path} is no JSON object; get the checkpoint again.")
    return config


def complete_folder(source: str) -> Path:
    """A folder with all that is used of a checkpoint: config, preprocessing, vocabulary, weights.

    Raises:
        EmorankError: see `emorank.hub.local_folder`.
    """
    others = [PREPROCESSOR, *VOCABULARY]
    folder = local_folder(source, [CONFIG], [*others, f"{_SAFE}*", "model-*.safetensors"])
    if not _listed(folder, _SAFE):
        folder = local_folder(source, [CONFIG], [*others, f"{_PICKLED}*", "pytorch_model-*.bin"])
    return folder


def weight_files(folder: Path) -> list[Path]:
    """The safetensors of a checkpoint, else its pytorch_model.bin: one file, or the shards that an index lists.

    Raises:
        EmorankError: there are none, or one is missing.
    """
    files = _listed(folder, _SAFE) or _listed(folder, _PICKLED)
    if not files:
        raise EmorankError(f"{folder} holds no weights: neither {_SAFE} nor {_PICKLED}.")
    for file in files:
        if not file.is_file():
            raise EmorankError(f"{folder} lacks {file.name}, a part of the weights; get the checkpoint again.")
    return files


def digests(files: Iterable[Path]) -> dict[str, str]:
    """What files hold, by their names (`emorank.digest`).

    Raises:
        EmorankError: one cannot be read.
    """
    found = {}
    for path, digest in known_digests(files):
        if isinstance(digest, OSError):
            raise EmorankError(f"{path} cannot be read ({digest.strerror}); get the checkpoint again.") from digest
        found[Path(path).name] = digest
    return found


def transformers_config(source: str) -> Any:
    """The config of a local folder or hub id as an object of transformers.

    Raises:
        EmorankError: the checkpoint cannot be had or read.
    """
    from transformers import AutoConfig

    folder = complete_folder(source)
    with readable(source):
        return AutoConfig.from_pretrained(folder, trust_remote_code=False)


def read_network(source: str, config: Any = None, unused: str = "pooler.") -> Any:
    """A network that transformers knows, without the heads that a checkpoint may have on top.

    Args:
        source: a folder or a hub id.
        config: of transformers, changed for what is needed; None is the checkpoint's own.
        unused: how the names of weights begin that may be missing.

    Raises:
        EmorankError: it cannot be had or read, or weights are missing or not finite.
    """
    import torch
    from transformers import AutoModel

    folder = complete_folder(source)
    weight_files(folder)
    options = {"dtype": torch.float32, "weights_only": True, "trust_remote_code": False, "output_loading_info": True}
    with readable(source), _quiet():
        network, report = AutoModel.from_pretrained(folder, config=config, **options)
    refuse(source, "lacks", (name for name in report["missing_keys"] if not name.startswith(unused)))
    refuse_infinite(source, network.state_dict())
    return network.eval().requires_grad_(False)


@contextmanager
def readable(source: str) -> Iterator[None]:
    """What transformers says of a checkpoint that it cannot use, in one sentence.

    Raises:
        EmorankError: instead of whatever came.
    """
    try:
        yield
    except EmorankError:
        raise
    except Exception as error:  # configs of strangers bring up every kind
        line = str(error).strip().split("\n")[0] or type(error).__name__
        raise EmorankError(f"{source} is no checkpoint that can be read: {line}") from error


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


def read_weights(source: str) -> "dict[str, Tensor]":
    """The weights of a checkpoint by name, in float32.

    Raises:
        EmorankError: there are none, they are damaged, or a file holds more than tensors.
    """
    weights: dict[str, Tensor] = {}
    for file in weight_files(complete_folder(source)):
        weights |= _read(file)
    return {name: tensor.float() for name, tensor in weights.items()}


def refuse_infinite(source: str, weights: Mapping[str, Any]) -> None:
    """Refuse weights, of numpy or torch, that hold infinity or NaN.

    Raises:
        EmorankError: they do; the first five are named.
    """
    refuse(source, "has infinite or NaN", (name for name, array in weights.items() if not math.isfinite(array.sum())))


def refuse(source: str, what: str, names: Iterable[str]) -> None:
    """Say what is wrong with weights, if anything is.

    Raises:
        EmorankError: there are names; the first five are in it.
    """
    if bad := sorted(names):
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise EmorankError(f"{source} {what} weights: {', '.join(bad[:5])}{more}; get the checkpoint again.")


def _listed(folder: Path, name: str) -> list[Path]:
    """The one file, or the shards that its index lists."""
    if (folder / name).is_file():
        return [folder / name]
    index = folder / f"{name}.index.json"
    if not index.is_file():
        return []
    try:
        shards = set(json.loads(index.read_text("utf8"))["weight_map"].values())
        return [folder / Path(shard).name for shard in sorted(shards)]  # beside their index, nowhere else
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EmorankError(f"{index} does not list the files of the weights; get the checkpoint again.") from error


def _read(file: Path) -> "dict[str, Tensor]":
    from pickle import UnpicklingError

    import torch
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
    if not isinstance(weights, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
        raise EmorankError(f"{file} holds no weights by name; use a checkpoint with {_SAFE}.")
    return weights
