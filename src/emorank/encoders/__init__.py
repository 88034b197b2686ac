"""Frozen encoders behind one protocol, built by name and imported only when they are needed.

Audio: ``whisper-base/3+4`` is layers 3 and 4 of the packaged Whisper-base; ``openai/whisper-small/5`` layer 5 of a
checkpoint on the hub; ``/models/whisper/4`` of a local folder. Text: ``minilm`` is the packaged all-MiniLM-L6-v2;
anything else is a hub id or a local folder in the same format.
"""

from functools import lru_cache, partial
from pathlib import Path

from emorank.encoders.base import AudioEncoder, TextEncoder
from emorank.errors import EmorankError

__all__ = [
    "DEFAULT_AUDIO",
    "DEFAULT_TEXT",
    "PAPER_AUDIO",
    "PAPER_TEXT",
    "AudioEncoder",
    "TextEncoder",
    "audio_encoder",
    "text_encoder",
]

DEFAULT_AUDIO = "whisper-base/3+4"
DEFAULT_TEXT = "minilm"
PAPER_AUDIO = "wavlm-ser/mean"
PAPER_TEXT = "distilroberta-emotion"


@lru_cache(maxsize=2)
def audio_encoder(name: str = DEFAULT_AUDIO) -> AudioEncoder:
    """The audio encoder called `name`; see the module.

    Raises:
        EmorankError: the name has no layer, or the weights cannot be had.
    """
    source, _, chosen = name.rpartition("/")
    if not source or not all(layer.isdigit() for layer in chosen.split("+")):
        raise EmorankError(f"Audio encoder {name!r}: name it MODEL/LAYERS, for example {DEFAULT_AUDIO}.")
    layers = sorted({int(layer) for layer in chosen.split("+")})
    from emorank.encoders import whisper

    build = whisper.packaged_network if source == "whisper-base" else partial(whisper.hub_network, source)
    return whisper.WhisperEncoder(build(max(layers)), layers, name)


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
    return MiniLMEncoder.from_hub(name)
