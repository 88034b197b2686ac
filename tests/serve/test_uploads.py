"""Uploads: what is no audio is refused in a sentence, whatever it is, and costs neither memory nor descriptors."""

import io
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import numpy as np
import pytest
import soundfile

from emorank.serve.limits import Limits
from tests.conftest import voice
from tests.serve.conftest import Served, memory, server, started_last

FORMATS = {"wav": "PCM_16", "flac": "PCM_16", "ogg": "VORBIS", "aiff": "PCM_16", "mp3": "MPEG_LAYER_III"}


def clip(format: str = "wav", seconds: float = 0.5, subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, voice(seconds), 16_000, format=format.upper(), subtype=subtype or FORMATS[format])
    return file.getvalue()


def header(frames: int, rate: int = 16_000, channels: int = 1, bits: int = 16) -> bytes:
    """The beginning of a wav that promises so many frames."""
    size = min(frames * channels * bits // 8, 0xFFFFFFF0)
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, min(rate * block, 0xFFFFFFFF), min(block, 0xFFFF), bits)
    return (
        b"RIFF"
        + struct.pack("<I", min(size + 36, 0xFFFFFFFF))
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + b"data"
        + struct.pack("<I", size)
    )


def bomb(seconds: float, format: str) -> bytes:
    """Hours of silence in a few kilobytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 16_000, 1, format=format) as out:
        for _ in range(int(seconds / 60)):
            out.write(np.zeros(16_000 * 60, np.float32))
    return file.getvalue()


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("clip.wav", bytes(50_000_000))
    return file.getvalue()


def nans() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, np.full(8000, np.nan, np.float32), 16_000, format="WAV", subtype="FLOAT")
    return file.getvalue()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"not audio at all, but long enough to be looked at " * 20,
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + bytes(5000),
    "a zip bomb": zipped,
    "NaN samples": nans,
    "a header alone": lambda: header(16_000),
    "absurd channels": lambda: header(16_000, channels=30_000) + bytes(4000),
    "absurd rate": lambda: header(16_000, rate=4_000_000_000) + bytes(4000),
    "no rate": lambda: header(16_000, rate=0) + bytes(4000),
    "a playlist": lambda: b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "a concatenation": lambda: b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a session description": lambda: b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
    "truncated mp4": lambda: b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00M4A mp42isom" + b"\x00\x00\x00\x08free" * 40,
    "truncated matroska": lambda: b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_audio_is_refused(served: Served, kind: str) -> None:
    response = served.client.post("/api/locate", content=HOSTILE[kind]())
    assert response.status_code in (413, 415), response.text
    error = response.json()["error"]
    assert error["code"] in ("bad_audio", "too_long")
    assert "\n" not in error["message"]
    assert "/tmp" not in error["message"]
    assert "passwd" not in error["message"]


def test_a_header_that_promises_hours_is_believed_as_far_as_samples_are_there(served: Served) -> None:
    place = served.client.post("/api/locate", content=header(36_000 * 16_000) + clip()[44:]).json()
    assert place["seconds"] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("format", FORMATS)
def test_real_formats_are_heard(served: Served, format: str) -> None:
    place = served.client.post("/api/locate", content=clip(format)).json()
    assert 1 <= place["valence"] <= 7
    assert place["seconds"] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize("format", ["FLAC", "OGG"])
def test_hours_in_few_bytes_are_not_decoded(served: Served, format: str) -> None:
    content = bomb(3600, format)
    assert len(content) < 2_000_000
    response = served.client.post("/api/search/clip", content=content)
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_long")


def test_too_large_is_refused_before_it_is_all_there(served: Served) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 10 * Limits().upload_bytes:
            sent += 1_000_000
            yield bytes(1_000_000)

    response = served.client.post("/api/locate", content=endless())
    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_large")


def mutated(rng: random.Random, originals: list[bytes]) -> bytes:
    """A real recording after an accident."""
    data = bytearray(rng.choice(originals))
    kind = rng.randrange(6)
    if kind == 0:
        return bytes(data[: rng.randrange(len(data))])
    if kind == 1:
        for _ in range(rng.randrange(1, 40)):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == 2:
        for _ in range(rng.randrange(1, 12)):
            data[rng.randrange(min(64, len(data)))] = rng.randrange(256)
    elif kind == 3:
        at = rng.randrange(len(data))
        data[at:at] = rng.randbytes(rng.randrange(1, 300))
    elif kind == 4:
        at = rng.randrange(len(data))
        del data[at : at + rng.randrange(1, 300)]
    else:
        return rng.randbytes(rng.randrange(2000))
    return bytes(data)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_flood_of_malformed_uploads_leaves_the_server_as_it_was(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 with EMORANK_FLOOD=10000; the suite has a few hundred."""
    count = int(os.environ.get("EMORANK_FLOOD", "400"))
    rng = random.Random(7)
    originals = [clip(format, 0.3) for format in FORMATS] + [make() for make in HOSTILE.values() if make is not zipped]
    originals = [content for content in originals if content]
    monkeypatch.setenv("EMORANK_DATA", str(served.root.parent / "data"))
    with server("calls") as address, httpx2.Client(base_url=address, timeout=60) as client:
        pid = started_last()
        statuses: dict[int, int] = {}
        for _ in range(50):
            client.post("/api/locate", content=mutated(rng, originals))
        files = len(os.listdir(f"/proc/{pid}/fd"))
        before = memory(pid)
        for i in range(count):
            path = "/api/search/clip?top=2" if i % 2 else "/api/locate"
            response = client.post(path, content=mutated(rng, originals))
            statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
            assert response.status_code in (200, 413, 415), response.text
        assert len(os.listdir(f"/proc/{pid}/fd")) <= files + 3
        assert memory(pid) < 2 * 1024**3
        assert memory(pid) - before < 300 * 1024**2
        assert statuses[415] > count / 3
        assert client.get("/api/health").status_code == 200
    print(statuses, before // 2**20, "MiB")
