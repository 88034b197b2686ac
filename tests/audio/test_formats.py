"""What a file is: decided by its content; and nothing but recordings is ever opened."""

import os
import random
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emorank import audio
from emorank.audio.formats import KINDS, OGG, kind_of
from emorank.errors import AudioError
from tests.audio.encode import encode
from tests.conftest import voice

DOCS = Path(__file__).parents[2] / "docs" / "recordings.md"
LISTS = {
    "concat": "ffconcat version 1.0\nfile secret.wav\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.wav\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>secret.wav</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    "pls": "[playlist]\nFile1=secret.wav\n",
}


@pytest.mark.parametrize("suffix", sorted(audio.SUFFIXES))
@pytest.mark.parametrize("playlist", LISTS)
def test_a_list_of_files_never_opens_them(tmp_path: Path, suffix: str, playlist: str) -> None:
    soundfile.write(tmp_path / "secret.wav", voice(0.5), 16_000)
    named = tmp_path / f"innocent{suffix}"
    for padding in ("", "\0" * 2_000):
        named.write_text(LISTS[playlist] + padding)
        with pytest.raises(AudioError, match="it is not audio, or damaged beyond decoding"):
            audio.load(named)


def test_a_movie_that_names_another_file(tmp_path: Path) -> None:
    encode(tmp_path / "secret.mov", "mov", "pcm_s16le", voice(1.0), 16_000)
    data = bytearray((tmp_path / "secret.mov").read_bytes())
    at = data.index(b"url ") - 4
    data[at + 11] = 0  # no longer self-contained: its samples lie elsewhere
    data[at + 4 : at + 8] = b"alis"
    (tmp_path / "a.mov").write_bytes(data[: data.index(b"mdat") + 4] + bytes(100) + data[data.index(b"moov") - 4 :])
    try:
        assert np.abs(audio.load(tmp_path / "a.mov")).max() < 1e-3
    except AudioError as error:
        assert str(tmp_path / "a.mov") in str(error)  # noqa: PT017


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3_000), st.sampled_from(sorted(audio.SUFFIXES)))
def test_anything_is_refused_with_a_sentence_or_heard(data: bytes, suffix: str) -> None:
    path = Path(os.environ["EMORANK_CACHE"]) / f"any{suffix}"
    path.write_bytes(data)
    try:
        assert np.isfinite(audio.load(path)).all()
    except AudioError as error:
        assert error.reason.endswith(".")  # noqa: PT017


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["WAV", "AIFF", "W64", "CAF", "AU", "RF64", "NIST", "FLAC", "OGG", "MP3"]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_broken_headers(container: str, changes: list[tuple[int, int]]) -> None:
    path = Path(os.environ["EMORANK_CACHE"]) / "broken"
    soundfile.write(path, np.stack([voice(0.3)] * 2, 1), 16_000, format=container)
    data = bytearray(path.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    path.write_bytes(data)
    try:
        assert len(audio.load(path)) < 16_000 * 60
        assert audio.length(path) < 60
    except AudioError as error:
        assert error.reason.endswith(".")  # noqa: PT017


def test_every_kind_stands_in_the_docs() -> None:
    table = DOCS.read_text(encoding="utf8")
    for kind in KINDS:
        assert f"| {kind.name} |" in table
        for suffix in kind.suffixes:
            assert f"`{suffix}`" in table


def test_a_page_of_ogg_is_enough() -> None:
    assert kind_of(b"OggS\0\2" + bytes(30), "") is OGG
    assert kind_of(b"", ".mp3") is None
    assert kind_of(b"RIFF\0\0\0\0MENU", ".wav") is None
    assert kind_of(random.Random(0).randbytes(1 << 18), ".mp3") is None


@pytest.mark.parametrize("rate", [16_000, 192_000])
def test_memory_does_not_grow_with_the_channels(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.zeros((40 * rate, 8), np.int16), rate)
    assert path.stat().st_size < 1 << 20
    tracemalloc.start()
    try:
        seconds = sum(map(len, audio.blocks(path))) / 16_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert seconds == pytest.approx(40.0)
    assert peak < 150 << 20  # a piece is 4 MB; 32 MB of a short recording are kept


def test_the_longest(tmp_path: Path) -> None:
    for name, container, codec in (("a.flac", "flac", "flac"), ("a.aac", "adts", "aac")):
        encode(tmp_path / name, container, codec, np.stack([voice(40.0)] * 2), 16_000)
        assert sum(map(len, audio.blocks(tmp_path / name, longest=41.0))) / 16_000 == pytest.approx(40.0, abs=0.2)
        with pytest.raises(audio.TooLong, match="it is longer than 30 s"):
            list(audio.blocks(tmp_path / name, longest=30.0))


def test_a_length_that_the_bytes_do_not_bear_out_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "a.opus"
    encode(path, "ogg", "libopus", voice(2.0, rate=48_000), 48_000, gaps=((1.0, 1e6),))
    assert audio.duration(path) is None
    assert audio.length(path) == pytest.approx(2.0, abs=0.1)


def test_many_marks_cost_little(tmp_path: Path) -> None:
    encode(tmp_path / "a.mp3", "mp3", "libmp3lame", voice(2.0), 16_000)
    data = (tmp_path / "a.mp3").read_bytes()
    (tmp_path / "a.mp3").write_bytes(data + b"XingInfoID3\x04" * 50_000)
    assert len(audio.load(tmp_path / "a.mp3")) / 16_000 == pytest.approx(2.0, abs=0.1)
