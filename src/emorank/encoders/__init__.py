"""Frozen encoders behind one protocol, built by name and imported only when they are needed.

Audio: ``whisper-base/3`` is layer 3 of the packaged Whisper-base; ``openai/whisper-small/5`` layer 5 of a checkpoint on
the hub; ``/models/whisper/4`` of a local folder. Text: ``minilm`` is the packaged all-MiniLM-L6-v2; anything else is a
hub id or a local folder in the same format.
"""

from functools import lru_cache
from pathlib import Path

from emorank.encoders.base import AudioEncoder, TextEncoder
from emorank.errors import EmorankError

__all__ = ["DEFAULT_AUDIO", "DEFAULT_TEXT", "AudioEncoder", "TextEncoder", "audio_encoder", "text_encoder"]

DEFAULT_AUDIO = "whisper-base/3"
DEFAULT_TEXT = "minilm"


@lru_cache(maxsize=2)
def audio_encoder(name: str = DEFAULT_AUDIO) -> AudioEncoder:
    """The audio encoder called `name`; see the module.

    Raises:
        EmorankError: the name has no layer, or the weights cannot be had.
    """
    source, _, layer = name.rpartition("/")
    if not source or not layer.isdigit():
        raise EmorankError(f"Audio encoder {name!r}: name it MODEL/LAYER, for example {DEFAULT_AUDIO}.")
    from emorank.encoders import whisper

    build = whisper.packaged_network if source == "whisper-base" else lambda layers: whisper.hub_network(source, layers)
    return whisper.WhisperEncoder(build(int(layer)), int(layer), name)


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
