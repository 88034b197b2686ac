"""What the name of an encoder asks for, and its fingerprint, without building it or importing torch.

The grammar of the names is described in `emorank.encoders`.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from emorank.encoders import e5, minilm, packaged, whisper
from emorank.encoders.attentive import tuned_layers
from emorank.encoders.base import Spec
from emorank.encoders.checkpoint import (
    CONFIG,
    PREPROCESSOR,
    VOCABULARY,
    complete_folder,
    digests,
    read_config,
    weight_files,
)
from emorank.encoders.pooling import SMALLEST_VARIANCE, WINDOW
from emorank.encoders.ser_config import read_ser_config
from emorank.encoders.whisper_network import SHORTEST
from emorank.errors import EmorankError

DEFAULT_AUDIO = "whisper-base/2+3+4+5"
TUNED_AUDIO = "whisper-base-emotion/3+4:attentive"  # two of the layers, tuned on emotional speech
DEFAULT_TEXT = "minilm-emotion"

#: What the tables of the paper are made with on a laptop: encoders as they were published.
SMALL_AUDIO, SMALL_TEXT = "whisper-base/3+4", "minilm"

#: The paper's encoders (section 3.1).
PAPER_AUDIO = "wavlm-ser/mean"
PAPER_TEXT = "distilroberta-emotion"

_SER_ALIAS, _SER_MODEL = "wavlm-ser/", "3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes/ser:"
_TEXT_ALIASES = {"distilroberta-emotion": "j-hartmann/emotion-english-distilroberta-base/first"}
_SER = re.compile(r"(.+)/ser(?::(mean|mean_std|hidden))?")
_LAYERS = re.compile(r"(.+)/(\d+(?:\+\d+)*)(?::(mean|mean_std|attentive))?")

#: Raised by whoever changes what a kind of encoder does to its input or output.
_CODE = {"whisper": 1, "ssl": 1, "wavlm_ser": 1, "minilm": 1, "e5": 1, "text": 1}

_SSL = ("wavlm", "hubert", "wav2vec2", "data2vec-audio")  # model_type of the checkpoints that `ssl` runs


def audio_spec(name: str) -> Spec:
    """What an audio encoder's name asks for.

    Raises:
        EmorankError: it does not say what is taken, or the checkpoint cannot be had or has no such layers.
    """
    full = _SER_MODEL + name.removeprefix(_SER_ALIAS) if name.startswith(_SER_ALIAS) else name
    if ser := _SER.fullmatch(full):
        return Spec(name, "wavlm_ser", ser[1], ser[2] or "mean")
    chosen = _LAYERS.fullmatch(full)
    if not chosen:
        raise EmorankError(
            f"Audio encoder {name!r}: name it MODEL/LAYERS, MODEL/LAYERS:POOLING or MODEL/ser:POOLING, "
            f"for example {DEFAULT_AUDIO}, microsoft/wavlm-large/12:mean or {PAPER_AUDIO}."
        )
    source = chosen[1]
    layers = tuple(sorted({int(layer) for layer in chosen[2].split("+")}))
    config = packaged.CONFIGS.get(source) or read_config(source)
    kind = config.get("model_type")
    if kind != "whisper" and kind not in _SSL:
        raise EmorankError(
            f"Audio encoder {name!r}: {source} is a {kind} checkpoint; layers are taken of whisper, {', '.join(_SSL)}, "
            "and a WavLM with an emotion head is named MODEL/ser."
        )
    depth = config.get("encoder_layers" if kind == "whisper" else "num_hidden_layers")
    if not isinstance(depth, int) or not all(1 <= layer <= depth for layer in layers):
        raise EmorankError(f"Audio encoder {name!r}: its layers are 1 to {depth}; choose among those.")
    if chosen[3] == "attentive" and layers != tuned_layers(config):
        raise EmorankError(
            f"Audio encoder {name!r}: attentive is for an encoder that was tuned, with the layers of it."
        )
    return Spec(name, "whisper" if kind == "whisper" else "ssl", source, chosen[3] or "mean_std", layers)


def text_spec(name: str) -> Spec:
    """What a text encoder's name asks for; that of the multilingual one depends on what is installed."""
    if name == e5.NAME:
        return Spec(name, "e5", e5.source(), "query")
    if name == e5.TUNED:
        return Spec(name, "e5", name, "query")
    source, _, pooling = _TEXT_ALIASES.get(name, name).rpartition("/")
    if source and pooling in ("first", "mean", "query") and not Path(name).expanduser().is_dir():
        return Spec(name, "e5" if pooling == "query" else "text", source, pooling)
    return Spec(name, "minilm", name, "mean")


def untuned(name: str) -> str:
    """What a text encoder for many languages was tuned from, by its name; any other text encoder's own name.

    Raises:
        EmorankError: it is an update of an encoder that cannot be updated so.
    """
    spec = text_spec(name)
    return e5.NAME if spec.kind == "e5" and e5.parts(spec)[1] else name


def fingerprint(spec: Spec) -> str:
    """16 hexadecimal digits of all that decides a vector; the name and the place of the files are not in it.

    Raises:
        EmorankError: the checkpoint cannot be had or read.
    """
    recipe: dict[str, Any] = {"kind": spec.kind, "code": _CODE[spec.kind], "pooling": spec.pooling}
    if spec.kind == "minilm":
        recipe["longest"] = minilm.LONGEST
    elif spec.kind == "e5":
        recipe |= {"longest": e5.LONGEST, "prefix": e5.PREFIX, "form": "NFC"}
    elif spec.kind != "text":
        recipe |= {"layers": spec.layers, "window": WINDOW, "least": SMALLEST_VARIANCE}
    if spec.kind == "whisper":
        recipe |= {"level": whisper.LEVEL, "silence": whisper.SILENCE, "shortest": SHORTEST}
    elif spec.kind == "wavlm_ser":
        recipe["config"] = read_ser_config(spec.source)  # a part of it may lie elsewhere
    if spec.kind == "e5":
        recipe["files"] = e5.digests(spec)
    elif spec.source in packaged.PACKAGED:
        recipe["files"] = packaged.digests(spec.source)
    elif spec.kind == "minilm":
        recipe["files"] = digests(minilm.files(spec.source))
    else:
        folder = complete_folder(spec.source)
        others = {"whisper": [CONFIG], "ssl": [CONFIG, PREPROCESSOR], "text": [CONFIG, *VOCABULARY]}.get(spec.kind, [])
        used = [file for pattern in others for file in sorted(folder.glob(pattern))]
        recipe["files"] = digests([*weight_files(folder), *used])
    return hashlib.blake2b(json.dumps(recipe, sort_keys=True).encode(), digest_size=8).hexdigest()
