"""Headers that do not know, or do not tell, how long their recording is."""

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.errors import AudioError
from tests.audio.encode import encode
from tests.conftest import voice

WAVE = voice(2.0)
BYTES = len(WAVE) * 2
PLACEHOLDERS = [
    *(0, 0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000, 0x80000000, 0xFFFFFFFF - 36, 0x7FFFFFFF - 36),
    *(0x01000000, 0x3FFFF000, 2_000_000_000),
]
AFTER = {
    "chunk": b"LIST" + struct.pack("<I", 2000) + bytes(2000),
    "chunks": b"bext" + struct.pack("<I", 4001) + b"y" * 4001 + b"\0id3 " + struct.pack("<I", 900) + b"z" * 900,
    "id3v1": b"TAG" + b"x" * 125,
    "id3v2": b"ID3\x04\0\0\0\0\x07\x76" + b"x" * 1014,
}


def write(path: Path, container: str = "WAV", wave: np.ndarray = WAVE, subtype: str = "PCM_16") -> bytearray:
    soundfile.write(path, wave, 16_000, format=container, subtype=subtype)
    return bytearray(path.read_bytes())


def all_of_it(path: Path, wave: np.ndarray = WAVE, more: int = 0) -> None:
    reading = audio.Reading(path)
    loaded = reading.load()
    assert len(wave) <= len(loaded) <= len(wave) + more
    np.testing.assert_allclose(loaded[: len(wave)], wave, atol=1e-4)
    assert reading.damage == ()
    assert audio.duration(path) == pytest.approx(len(loaded) / 16_000)


@pytest.mark.parametrize(
    "size",
    [*PLACEHOLDERS, BYTES + 1, BYTES + 2, BYTES + 16, BYTES + 44, BYTES // 4, 64, 2],
    ids=hex,
)
@pytest.mark.parametrize("whole", ["follows", "placeholder"])
def test_wav(tmp_path: Path, size: int, whole: str) -> None:
    data = write(tmp_path / "a.wav")
    data[40:44] = struct.pack("<I", size)
    data[4:8] = struct.pack("<I", min(size + 36, 0xFFFFFFFF)) if whole == "follows" else b"\0\0\0\0"
    (tmp_path / "a.wav").write_bytes(data)
    all_of_it(tmp_path / "a.wav")


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, BYTES // 4, BYTES + 8 + 2])
def test_aiff(tmp_path: Path, size: int) -> None:
    data = write(tmp_path / "a.aiff", "AIFF")
    at = data.index(b"SSND") + 4
    data[at : at + 4] = struct.pack(">I", size)
    data[4:8] = b"\0\0\0\0"
    (tmp_path / "a.aiff").write_bytes(data)
    all_of_it(tmp_path / "a.aiff")


@pytest.mark.parametrize("size", [0, (1 << 64) - 1, 24, 24 + BYTES // 4, 24 + BYTES + 6])
def test_w64(tmp_path: Path, size: int) -> None:
    data = write(tmp_path / "a.w64", "W64")
    at = data.index(b"data\xf3") + 16
    data[at : at + 8] = struct.pack("<Q", size)
    (tmp_path / "a.w64").write_bytes(data)
    all_of_it(tmp_path / "a.w64", more=8)


@pytest.mark.parametrize("size", [-1, 4, BYTES // 4, BYTES + 40])
def test_caf(tmp_path: Path, size: int) -> None:
    data = write(tmp_path / "a.caf", "CAF")
    at = data.rindex(b"data") + 4
    data[at : at + 8] = struct.pack(">q", size)
    (tmp_path / "a.caf").write_bytes(data)
    all_of_it(tmp_path / "a.caf")


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFF, BYTES // 4])
def test_au(tmp_path: Path, size: int) -> None:
    data = write(tmp_path / "a.au", "AU")
    data[8:12] = struct.pack(">I", size)
    (tmp_path / "a.au").write_bytes(data)
    all_of_it(tmp_path / "a.au")


@pytest.mark.parametrize("size", [0, 0xFFFFFFFFFFFFFFFF, BYTES])
def test_rf64(tmp_path: Path, size: int) -> None:
    data = write(tmp_path / "a.wav", "RF64")
    at = data.index(b"ds64") + 16
    data[at : at + 8] = struct.pack("<Q", size)
    for name in (b"RF64", b"BW64"):
        data[:4] = name
        (tmp_path / "a.wav").write_bytes(data)
        all_of_it(tmp_path / "a.wav")


@pytest.mark.parametrize("after", AFTER)
def test_what_follows_the_samples_is_not_heard(tmp_path: Path, after: str) -> None:
    data = write(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_bytes(data + AFTER[after])
    all_of_it(tmp_path / "a.wav")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX", "AIFF", "AU", "CAF", "W64", "RF64", "NIST"])
def test_samples_are_those_of_libsndfile(tmp_path: Path, container: str, subtype: str) -> None:
    kind = {"PCM_U8": "PCM_S8"}.get(subtype, subtype) if container in ("AU", "CAF", "NIST") else subtype
    if kind not in soundfile.available_subtypes(container):
        pytest.skip("there is no such file")
    soundfile.write(tmp_path / "a", np.stack([WAVE, -WAVE], 1), 16_000, format=container, subtype=kind)
    right, _ = soundfile.read(tmp_path / "a", dtype="float32")
    right -= right.mean(axis=0) if kind in ("PCM_U8", "PCM_S8") else 0  # a rounding that is an offset
    whole = audio.Reading(tmp_path / "a", channels=1).load()
    np.testing.assert_allclose(whole, right[:, 0], atol=1e-4 if "8" in kind else 1e-6)
    span = audio.Reading(tmp_path / "a", channels=2).load(start=0.5, end=1.5)
    np.testing.assert_allclose(span, right[8000:24000, 1], atol=1e-4 if "8" in kind else 1e-6)


def test_a_wav_that_is_really_empty(tmp_path: Path) -> None:
    data = write(tmp_path / "a.wav", wave=WAVE[:0])
    (tmp_path / "a.wav").write_bytes(data + AFTER["chunk"])
    with pytest.raises(AudioError, match="it holds no samples"):
        audio.load(tmp_path / "a.wav")


def test_compressed_wav_without_a_size(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    encode(path, "wav", "adpcm_ms", WAVE, 16_000)
    right = audio.load(path)
    for size in (0, 0xFFFFFFFF, 5_000):
        data = bytearray(path.read_bytes())
        at = data.index(b"data") + 4
        data[at : at + 4] = struct.pack("<I", size)
        (tmp_path / "b.wav").write_bytes(data)
        np.testing.assert_allclose(audio.load(tmp_path / "b.wav"), right, atol=1e-6)


@pytest.mark.parametrize("total", [0, 16_000 * 36_000, 8_000])
def test_flac(tmp_path: Path, total: int) -> None:
    path = tmp_path / "a.flac"
    data = write(path, "FLAC")
    data[21:26] = bytes([data[21] & 0xF0, *struct.pack(">I", total)])
    path.write_bytes(data)
    assert audio.duration(path) is None
    assert audio.length(path) == pytest.approx(2.0)
    np.testing.assert_allclose(audio.load(path)[:32_000], WAVE, atol=1e-4)
    np.testing.assert_allclose(audio.load(path, 0.5, 1.0), WAVE[8_000:16_000], atol=1e-4)


@pytest.mark.parametrize("container", ["webm", "matroska", "flv"])
def test_without_a_duration(tmp_path: Path, container: str) -> None:
    path = tmp_path / "a"
    with open(path, "wb") as file:  # what is written to a pipe cannot be completed later

        class Pipe:
            def write(self, data: bytes) -> int:
                return file.write(data)

        import av

        from tests.audio.encode import add

        codec, rate = ("aac", 44_100) if container == "flv" else ("libopus", 48_000)
        with av.open(Pipe(), "w", format=container) as out:
            add(out, codec, voice(2.0, rate=rate), rate)
    assert audio.duration(path) is None
    assert audio.length(path) == pytest.approx(2.0, abs=0.1)
    assert audio.Reading(path).damage == ()


@pytest.mark.parametrize("xing", ["0", "1"])
def test_mp3_of_variable_bit_rate(tmp_path: Path, xing: str) -> None:
    path = tmp_path / "a.mp3"
    loud = np.concatenate([voice(6.0, rate=44_100), np.zeros(44_100 * 20, np.float32)])
    import av

    from tests.audio.encode import track

    with av.open(str(path), "w", format="mp3", options={"write_xing": xing}) as out:
        stream, frames = track(out, "libmp3lame", loud, 44_100, quality=2)
        for frame in frames:
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert audio.length(path) == pytest.approx(26.0, abs=0.1)
    known = audio.duration(path)
    assert known is None if xing == "0" else known == pytest.approx(26.0, abs=0.01)
    assert audio.Reading(path).damage == ()
