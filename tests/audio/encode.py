"""Recordings of every kind, made by code."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile

from tests.conftest import voice

SECONDS = 6.0


@dataclass(frozen=True)
class Made:
    """How a kind of file is made.

    Args:
        suffix: of its name; also says which kind of `formats.KINDS` it is.
        container: of FFmpeg, or of libsndfile where there is no codec.
        codec: an encoder of FFmpeg, or a subtype of libsndfile in capitals.
        rate: in Hz.
        options: of the container.
    """

    suffix: str
    container: str
    codec: str
    rate: int = 16_000
    options: tuple[tuple[str, str], ...] = ()

    def write(self, path: Path, wave: np.ndarray) -> Path:
        """Write one channel (samples,) or several (channels, samples)."""
        if self.codec.isupper() or self.codec[:3] == "PCM":
            soundfile.write(path, wave.T, self.rate, format=self.container, subtype=self.codec)
        else:
            encode(path, self.container, self.codec, wave, self.rate, dict(self.options))
        return path

    def __str__(self) -> str:
        return f"{self.container}-{self.codec}{self.suffix}"


MADE = (
    Made(".wav", "WAV", "PCM_16"),
    Made(".wav", "WAV", "PCM_24"),
    Made(".wav", "WAV", "ULAW"),
    Made(".wav", "WAV", "ALAW"),
    Made(".wav", "WAVEX", "FLOAT"),
    Made(".rf64", "RF64", "PCM_16"),
    Made(".w64", "W64", "PCM_16"),
    Made(".aiff", "AIFF", "PCM_16"),
    Made(".aifc", "AIFF", "ULAW"),
    Made(".au", "AU", "PCM_16"),
    Made(".caf", "CAF", "PCM_16"),
    Made(".sph", "NIST", "PCM_16"),
    Made(".8svx", "SVX", "PCM_16"),
    Made(".avr", "AVR", "PCM_16"),
    Made(".pvf", "PVF", "PCM_16"),
    Made(".voc", "VOC", "PCM_16"),
    Made(".wav", "WAV", "GSM610", 8_000),
    Made(".gsm", "RAW", "GSM610", 8_000),
    Made(".flac", "FLAC", "PCM_16"),
    Made(".ogg", "OGG", "VORBIS"),
    Made(".opus", "ogg", "libopus", 48_000),
    Made(".oga", "oga", "flac"),
    Made(".mp3", "mp3", "libmp3lame"),
    Made(".mpga", "mp3", "libmp3lame", 44_100, (("write_xing", "0"),)),
    Made(".mp2", "mp2", "mp2", 48_000),
    Made(".aac", "adts", "aac"),
    Made(".latm", "latm", "aac"),
    Made(".ac3", "ac3", "ac3", 48_000),
    Made(".eac3", "eac3", "eac3", 48_000),
    Made(".amr", "amr", "libopencore_amrnb", 8_000),
    Made(".m4a", "ipod", "aac"),
    Made(".m4a", "ipod", "alac"),
    Made(".mp4", "mp4", "libmp3lame", 44_100),
    Made(".mov", "mov", "pcm_s16le"),
    Made(".3gpp", "3gp", "libopencore_amrnb", 8_000),
    Made(".3g2", "3g2", "aac"),
    Made(".m4v", "ismv", "aac"),
    Made(".webm", "webm", "libopus", 48_000),
    Made(".mka", "matroska", "flac"),
    Made(".mkv", "matroska", "pcm_s16le"),
    Made(".wma", "asf", "wmav2", 44_100),
    Made(".avi", "avi", "mp2", 48_000),
    Made(".flv", "flv", "aac", 44_100),
    Made(".f4v", "f4v", "aac"),
    Made(".ts", "mpegts", "aac"),
    Made(".m2ts", "mpegts", "ac3", 48_000, (("mpegts_m2ts_mode", "1"),)),
    Made(".mpg", "mpeg", "mp2", 48_000),
    Made(".vob", "vob", "ac3", 48_000),
    Made(".rm", "rm", "ac3", 48_000),
    Made(".tta", "tta", "tta"),
    Made(".wv", "wv", "wavpack"),
    Made(".wav", "wav", "libmp3lame"),
    Made(".wav", "wav", "g722"),
    Made(".wav", "wav", "adpcm_ms"),
    Made(".wav", "wav", "wmav2", 44_100),
    Made(".caf", "caf", "alac"),
)


def encode(
    path: Path,
    container: str,
    codec: str,
    wave: np.ndarray,
    rate: int,
    options: dict[str, str] | None = None,
    bit_rate: int | None = None,
    gaps: tuple[tuple[float, float], ...] = (),
) -> Path:
    """Write a recording with FFmpeg.

    Args:
        path: the file.
        container: FFmpeg's name.
        codec: FFmpeg's name.
        wave: (samples,) or (channels, samples).
        rate: in Hz.
        options: of the container.
        bit_rate: in bit/s.
        gaps: (at, seconds): from a time of the wave on, timestamps are so much later.
    """
    with av.open(str(path), "w", format=container, options=options or {}) as out:
        add(out, codec, wave, rate, bit_rate, gaps)
    return path


def add(
    out: Any,
    codec: str,
    wave: np.ndarray,
    rate: int,
    bit_rate: int | None = None,
    gaps: tuple[tuple[float, float], ...] = (),
) -> None:
    """Write one track into an open container that has no other."""
    stream, frames = track(out, codec, wave, rate, bit_rate, gaps)
    for frame in frames:
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def track(
    out: Any,
    codec: str,
    wave: np.ndarray,
    rate: int,
    bit_rate: int | None = None,
    gaps: tuple[tuple[float, float], ...] = (),
    quality: int | None = None,
) -> tuple[Any, list[Any]]:
    """A stream and its frames, ready to be encoded; `quality` asks for a variable bit rate."""
    wave = np.ascontiguousarray(np.atleast_2d(wave), np.float32)
    layout = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 8: "7.1"}[len(wave)]
    stream = out.add_stream(codec, rate=rate, layout=layout)
    bit_rate = bit_rate or {"libopencore_amrnb": 12_200, "wmav2": 64_000}.get(codec)
    if bit_rate:
        stream.bit_rate = bit_rate
    if quality is not None:
        stream.codec_context.qscale, stream.codec_context.options = True, {"global_quality": str(quality * 118)}
    stream.codec_context.open()
    frame = av.AudioFrame.from_ndarray(wave.T.reshape(1, -1), format="flt", layout=layout)
    frame.sample_rate = rate
    size = stream.codec_context.frame_size or 1024
    resampler = av.AudioResampler(stream.codec_context.format, layout, rate, frame_size=size)
    frames = [*resampler.resample(frame), *resampler.resample(None)]
    at = 0
    for each in frames:
        late = sum(seconds for start, seconds in gaps if at >= start * rate)
        each.pts, each.time_base = at + round(late * rate), Fraction(1, rate)
        at += each.samples
    return stream, frames


def made(path: Path, how: Made, seconds: float = SECONDS, seed: int = 3) -> np.ndarray:
    """Write a voice; returns the wave that was written."""
    wave = voice(seconds, seed=seed, rate=how.rate)
    how.write(path, wave)
    return wave


def rms(wave: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))
