"""Every kind of file that is read: its suffixes, its first bytes, what FFmpeg calls it, and how it tells the time.

FFmpeg is never asked what a file may be: it also reads playlists and lists of files, which name other files and
addresses, whatever their suffix. It is told one of the names below.
"""

import re
from dataclasses import dataclass
from typing import Literal

from emorank.audio.files import Bytes
from emorank.audio.mpeg import chained, tag

_SCANNED = 1 << 18  # bytes that are searched for the first frame of a format that is nothing but frames


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Args:
        name: for people.
        suffixes: with the dot, lower case.
        ffmpeg: its name of the format; None where libsndfile alone reads it.
        timed: whether the file says when each packet is heard; else packets follow each other.
        promise: where the length is written that the file should have: for each track, for all, or nowhere.
    """

    name: str
    suffixes: tuple[str, ...]
    ffmpeg: str | None = None
    timed: bool = False
    promise: Literal["track", "file"] | None = None


WAV = Kind("WAV", (".wav", ".wave", ".bwf", ".rf64", ".bw64"), "wav", promise="track")
W64 = Kind("W64", (".w64",), "w64")
AIFF = Kind("AIFF", (".aif", ".aiff", ".aifc"), "aiff", promise="track")
AU = Kind("AU", (".au", ".snd"), "au")
CAF = Kind("CAF", (".caf",), "caf", True, "track")
FLAC = Kind("FLAC", (".flac",), "flac", True, "track")
MP3 = Kind("MP3", (".mp3", ".mp2", ".mp1", ".mpga", ".mpa", ".m2a"), "mp3")
AAC = Kind("AAC", (".aac", ".adts"), "aac")
LATM = Kind("AAC in LATM", (".latm", ".loas"), "loas")
AC3 = Kind("AC-3", (".ac3",), "ac3")
EAC3 = Kind("E-AC-3", (".eac3", ".ec3"), "eac3")
AMR = Kind("AMR", (".amr", ".awb"), "amr")
GSM = Kind("GSM 06.10", (".gsm",), "gsm")
OGG = Kind("Ogg", (".ogg", ".oga", ".opus", ".spx", ".ogv", ".ogx"), "ogg", True)
MP4 = Kind(
    "MP4",
    (".m4a", ".mp4", ".m4b", ".m4r", ".m4v", ".mov", ".qt", ".3gp", ".3gpp", ".3ga", ".3g2", ".3gpp2", ".f4v", ".f4a"),
    "mov",
    True,
    "track",
)
MATROSKA = Kind("WebM, Matroska", (".webm", ".weba", ".mkv", ".mka"), "matroska", True, "file")
ASF = Kind("ASF (WMA)", (".wma", ".asf", ".wmv"), "asf", True, "file")
AVI = Kind("AVI", (".avi",), "avi", True, "track")
FLV = Kind("FLV", (".flv",), "flv", True, "file")
MPEG_TS = Kind("MPEG-TS", (".ts", ".mts", ".m2ts", ".m2t"), "mpegts", True)
MPEG_PS = Kind("MPEG-PS", (".mpg", ".mpeg", ".vob"), "mpeg", True)
REAL = Kind("RealMedia", (".rm", ".ra"), "rm", promise="file")
TTA = Kind("TTA", (".tta",), "tta", True, "track")
WAVPACK = Kind("WavPack", (".wv",), "wv", True, "track")
VOC = Kind("VOC", (".voc",), "voc")
OTHERS = Kind("NIST SPHERE and others", (".sph", ".nist", ".avr", ".pvf", ".8svx", ".svx", ".iff"))

KINDS = (
    WAV, W64, AIFF, AU, CAF, FLAC, MP3, AAC, LATM, AC3, EAC3, AMR, GSM, OGG, MP4, MATROSKA, ASF, AVI, FLV,
    MPEG_TS, MPEG_PS, REAL, TTA, WAVPACK, VOC, OTHERS,
)  # fmt: skip
SUFFIXES = frozenset(suffix for kind in KINDS for suffix in kind.suffixes)

_MAGIC = {
    b"riff\x2e\x91\xcf\x11": W64,
    b".snd": AU,
    b"dns.": AU,
    b"caff": CAF,
    b"fLaC": FLAC,
    b"OggS": OGG,
    b"\x1a\x45\xdf\xa3": MATROSKA,
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ASF,
    b"FLV": FLV,
    b"#!AMR": AMR,
    b"\x00\x00\x01\xba": MPEG_PS,
    b".RMF": REAL,
    b"ADIF": AAC,
    b"TTA1": TTA,
    b"wvpk": WAVPACK,
    b"NIST_1A": OTHERS,
    b"Creative Voice File": VOC,
    b"2BIT": OTHERS,
    b"PVF1": OTHERS,
}


def beginning(file: Bytes) -> bytes:
    """What `kind_of` wants to see of a file: its first bytes, after an ID3 tag."""
    file.seek(0)
    file.seek(tag(file.read(10)))
    return file.read(_SCANNED)


def kind_of(data: bytes, suffix: str) -> Kind | None:
    """The kind of a file; None for what is none of ours.

    Args:
        data: its `beginning`.
        suffix: lower case, for kinds that begin with nothing of their own.
    """
    name, form = data[:4], data[8:12]
    if form == b"WAVE" and name in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return WAV
    if form == b"AVI " and name == b"RIFF":
        return AVI
    if name == b"FORM":
        return AIFF if form in (b"AIFF", b"AIFC") else OTHERS if form == b"8SVX" else None
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"moof"):
        return MP4
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            return kind
    if name[:2] == b"\x0b\x77" and len(data) > 5:
        return EAC3 if data[5] >> 3 > 10 else AC3
    for length, first in ((188, 0), (192, 4)):
        if len(data) > first + length and data[first] == data[first + length] == 0x47:
            return MPEG_TS
    if suffix == ".gsm" and len(data) >= 33 and all(byte >> 4 == 13 for byte in data[: 33 * 64 : 33]):
        return GSM
    return _framed(data)


def _framed(data: bytes) -> Kind | None:
    """Formats that are nothing but frames: those that follow each other are looked for."""
    for match in re.finditer(rb"\xff|\x56", data):
        at = match.start()
        if chained(data, at):
            return MP3
        if chained(data, at, _adts):
            return AAC
        if chained(data, at, _loas):
            return LATM
    return None


def _adts(data: bytes, at: int) -> int:
    """Length of an AAC frame; 0 where there is none."""
    if len(data) < at + 6 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return 0
    return (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5


def _loas(data: bytes, at: int) -> int:
    """Length of an AAC frame in LATM; 0 where there is none."""
    if len(data) < at + 3 or data[at] != 0x56 or data[at + 1] & 0xE0 != 0xE0:
        return 0
    return ((data[at + 1] & 0x1F) << 8 | data[at + 2]) + 3
