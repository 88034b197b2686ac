"""One decoder: any rate, any container, any span; every fault has its sentence."""

import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emorank import audio
from emorank.errors import AudioError
from tests.conftest import voice


def write(path: Path, seconds: float = 1.0, rate: int = 16_000, channels: int = 1, **options: str) -> np.ndarray:
    wave = voice(seconds, rate=rate)
    soundfile.write(path, np.stack([wave] * channels, 1) if channels > 1 else wave, rate, **options)
    return wave


def refusal(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        audio.load(path)
    assert str(path) in str(caught.value)
    return caught.value.reason


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "opus", "mp3", "aiff"])
def test_containers(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    options = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    wave = write(path, **options)
    loaded = audio.load(path)
    assert loaded.dtype == np.float32
    assert loaded.ndim == 1
    assert abs(len(loaded) - len(wave)) <= 2400  # mp3 pads
    assert audio.duration(path) == pytest.approx(len(loaded) / 16_000, abs=0.05)
    if suffix in {"wav", "flac", "aiff"}:
        np.testing.assert_allclose(loaded, wave, atol=1e-4)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_rates(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.wav"
    time = np.arange(2 * rate) / rate
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    loaded = audio.load(path)
    assert abs(len(loaded) - 32_000) <= 1
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(loaded)) / 16_000)
    np.testing.assert_allclose(loaded[2000:-2000], expected[2000:-2000], atol=2e-3)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_sample_types_have_one_range(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    wave = write(path, subtype=subtype)
    np.testing.assert_allclose(audio.load(path), wave, atol=1e-2 if subtype == "PCM_U8" else 1e-4)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_span_is_the_same_as_in_the_whole(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "a.flac"
    write(path, 3.0, rate)
    whole, span = audio.load(path), audio.load(path, 1.0, 2.5)
    assert abs(len(span) - 24_000) <= 1
    inner = slice(200, 23_800)
    np.testing.assert_allclose(span[inner], whole[16_000:40_000][inner], atol=2e-3)


def test_blocks_join_without_a_seam(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    wave = write(path, 65.0, 22_050)
    pieces = list(audio.blocks(path))
    assert len(pieces) >= 2
    import soxr

    stored, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(np.concatenate(pieces), soxr.resample(stored, 22_050, 16_000), atol=1e-4)
    assert len(wave) == 65 * 22_050


def test_names_in_any_script(tmp_path: Path) -> None:
    for name in ["голос", "声音", "صوت", "ton à l'été 🎙", "-rf *", "a\nb"]:
        path = tmp_path / f"{name}.wav"
        write(path, 0.1)
        assert len(audio.load(path)) == 1600


def test_faults_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    assert "empty" in refusal(tmp_path / "empty.wav")
    (tmp_path / "text.wav").write_text("this is not audio " * 100)
    assert "not audio" in refusal(tmp_path / "text.wav")
    assert "directory" in refusal(tmp_path)
    assert "no such file" in refusal(tmp_path / "none.wav")
    os.mkfifo(tmp_path / "pipe.wav")
    assert "not a regular file" in refusal(tmp_path / "pipe.wav")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    assert "cannot be opened" in refusal(tmp_path / "loop.wav")
    soundfile.write(tmp_path / "zero.wav", np.zeros(0, np.float32), 16_000)
    assert "no samples" in refusal(tmp_path / "zero.wav")


@pytest.mark.parametrize(("rate", "channels"), [(1, 1), (4_000_000_000, 1), (16_000, 60_000)])
def test_absurd_headers(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "a.wav"
    write(path, 0.1)
    data = bytearray(path.read_bytes())
    data[22:24] = struct.pack("<H", channels)
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    assert refusal(path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become someone without permission")
def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    write(path, 0.1)
    path.chmod(0)
    code = (
        "import os; from emorank import audio; os.setuid(65534)\n"
        f"try: audio.check_file({str(path)!r})\nexcept Exception as e: print(e)"
    )
    for folder in [tmp_path, *list(tmp_path.parents)[:-1]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "no permission" in printed


def test_an_empty_span_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", 1.0)
    with pytest.raises(AudioError, match="empty or negative"):
        audio.load(tmp_path / "a.wav", 0.5, 0.5)
    with pytest.raises(AudioError, match="no samples after 3 s"):
        audio.load(tmp_path / "a.wav", 3.0)


def test_many_threads_never_close_each_others_files(tmp_path: Path) -> None:
    write(tmp_path / "good.wav", 0.1)
    (tmp_path / "bad.wav").write_bytes(b"not audio " * 50)

    def read(index: int) -> int:
        try:
            return len(audio.load(tmp_path / ("bad.wav" if index % 2 else "good.wav")))
        except AudioError:
            return -1

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(600))) == [1600, -1] * 300


@pytest.mark.parametrize("suffix", [".flac", ".m4a"])
def test_an_abandoned_recording_is_closed(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    if suffix == ".flac":
        soundfile.write(path, voice(90), 16_000)
    else:
        av = pytest.importorskip("av")
        with av.open(str(path), "w", format="mp4") as out:
            stream = out.add_stream("aac", rate=16_000, layout="mono")
            frame = av.AudioFrame.from_ndarray((voice(90) * 20_000).astype(np.int16)[None], format="s16", layout="mono")
            frame.sample_rate = 16_000
            for piece in av.AudioResampler(stream.format, "mono", 16_000, frame_size=1024).resample(frame):
                out.mux(stream.encode(piece))
            out.mux(stream.encode(None))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(20):
        pieces = audio.blocks(path)
        next(pieces)
        del pieces
    assert (len(os.listdir("/proc/self/fd")) if before else 0) <= before
