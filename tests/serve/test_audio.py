"""What is sent as audio is what browsers play, whole, by ranges, and once."""

import email.utils
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import httpx2
import numpy as np
import pytest
import soundfile

from tests.conftest import voice
from tests.serve.conftest import SAMPLES, Served, serving

WAVE = np.concatenate([voice(3.0, 130, 1), np.zeros(16_000, np.float32), voice(4.0, 210, 2)])

#: A recording as libsndfile writes it: suffix, container, codec, and how it is sent.
WRITTEN = {
    "plain": ("wav", "WAV", "PCM_16", "audio/wav"),
    "float": ("wav", "WAV", "FLOAT", "audio/wav"),
    "ulaw": ("wav", "WAV", "ULAW", "audio/wav"),
    "gsm": ("wav", "WAV", "GSM610", None),
    "adpcm": ("wav", "WAV", "IMA_ADPCM", None),
    "double": ("wav", "WAV", "DOUBLE", None),
    "flac": ("flac", "FLAC", "PCM_16", "audio/flac"),
    "flac-called-wav": ("wav", "FLAC", "PCM_16", "audio/flac"),
    "vorbis": ("ogg", "OGG", "VORBIS", "audio/ogg"),
    "opus-called-mp3": ("mp3", "OGG", "OPUS", "audio/ogg"),
    "mp3": ("mp3", "MP3", "MPEG_LAYER_III", "audio/mpeg"),
    "caf": ("caf", "CAF", "PCM_16", None),
    "aiff-called-wav": ("wav", "AIFF", "PCM_16", None),
}
#: The same by FFmpeg: suffix, container, codec, rate, and how it is sent.
MUXED = {
    "aac": ("m4a", "mp4", "aac", 16_000, "audio/mp4"),
    "aac-called-wav": ("wav", "mp4", "aac", 16_000, "audio/mp4"),
    "alac": ("m4a", "mp4", "alac", 16_000, None),
    "webm": ("webm", "webm", "libopus", 48_000, "audio/webm"),
    "matroska": ("webm", "matroska", "pcm_s16le", 16_000, None),
}
SENT = {name: kind for name, (*_, kind) in {**WRITTEN, **MUXED}.items()}


def muxed(path: Path, container: str, codec: str, rate: int) -> None:
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray((WAVE * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format=stream.codec_context.format, layout="mono", rate=rate)
        for piece in (*resampler.resample(frame), *resampler.resample(None)):
            piece.pts = None
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


def every_kind(root: Path) -> None:
    shutil.copy(SAMPLES / "story-ben.ogg", root / "long.ogg")
    for name, (suffix, container, codec, _) in WRITTEN.items():
        soundfile.write(root / f"{name}.{suffix}", WAVE, 16_000, format=container, subtype=codec)
    for name, (suffix, container, codec, rate, _) in MUXED.items():
        muxed(root / f"{name}.{suffix}", container, codec, rate)


@pytest.fixture(scope="module")
def sounds(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("sounds"), tiny_model, every_kind) as one:
        yield one


def segments_of(served: Served, name: str) -> list[dict[str, object]]:
    page = served.client.get("/api/segments", params={"where": f"file like '{name}.%'"}).json()
    assert page["segments"], name
    return page["segments"]


def url_of(served: Served, name: str) -> str:
    return f"/api/segments/{segments_of(served, name)[-1]['id']}/audio"


def heard(response: httpx2.Response) -> tuple[np.ndarray, int]:
    wave, rate = soundfile.read(io.BytesIO(response.content))
    return wave, rate


@pytest.mark.parametrize("name", SENT)
def test_browsers_get_a_codec_that_they_play(sounds: Served, name: str) -> None:
    response = sounds.client.get(url_of(sounds, name))
    (file,) = sounds.root.glob(f"{name}.*")
    assert response.headers["content-type"] == SENT[name] or (SENT[name], response.headers["content-type"]) == (
        None,
        "audio/wav",
    )
    assert (response.content == file.read_bytes()) == (SENT[name] is not None)
    assert len(response.content) == int(response.headers["content-length"])
    if SENT[name] is None:
        wave, rate = heard(response)
        assert (rate, soundfile.info(io.BytesIO(response.content)).subtype) == (16_000, "PCM_16")
        end = segments_of(sounds, name)[-1]["end"]
        assert len(wave) == pytest.approx(end * rate, abs=rate * 0.02)  # in the same times as everywhere else
        shared = min(len(wave), len(WAVE))  # some codecs fill up their last block
        assert np.corrcoef(wave[:shared], WAVE[:shared])[0, 1] > 0.95


@pytest.mark.parametrize("name", ["aiff-called-wav", "long"])
def test_ranges_are_parts_of_the_whole(sounds: Served, name: str) -> None:
    url = url_of(sounds, name)
    whole = sounds.client.get(url).content
    size = len(whole)
    for asked, part in [
        ("bytes=0-0", whole[:1]),
        ("bytes=0-43", whole[:44]),
        ("bytes=100-299", whole[100:300]),
        ("bytes=101-300", whole[101:301]),
        ("bytes=40-60", whole[40:61]),
        (f"bytes={size // 2}-", whole[size // 2 :]),
        (f"bytes={size - 5}-", whole[-5:]),
        ("bytes=-7", whole[-7:]),
        (f"bytes=-{size * 2}", whole),
        (f"bytes=10-{size * 9}", whole[10:]),
    ]:
        response = sounds.client.get(url, headers={"Range": asked})
        assert (response.status_code, response.content) == (206, part), asked
        first = size - len(part) if asked.startswith("bytes=-") else int(asked[6:].split("-")[0])
        assert response.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/{size}"
    for asked in (f"bytes={size}-", "bytes=9-3", "bytes=-0"):
        response = sounds.client.get(url, headers={"Range": asked})
        assert (response.status_code, response.headers["content-range"]) == (416, f"bytes */{size}"), asked
        assert response.json()["error"]["code"] == "bad_range"
    for asked in ("bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=-", "", "bytes=" + "9" * 5000 + "-"):
        assert sounds.client.get(url, headers={"Range": asked}).content == whole, asked


@pytest.mark.parametrize("name", ["aiff-called-wav", "adpcm", "alac"])
def test_ranges_of_what_is_decoded_continue_it(sounds: Served, name: str) -> None:
    url = url_of(sounds, name)
    whole = sounds.client.get(url).content
    for first in (44, 101, 50_000, 151_111, len(whole) - 20_001):
        part = sounds.client.get(url, headers={"Range": f"bytes={first}-"}).content
        assert len(part) == len(whole) - first
        odd = first % 2
        wave, expected = (np.frombuffer(some[odd : odd + 20_000], "<i2") for some in (part, whole[first:]))
        assert np.abs(wave.astype(int) - expected).max() < 300, first


@pytest.mark.parametrize("name", ["gsm", "long"])
def test_what_a_client_has_is_not_sent_again(sounds: Served, name: str) -> None:
    url = url_of(sounds, name)
    whole = sounds.client.get(url)
    etag, modified = whole.headers["etag"], whole.headers["last-modified"]
    assert etag.startswith('"' if name == "long" else 'W/"')  # decoded anew it may differ in a bit
    (file,) = sounds.root.glob(f"{name}.*")
    assert email.utils.parsedate_to_datetime(modified).timestamp() == pytest.approx(file.stat().st_mtime, abs=1.1)
    for asked in ({"If-None-Match": etag}, {"If-None-Match": f'"other", {etag}'}, {"If-Modified-Since": modified}):
        response = sounds.client.get(url, headers=asked)
        assert (response.status_code, response.content) == (304, b""), asked
        assert response.headers["etag"] == etag
    fresh = sounds.client.get(url, headers={"If-None-Match": '"other"', "If-Modified-Since": modified})
    assert fresh.status_code == 200
    part = 206 if name == "long" else 200
    for same, status in ((etag, part), (modified, part), ('"other"', 200), (f"W/{etag}", 200)):
        response = sounds.client.get(url, headers={"Range": "bytes=5-9", "If-Range": same})
        assert (response.status_code, len(response.content)) == (status, 5 if status == 206 else len(whole.content))


@pytest.mark.parametrize("name", ["gsm", "long"])
def test_head_tells_what_get_would(sounds: Served, name: str) -> None:
    url = url_of(sounds, name)
    for headers in ({}, {"Range": "bytes=5-9"}, {"Range": "bytes=999999999-"}):
        got, told = sounds.client.get(url, headers=headers), sounds.client.head(url, headers=headers)
        assert (told.status_code, told.content) == (got.status_code, b"")
        assert dict(told.headers) == dict(got.headers)


def test_head_is_answered_everywhere(sounds: Served) -> None:
    for path in ("/", "/static/page.js", "/api/health", "/api/index", "/api/plane", "/openapi.json"):
        got, told = sounds.client.get(path), sounds.client.head(path)
        assert (told.status_code, told.content) == (200, b""), path
        assert told.headers["content-length"] == got.headers["content-length"], path
    assert sounds.client.head("/api/search").status_code == 405


def test_the_plane_is_sent_once(sounds: Served) -> None:
    etag = sounds.client.get("/api/plane").headers["etag"]
    assert sounds.client.get("/api/plane", headers={"If-None-Match": etag}).status_code == 304


def test_what_cannot_be_decoded_any_more_is_silence(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one(root: Path) -> None:
        soundfile.write(root / "old.aiff", WAVE, 16_000)

    with serving(tmp_path, tiny_model, one) as served:
        real: Callable[..., Iterator[np.ndarray]] = __import__("emorank.audio", fromlist=["blocks"]).blocks

        def broken(path: str, start: float = 0.0, channel: object = None) -> Iterator[np.ndarray]:
            yield next(iter(real(path, start)))[:16_000]
            raise OSError("the disk is gone")

        monkeypatch.setattr("emorank.serve.recordings.blocks", broken)
        response = served.client.get(url_of(served, "old"))
        wave, _ = heard(response)
        assert len(response.content) == int(response.headers["content-length"])
        assert np.abs(wave[:16_000] - WAVE[:16_000]).max() < 1e-3
        assert not wave[16_000:].any()


def test_a_channel_is_heard_on_its_own(tiny_model: Path, tmp_path: Path) -> None:
    ann, ben = voice(3.0, 220, 3), voice(3.0, 110, 4)

    def call(root: Path) -> None:
        quiet = np.zeros(16_000, np.float32)
        both = np.stack([np.concatenate([ann, quiet, quiet, ann]), np.concatenate([quiet, ben, ben, quiet])], 1)
        soundfile.write(root / "call.wav", both, 16_000)

    with serving(tmp_path, tiny_model, call, "each") as served:
        wave, _ = soundfile.read(served.root / "call.wav")
        segments = segments_of(served, "call")
        assert {segment["channel"] for segment in segments} == {1, 2}
        etags = set()
        for segment in segments:
            response = served.client.get(f"/api/segments/{segment['id']}/audio")
            assert response.headers["content-type"] == "audio/wav"
            etags.add(response.headers["etag"])
            sound, _ = heard(response)
            likeness = [np.corrcoef(sound, wave[: len(sound), channel])[0, 1] for channel in (0, 1)]
            assert int(np.argmax(likeness)) + 1 == segment["channel"]
            assert max(likeness) > 0.95
        assert len(etags) == 2
        course = served.client.get(f"/api/segments/{segments[0]['id']}/timeline").json()
        assert {one["id"]: one["channel"] for one in course["segments"]} == {
            one["id"]: one["channel"] for one in segments
        }
        assert course["seconds"] == max(one["end"] for one in segments)


def test_one_channel_heard_as_one_is_sent_as_it_is(sounds: Served) -> None:
    for segment in segments_of(sounds, "plain"):
        assert (segment["channel"], segment["damage"]) == (None, None)


def test_damage_is_told(tiny_model: Path, tmp_path: Path) -> None:
    def torn(root: Path) -> None:
        soundfile.write(root / "torn.flac", WAVE, 16_000)
        content = (root / "torn.flac").read_bytes()
        (root / "torn.flac").write_bytes(content[: len(content) * 3 // 4])

    with serving(tmp_path, tiny_model, torn) as served:
        assert all(str(segment["damage"]) for segment in segments_of(served, "torn"))
        assert segments_of(served, "torn")[0]["damage"] is not None
