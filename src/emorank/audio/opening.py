"""Which decoder reads a file: decided by what it holds."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from emorank.audio import flac, formats
from emorank.audio.decoder import NOT_AUDIO, Decoder
from emorank.audio.files import Window, check_file
from emorank.audio.joins import Joined, starts
from emorank.audio.media import Media
from emorank.audio.pcm import Pcm, layout
from emorank.audio.sndfile import SndFile
from emorank.errors import AudioError

_PCM = (formats.WAV, formats.W64, formats.AIFF, formats.AU, formats.CAF)


def open_decoder(name: str) -> Decoder:
    """The decoder of a file.

    Raises:
        AudioError: it is no audio, or none can read it; the message says why.
    """
    size = check_file(name)
    try:
        with open(name, "rb") as file:
            kind = formats.kind_of(formats.beginning(file), Path(name).suffix.lower())
            if kind is None:
                raise AudioError(name, NOT_AUDIO)
            if kind is formats.FLAC and flac.complete(file, size):
                # Faster, and where it stops, at damage, FFmpeg goes on.
                return SndFile(name, otherwise=lambda: Media(name, kind, 0, size))
            begins = starts(kind, file, size)
        parts = list(zip(begins, [*begins[1:], size], strict=True))
        first = _decoder(name, kind, *parts[0])
    except OSError as error:
        raise AudioError(name, f"it cannot be read ({error.strerror or error}).") from error
    if len(parts) == 1:
        return first
    return Joined(first, [(end - begin, partial(_decoder, name, kind, begin, end)) for begin, end in parts[1:]])


def _decoder(name: str, kind: formats.Kind, begin: int, end: int) -> Decoder:
    """The decoder of a file, or of a part of one."""
    if kind is formats.OTHERS:
        return SndFile(name)
    with open(name, "rb") as file:
        part = Window(file, begin, end)
        found = layout(part, end - begin) if kind in _PCM else None
        if found:
            return Pcm(name, replace(found, start=found.start + begin))
    return Media(name, kind, begin, end)
