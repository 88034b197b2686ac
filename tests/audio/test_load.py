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


@pytest.mark.parametrize("suffix", ["m4a", "mp4", "webm"])
def test_media_containers(tmp_path: Path, suffix: str) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / f"a.{suffix}"
    wave = voice(1.0, rate=48_000)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libopus" if suffix == "webm" else "aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    loaded = audio.load(path)
    assert len(loaded) == pytest.approx(16_000, abs=1200)
    assert np.sqrt(np.mean(loaded**2)) == pytest.approx(np.sqrt(np.mean(wave**2)), rel=0.1)
    assert len(audio.load(path, 0.25, 0.75)) == pytest.approx(8000, abs=2)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A " + b"\0" * 100)
    monkeypatch.setitem(sys.modules, "av", None)
    assert refusal(path) == "m4a files need the media extra; run: pip install 'emorank[media]'"


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


def test_channels_are_averaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    left, right = voice(0.5, seed=1), voice(0.5, seed=2)
    soundfile.write(path, np.stack([left, right], 1), 16_000, subtype="FLOAT")
    np.testing.assert_allclose(audio.load(path), (left + right) / 2, atol=1e-6)


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


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_truncated(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    write(path, 5.0)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "truncated" in refusal(path)


def test_a_wav_without_its_sizes_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wave = write(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(data)
    np.testing.assert_allclose(audio.load(path), wave, atol=1e-4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(tmp_path: Path, bad: float) -> None:
    wave = voice(0.5)
    wave[1000] = bad
    soundfile.write(tmp_path / "a.wav", wave, 16_000, subtype="FLOAT")
    assert "NaN or infinite" in refusal(tmp_path / "a.wav")


@pytest.mark.parametrize(("rate", "channels"), [(1, 1), (4_000_000_000, 1), (16_000, 60_000)])
def test_absurd_headers(tmp_path: Path, rate: int, channels: int) -> None:
    path = tmp_path / "a.wav"
    write(path, 0.1)
    data = bytearray(path.read_bytes())
    data[22:24] = struct.pack("<H", channels)
    data[24:28] = struct.pack("<I", rate)
    path.write_bytes(data)
    assert refusal(path)


def test_ten_hours_in_a_header_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    write(path, 0.5)
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] & 0xF0, *struct.pack(">I", 16_000 * 36_000)])  # total samples of STREAMINFO
    path.write_bytes(data)
    assert "truncated" in refusal(path)


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


@pytest.mark.parametrize("suffix", [".m4a", ".ts", ".mp4", ".wav", ".webm"])
@pytest.mark.parametrize(
    "playlist",
    [
        "ffconcat version 1.0\nfile secret.wav\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nsecret.wav\n#EXT-X-ENDLIST\n",
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>secret.wav</BaseURL></MPD>',
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
        "[playlist]\nFile1=secret.wav\n",
    ],
)
def test_a_list_of_files_never_opens_them(tmp_path: Path, suffix: str, playlist: str) -> None:
    soundfile.write(tmp_path / "secret.wav", voice(0.5), 16_000)
    named = tmp_path / f"innocent{suffix}"
    named.write_text(playlist)
    with pytest.raises(AudioError, match="it is not audio, or damaged beyond decoding"):
        audio.load(named)


@pytest.mark.parametrize(
    ("container", "codec", "suffix"),
    [
        ("mp4", "aac", ".m4a"),
        ("mov", "aac", ".mov"),
        ("3gp", "aac", ".3gp"),
        ("webm", "libopus", ".webm"),
        ("matroska", "libopus", ".mka"),
        ("adts", "aac", ".aac"),
        ("asf", "mp2", ".wma"),
        ("avi", "mp2", ".avi"),
        ("mpegts", "aac", ".ts"),
        ("mpeg", "mp2", ".mpg"),
        ("ac3", "ac3", ".ac3"),
    ],
)
def test_containers_of_the_media_extra(tmp_path: Path, container: str, codec: str, suffix: str) -> None:
    av = pytest.importorskip("av")
    rate = 48_000
    wave = np.clip(voice(1.0, rate=rate), -1, 1)
    path = tmp_path / f"clip{suffix}"
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((wave * 32_767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or 1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    heard = audio.load(path)
    assert len(heard) / 16_000 == pytest.approx(1.0, abs=0.15)
    assert 0.5 < np.sqrt(np.mean(heard**2)) / np.sqrt(np.mean(wave**2)) < 1.5


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
