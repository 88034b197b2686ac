"""Frozen encoders behind one protocol, built by name and imported only when they are needed.

A name says where the weights are and, after the last slash, what of them is taken: MODEL/WHAT. MODEL is a hub id
(`microsoft/wavlm-large`), a local folder in the hub's format, or the short name of a known checkpoint.

Audio, MODEL/LAYERS or MODEL/LAYERS:POOLING, 1 = the first transformer layer. Whisper, WavLM, HuBERT, wav2vec 2.0 and
data2vec-audio are told apart by the checkpoint's config.json. The poolings over time are `mean_std` (where none is
named) and `mean`.

    whisper-base/3+4                     layers 3 and 4 of the packaged Whisper-base
    openai/whisper-small/5               layer 5 of a checkpoint on the hub
    microsoft/wavlm-large/12:mean        layer 12, its mean
    /models/hubert/6+9                   of a local folder

Audio, MODEL/ser or MODEL/ser:POOLING: a WavLM with a head for dimensional emotion recognition; its poolings are
`mean` (where none is named), `mean_std` and `hidden`.

    wavlm-ser/mean                       3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes, the paper's
    /models/ser/ser:hidden               of a local folder

Text, MODEL/first (the last layer's first token) or MODEL/mean (its mean over tokens); without either, a
sentence-transformers checkpoint in the format of all-MiniLM-L6-v2.

    minilm                               the packaged all-MiniLM-L6-v2
    distilroberta-emotion                j-hartmann/emotion-english-distilroberta-base/first, the paper's
    roberta-base/mean                    any encoder on the hub
    /models/distilroberta/first          of a local folder
"""

import os
import re
from functools import lru_cache
from pathlib import Path

from emorank.encoders.base import AudioEncoder, Locates, TextEncoder
from emorank.errors import EmorankError

# Clips differ in length, so nearly every batch is a new shape. oneDNN keeps what it prepared for the last 1024
# shapes, and memory grows for as long as speech is encoded. Read once, when torch first computes.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

__all__ = [
    "DEFAULT_AUDIO",
    "DEFAULT_TEXT",
    "PAPER_AUDIO",
    "PAPER_TEXT",
    "AudioEncoder",
    "Locates",
    "TextEncoder",
    "audio_encoder",
    "text_encoder",
]

DEFAULT_AUDIO = "whisper-base/3+4"
DEFAULT_TEXT = "minilm"

#: The paper's encoders (section 3.1).
PAPER_AUDIO = "wavlm-ser/mean"
PAPER_TEXT = "distilroberta-emotion"

_SER_ALIAS, _SER_MODEL = "wavlm-ser/", "3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes/ser:"
_TEXT_ALIASES = {"distilroberta-emotion": "j-hartmann/emotion-english-distilroberta-base/first"}
_SER = re.compile(r"(.+)/ser(?::(mean|mean_std|hidden))?")
_LAYERS = re.compile(r"(.+)/(\d+(?:\+\d+)*)(?::(mean|mean_std))?")


@lru_cache(maxsize=2)
def audio_encoder(name: str = DEFAULT_AUDIO) -> AudioEncoder:
    """The audio encoder called `name`; see the module.

    Raises:
        EmorankError: the name does not say what is taken, or the weights cannot be had.
    """
    full = _SER_MODEL + name.removeprefix(_SER_ALIAS) if name.startswith(_SER_ALIAS) else name
    if ser := _SER.fullmatch(full):
        from emorank.encoders import wavlm_ser

        return wavlm_ser.load(ser[1], ser[2] or "mean", name)
    chosen = _LAYERS.fullmatch(full)
    if not chosen:
        raise EmorankError(
            f"Audio encoder {name!r}: name it MODEL/LAYERS, MODEL/LAYERS:POOLING or MODEL/ser:POOLING, "
            f"for example {DEFAULT_AUDIO}, microsoft/wavlm-large/12:mean or {PAPER_AUDIO}."
        )
    source, pooling = chosen[1], chosen[3] or "mean_std"
    layers = sorted({int(layer) for layer in chosen[2].split("+")})
    if source == "whisper-base":
        from emorank.encoders import whisper

        return whisper.WhisperEncoder(whisper.packaged_network(max(layers)), layers, name, pooling)
    from emorank.encoders.checkpoint import read_config

    if read_config(source).get("model_type") == "whisper":
        from emorank.encoders import whisper

        return whisper.WhisperEncoder(whisper.hub_network(source, max(layers)), layers, name, pooling)
    from emorank.encoders import speech

    return speech.load(source, layers, pooling, name)


@lru_cache(maxsize=2)
def text_encoder(name: str = DEFAULT_TEXT) -> TextEncoder:
    """The text encoder called `name`; see the module.

    Raises:
        EmorankError: the weights cannot be had.
    """
    from emorank.encoders.minilm import MiniLMEncoder

    if name == DEFAULT_TEXT:
        return MiniLMEncoder.packaged()
    if Path(name).is_dir():
        return MiniLMEncoder(Path(name), name)
    source, _, pooling = _TEXT_ALIASES.get(name, name).rpartition("/")
    if source and pooling in ("first", "mean"):
        from emorank.encoders import text

        return text.load(source, pooling, name)
    return MiniLMEncoder.from_hub(name)


def audio_fingerprint(name):  # TEMPORARY
    import hashlib

    return hashlib.sha256(name.encode()).hexdigest()[:16]
