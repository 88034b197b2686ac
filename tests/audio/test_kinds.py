"""Every kind of file: heard whole; and where it is cut off or has a hole, what is lost is named."""

import random
from pathlib import Path

import numpy as np
import pytest

from emorank import audio
from emorank.audio.formats import KINDS
from emorank.errors import AudioError
from tests.audio.encode import MADE, SECONDS, Made, made, rms

kinds = pytest.mark.parametrize("how", MADE, ids=str)

#: Nothing in these tells a hole from sound: they have no checks, and every byte is a sample or part of one.
_UNTOLD = ("PCM", "LAW", "GSM", "FLOAT", "pcm", "g722", "adpcm", "amrnb", "wmav2")


def heard(path: Path) -> tuple[float, float, audio.Reading]:
    """Seconds of the result, and seconds named as missing after it."""
    reading = audio.Reading(path)
    seconds = sum(map(len, reading.blocks())) / audio.SAMPLE_RATE
    return seconds, sum(damage.seconds or 0 for damage in reading.damage if damage.kind == "cut"), reading


@kinds
def test_whole(tmp_path: Path, how: Made) -> None:
    wave = made(tmp_path / f"a{how.suffix}", how)
    seconds, missing, reading = heard(tmp_path / f"a{how.suffix}")
    assert seconds == pytest.approx(SECONDS, abs=0.13)
    assert (missing, reading.damage) == (0, ())
    assert rms(reading.load()) == pytest.approx(rms(wave), rel=0.15)
    if how.codec in ("flac", "alac", "pcm_s16le") or how.codec[:3] == "PCM":
        np.testing.assert_allclose(reading.load(), wave, atol=1e-4)
    assert reading.duration is None or reading.duration == pytest.approx(seconds, abs=0.05)
    assert audio.length(tmp_path / f"a{how.suffix}") == pytest.approx(seconds, abs=0.05)


@kinds
def test_the_suffix_does_not_matter(tmp_path: Path, how: Made) -> None:
    if how.suffix == ".gsm":
        pytest.skip("GSM begins with nothing of its own")
    made(tmp_path / "a.bin", how, 1.0)
    assert audio.length(tmp_path / "a.bin") == pytest.approx(1.0, abs=0.13)


def test_every_suffix_is_of_a_kind_that_is_tested() -> None:
    assert {suffix for kind in KINDS for suffix in kind.suffixes} == audio.SUFFIXES
    tested = {how.suffix for how in MADE}
    assert [kind.name for kind in KINDS if not tested & set(kind.suffixes)] == []


@kinds
def test_cut_off(tmp_path: Path, how: Made) -> None:
    path = tmp_path / f"a{how.suffix}"
    there = 4 * SECONDS if how.codec == "wavpack" else SECONDS  # FFmpeg writes blocks of 4 s
    made(path, how, there)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.6) - 1])
    try:
        seconds, missing, reading = heard(path)
    except AudioError as error:
        refused = how.container in ("ipod", "mp4", "mov", "3gp", "3g2", "f4v", "caf")
        if not refused or not ("table of contents" in error.reason or how.container == "caf"):
            raise
        return
    assert there * 0.3 < seconds < there * 0.75
    if how.container in ("SVX", "AVR", "PVF", "VOC"):
        return  # libsndfile, and in VOC FFmpeg, does not tell
    assert [damage.kind for damage in reading.damage][-1:] == ["cut"]
    if reading.damage[-1].seconds is not None:
        assert seconds + missing == pytest.approx(there, abs=0.13)
    with pytest.raises(AudioError, match="ends early"):
        list(audio.Reading(path, strict=True).blocks())


@kinds
@pytest.mark.parametrize("hole", ["zeros", "noise"])
def test_a_hole(tmp_path: Path, how: Made, hole: str) -> None:
    path = tmp_path / f"a{how.suffix}"
    made(path, how, 2 * SECONDS)
    data, size = bytearray(path.read_bytes()), 3000
    at = len(data) // 2
    data[at : at + size] = bytes(size) if hole == "zeros" else random.Random(1).randbytes(size)
    path.write_bytes(data)
    seconds, missing, reading = heard(path)
    told = any(name in how.codec for name in _UNTOLD)
    tolerance = 0.6 if "amr" in how.codec or how.suffix in (".voc",) else 0.15
    assert seconds + missing == pytest.approx(2 * SECONDS, abs=tolerance) or how.suffix in (".amr", ".rm", ".voc")
    assert reading.damage or told or how.container in ("avi", "mpegts", "rm")
    for damage in reading.damage:
        assert damage.at == pytest.approx(SECONDS, abs=4) or damage.kind == "cut"
        assert damage.seconds is None or 0 < damage.seconds < 5
