"""What a file says of itself before anything is decoded: whether browsers play it, and how much it would become.

Decided by the codec that is in it, never by its suffix.
"""

from dataclasses import dataclass
from typing import IO

_WAVE = ("PCM_U8", "PCM_16", "PCM_24", "FLOAT", "ULAW", "ALAW")

#: Media type by container and codec: what Chromium, Firefox and Safari all play, and find the same times in.
_PLAYED = {
    **{(container, codec): "audio/wav" for container in ("WAV", "WAVEX") for codec in _WAVE},
    ("FLAC", "PCM_S8"): "audio/flac",
    ("FLAC", "PCM_16"): "audio/flac",
    ("FLAC", "PCM_24"): "audio/flac",
    ("OGG", "VORBIS"): "audio/ogg",
    ("OGG", "OPUS"): "audio/ogg",
    ("MP3", "MPEG_LAYER_III"): "audio/mpeg",
    ("mov", "aac"): "audio/mp4",
    ("mov", "mp3"): "audio/mp4",
    ("mov", "flac"): "audio/mp4",
    ("webm", "opus"): "audio/webm",
    ("webm", "vorbis"): "audio/webm",
    ("aac", "aac"): "audio/aac",
}
_CHANNELS, _RATES = 8, (8_000, 192_000)


@dataclass(frozen=True)
class Header:
    """The beginning of a file.

    Args:
        container: what holds the samples.
        codec: how they are written.
        rate: in Hz.
        channels: of the first audio track.
        seconds: as the file tells it; None where it does not.
        tracks: of audio.
    """

    container: str
    codec: str
    rate: int
    channels: int
    seconds: float | None
    tracks: int = 1

    @property
    def media_type(self) -> str | None:
        """What browsers call it; None where they do not play it, or not what emorank hears."""
        if self.tracks != 1 or self.channels > _CHANNELS or not _RATES[0] <= self.rate <= _RATES[1]:
            return None
        return _PLAYED.get((self.container, self.codec))


def header(file: IO[bytes]) -> Header | None:
    """What an open file says of itself; None for what is not known here."""
    import soundfile

    file.seek(0)  # libsndfile takes where it stands for the beginning
    try:
        with soundfile.SoundFile(file.fileno(), closefd=False) as sound:
            seconds = sound.frames / sound.samplerate
            return Header(sound.format, sound.subtype, sound.samplerate, sound.channels, seconds)
    except (soundfile.SoundFileError, ZeroDivisionError):
        file.seek(0)
        return _container(file)


def _container(file: IO[bytes]) -> Header | None:
    """The same by FFmpeg, of the containers that browsers play; it is told which, and never guesses."""
    beginning = file.read(64)
    if beginning[4:8] == b"ftyp":
        container, name = "mov", "mov"
    elif beginning.startswith(b"\x1a\x45\xdf\xa3"):
        container, name = "matroska", "webm" if b"webm" in beginning else "matroska"
    elif len(beginning) > 1 and beginning[0] == 0xFF and beginning[1] & 0xF6 == 0xF0:
        container, name = "aac", "aac"
    else:
        return None
    import av

    file.seek(0)
    try:
        with av.open(file, "r", format=container) as media:
            tracks = media.streams.audio
            codec = tracks[0].codec_context
            seconds = None if media.duration is None else media.duration / av.time_base
            return Header(name, codec.codec.canonical_name, codec.sample_rate, codec.channels, seconds, len(tracks))
    except (av.FFmpegError, IndexError, ValueError):
        return None
