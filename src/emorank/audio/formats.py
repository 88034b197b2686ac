"""What recordings are called, and what containers begin with."""

SNDFILE_SUFFIXES = frozenset(
    [
        ".wav",
        ".wave",
        ".flac",
        ".ogg",
        ".oga",
        ".opus",
        ".mp3",
        ".aif",
        ".aiff",
        ".aifc",
        ".au",
        ".snd",
        ".caf",
        ".w64",
        ".rf64",
    ]
)
MEDIA_SUFFIXES = frozenset(
    [
        ".m4a",
        ".mp4",
        ".webm",
        ".mkv",
        ".mka",
        ".mov",
        ".aac",
        ".wma",
        ".amr",
        ".3gp",
        ".m4b",
        ".avi",
        ".mpg",
        ".mpeg",
        ".ac3",
        ".weba",
        ".ts",
    ]
)
SUFFIXES = SNDFILE_SUFFIXES | MEDIA_SUFFIXES

#: First bytes of the containers that go to FFmpeg, and its names of them; `_container` knows the others.
_MAGIC = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"RIFF": "avi",
    b"#!AMR": "amr",
    b"\x0b\x77": "ac3",
    b"\x00\x00\x01\xba": "mpeg",
    b"ADIF": "aac",
    b"ID3": "aac",
}


def container(beginning: bytes) -> str | None:
    """FFmpeg's name of a container by its first bytes; None for what is none of ours.

    FFmpeg itself is never asked what a file may be: it also reads playlists and lists of files, which name other files
    and addresses, whatever their suffix.
    """
    if beginning[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide"):
        return "mov"
    if beginning[:1] == b"\x47" and beginning[188:189] == b"\x47":
        return "mpegts"
    if len(beginning) > 1 and beginning[0] == 0xFF and beginning[1] & 0xF6 == 0xF0:
        return "aac"
    return next((kind for magic, kind in _MAGIC.items() if beginning.startswith(magic)), None)
