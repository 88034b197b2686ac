"""Recordings that were joined end to end are heard to the last."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from emorank import audio
from tests.audio.encode import MADE, Made, encode, made, rms
from tests.conftest import voice

CAN = [how for how in MADE if how.suffix not in (".8svx", ".avr", ".pvf", ".voc", ".sph", ".rm", ".wv", ".mkv")]
#: What FFmpeg's RF64, CAF and the like are: a second head is then a few samples of noise.
SLACK = 0.25


@pytest.mark.parametrize("how", [how for how in CAN if how.container not in ("RF64", "caf", "wav")], ids=str)
def test_twice_the_same(tmp_path: Path, how: Made) -> None:
    path = tmp_path / f"a{how.suffix}"
    made(path, how, 3.0)
    once = audio.length(path)
    path.write_bytes(path.read_bytes() * 2)
    reading = audio.Reading(path)
    joined = reading.load()
    assert len(joined) / 16_000 == pytest.approx(2 * once, abs=SLACK)
    assert reading.damage == ()
    half = len(joined) // 2
    assert rms(joined[half:]) == pytest.approx(rms(joined[:half]), rel=0.1)
    assert audio.length(path) == pytest.approx(2 * once, abs=SLACK)


@pytest.mark.parametrize(("first", "second"), list(product([(44_100, 1), (22_050, 1), (16_000, 2)], repeat=2)))
@pytest.mark.parametrize("heads", ["0", "1"])
def test_mp3s_of_other_rates_and_channels(
    tmp_path: Path, first: tuple[int, int], second: tuple[int, int], heads: str
) -> None:
    data = b""
    for (rate, channels), seconds in ((first, 2.0), (second, 3.0)):
        wave = np.stack([voice(seconds, rate=rate)] * channels)
        options = {"write_xing": heads, "id3v2_version": "3" if heads == "1" else "0"}
        data += encode(tmp_path / "part.mp3", "mp3", "libmp3lame", wave, rate, options).read_bytes()
    (tmp_path / "a.mp3").write_bytes(data)
    reading = audio.Reading(tmp_path / "a.mp3")
    seconds = sum(map(len, reading.blocks())) / 16_000
    assert seconds == pytest.approx(5.0, abs=0.02 if heads == "1" else 0.2)
    assert reading.damage == ()


def test_ogg_links_of_other_codecs_and_rates(tmp_path: Path) -> None:
    import soundfile

    data = b""
    for rate, codec in ((44_100, "VORBIS"), (48_000, "OPUS"), (22_050, "VORBIS"), (16_000, "VORBIS")):
        soundfile.write(tmp_path / "part.ogg", voice(1.5, rate=rate), rate, format="OGG", subtype=codec)
        data += (tmp_path / "part.ogg").read_bytes()
    data += encode(tmp_path / "part.oga", "oga", "flac", voice(1.5), 16_000).read_bytes()
    (tmp_path / "a.ogg").write_bytes(data)
    joined = audio.load(tmp_path / "a.ogg")
    assert len(joined) / 16_000 == pytest.approx(7.5, abs=0.05)
    right = voice(1.5)
    for at in range(5):
        assert rms(joined[at * 24_000 : (at + 1) * 24_000]) == pytest.approx(rms(right), rel=0.1)


def test_a_span_of_a_later_part(tmp_path: Path) -> None:
    encode(tmp_path / "part.mp3", "mp3", "libmp3lame", voice(12.0), 16_000)
    (tmp_path / "a.mp3").write_bytes((tmp_path / "part.mp3").read_bytes() * 3)
    whole = audio.load(tmp_path / "a.mp3")
    np.testing.assert_allclose(audio.load(tmp_path / "a.mp3", 25.0, 30.0), whole[400_000:480_000], atol=1e-5)


def test_a_part_that_is_none_is_named(tmp_path: Path) -> None:
    made(tmp_path / "a.opus", Made(".opus", "ogg", "libopus", 48_000), 2.0)
    data = (tmp_path / "a.opus").read_bytes()
    page = data[: data.index(b"OggS", 4)]
    (tmp_path / "a.opus").write_bytes(data + page.replace(b"OpusHead", b"MopsHead") + bytes(5_000))
    reading = audio.Reading(tmp_path / "a.opus")
    assert len(reading.load()) / 16_000 == pytest.approx(2.0, abs=0.02)
    assert [(damage.kind, round(damage.at)) for damage in reading.damage] == [("unreadable", 2)]
