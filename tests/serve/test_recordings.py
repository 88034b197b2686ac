"""Whole recordings: their course, their segments, how they look, and who may see that."""

import os
import shutil
import struct
import time
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.audio.bins import BANDS
from emorank.index.segments import recording_id
from emorank.serve import outlines
from emorank.serve.app import create_app
from emorank.serve.limits import Limits
from emorank.serve.outlines import Outlines
from tests.conftest import voice
from tests.serve.conftest import Served, serving


def address(served: Served, file: str) -> str:
    return f"/api/recordings/{recording_id(str(served.root / file))}"


def drawn(response: httpx2.Response, bins: int) -> tuple[np.ndarray, np.ndarray]:
    assert response.status_code == 200, response.text
    assert len(response.content) == bins * (4 + BANDS)
    peaks = np.array(struct.unpack(f"<{2 * bins}h", response.content[: 4 * bins])).reshape(-1, 2)
    return peaks, np.frombuffer(response.content[4 * bins :], np.uint8).reshape(-1, BANDS)


def ready(get: Callable[[], httpx2.Response]) -> httpx2.Response:
    """The answer once the whole is outlined."""
    until = time.monotonic() + 20
    while "etag" not in (response := get()).headers:
        assert response.status_code == 200, response.text
        assert response.headers["cache-control"] == "no-store"
        assert time.monotonic() < until
        time.sleep(0.02)
    return response


def test_a_recording_is_what_its_segments_are(served: Served) -> None:
    page = served.client.get("/api/segments", params={"where": "file = 'long.ogg'"}).json()
    own = page["segments"]
    about = served.client.get(address(served, "long.ogg")).json()
    assert {segment["recording"] for segment in own} == {about["id"]}
    assert (about["file"], about["path"]) == ("long.ogg", "recordings/long.ogg")
    assert about["moments"] == own[0]["moments"] == len(own)
    assert about["seconds"] == pytest.approx(max(one["end"] for one in own), abs=0.01)
    assert (about["labels"], about["damage"]) == (own[0]["labels"], None)
    (only,) = about["voices"]
    assert (only["channel"], only["speaker"], only["segment"]) == (None, own[0]["labels"]["speaker"], own[0]["id"])
    assert only["speech"] == pytest.approx(sum(one["duration"] for one in own), abs=0.2)
    assert str(served.root) not in served.client.get(address(served, "long.ogg")).text


def test_the_course_is_that_of_the_segments(served: Served) -> None:
    own = served.client.get("/api/segments", params={"where": "file = 'long.ogg'"}).json()["segments"]
    one = own[1]
    part = {"start": one["start"], "end": one["end"], "bins": 3}
    (line,) = served.client.get(f"{address(served, 'long.ogg')}/course", params=part).json()["voices"]
    for name in ("valence", "arousal", "dominance"):
        for kind in ("low", "mean", "high"):
            assert line[name][kind] == [pytest.approx(one[name], abs=0.011)] * 3
    whole = served.client.get(f"{address(served, 'long.ogg')}/course?bins=1").json()
    assert (whole["start"], whole["end"]) == (0, pytest.approx(max(one["end"] for one in own), abs=0.01))
    (line,) = whole["voices"]
    assert line["arousal"]["low"] == [pytest.approx(min(one["arousal"] for one in own), abs=0.011)]
    assert line["arousal"]["high"] == [pytest.approx(max(one["arousal"] for one in own), abs=0.011)]
    far = served.client.get(f"{address(served, 'long.ogg')}/course?start=5000&end=6000&bins=2").json()
    assert far["voices"][0]["valence"]["mean"] == [None, None]


def test_segments_of_a_part(served: Served) -> None:
    own = served.client.get("/api/segments", params={"where": "file = 'long.ogg'"}).json()["segments"]
    url = f"{address(served, 'long.ogg')}/segments"
    assert [one["id"] for one in served.client.get(url).json()["segments"]] == [one["id"] for one in own]
    start, end = own[1]["start"] + 0.1, own[2]["start"] + 0.1
    part = served.client.get(url, params={"start": start, "end": end}).json()
    assert [one["id"] for one in part["segments"]] == [own[1]["id"], own[2]["id"]]
    assert part["total"] == 2
    assert served.client.get(url, params={"start": 1e6}).json() == {"total": 0, "segments": []}


def test_a_search_in_one_recording(served: Served) -> None:
    about = served.client.get(address(served, "long.ogg")).json()
    asked: dict[str, Any] = {"texts": [{"text": "calm"}], "top": 200}
    every = served.client.post("/api/search", json=asked).json()["hits"]
    own = served.client.post("/api/search", json={**asked, "recording": about["id"]}).json()
    assert own["total"] == about["moments"]
    assert own["hits"] == [hit for hit in every if hit["recording"] == about["id"]]  # ranks are those of the index
    both = {"where": "duration > 3", "recording": about["id"]}
    found = served.client.post("/api/search", json=both).json()["hits"]
    assert 0 < len(found) < about["moments"]
    gone = served.client.post("/api/search", json={**asked, "recording": "0" * 16})
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")


def test_the_sound_of_a_part_is_what_is_in_the_file(served: Served) -> None:
    wave, _ = soundfile.read(served.root / "clip002.wav", dtype="float32")
    url = f"{address(served, 'clip002.wav')}/sound"
    response = served.client.get(url, params={"end": 0.5, "bins": 50})
    peaks, bands = drawn(response, 50)
    for place, (low, high) in enumerate(peaks / 32767):
        part = wave[place * 160 : (place + 1) * 160]
        assert (low, high) == (pytest.approx(part.min(), abs=1e-4), pytest.approx(part.max(), abs=1e-4))
    assert bands.max() > 100
    assert float(response.headers["x-seconds"]) == pytest.approx(len(wave) / 16_000, abs=1e-3)
    etag = response.headers["etag"]
    assert served.client.get(url, params={"end": 0.5, "bins": 50}, headers={"If-None-Match": etag}).status_code == 304
    assert served.client.get(url, params={"end": 0.6, "bins": 50}).headers["etag"] != etag


def test_a_long_part_is_drawn_while_it_is_decoded(served: Served) -> None:
    wave, rate = soundfile.read(served.root / "long.ogg", dtype="float32")
    wave = wave.clip(-1, 1)
    url = f"{address(served, 'long.ogg')}/sound?end=200&bins=200"
    peaks, _ = drawn(ready(lambda: served.client.get(url)), 200)
    for place in range(int(len(wave) / rate)):
        part = wave[place * rate : (place + 1) * rate]
        assert peaks[place] / 32767 == pytest.approx([part.min(), part.max()], abs=2e-3)
    assert not peaks[47:].any()
    assert float(served.client.get(url).headers["x-seconds"]) == pytest.approx(len(wave) / rate, abs=0.05)


def test_refusals_say_why(served: Served) -> None:
    url = address(served, "long.ogg")
    for path, status, code in [
        (f"{url}/sound?start=3&end=3", 422, "invalid"),
        (f"{url}/sound?start=4&end=3", 422, "invalid"),
        (f"{url}/sound?end=nan", 422, "invalid"),
        (f"{url}/sound?end=1e300", 422, "invalid"),
        (f"{url}/sound?end=3&bins=1025", 422, "invalid"),
        (f"{url}/sound?end=3&bins=0", 422, "invalid"),
        (f"{url}/sound?end=3&channel=2", 404, "not_found"),
        (f"{url}/sound", 422, "invalid"),
        (f"{url}/course?start=9&end=1", 422, "invalid"),
        (f"{url}/course?start=9999", 422, "invalid"),
        (f"{url}/segments?start=2&end=1", 422, "invalid"),
        ("/api/recordings/0123456789abcdef", 404, "not_found"),
        ("/api/recordings/0123456789abcdef/sound?end=3", 404, "not_found"),
        ("/api/recordings/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("/api/recordings/%00", 422, "invalid"),
        ("/api/recordings/' or 1=1", 422, "invalid"),
    ]:
        response = served.client.get(path)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code), path


@pytest.fixture
def waiting(served: Served) -> Iterator[TestClient]:
    """A server that may outline one whole recording at a time."""
    app = create_app(served.index, limits=Limits(outlining=1))
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        yield client


def test_too_many_at_once_are_told_to_come_again(
    served: Served, waiting: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Outlines, "_make", lambda *_: time.sleep(0.2))  # never done
    first, second = (f"{address(served, name)}/sound?end=500" for name in ("long.ogg", "clip000.wav"))
    assert waiting.get(first).headers["x-ready"] == "0.000"
    refused = waiting.get(second)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
    assert refused.headers["retry-after"] == "3"
    assert waiting.get(first).status_code == 200


def test_nobody_asks_any_more(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlines, "_PATIENCE", -1.0)
    made = Outlines(Limits())
    path = str(served.root / "long.ogg")
    known = served.index.snapshot.recordings[path]
    made.of(path, known, 0, 500, 8, None)
    made._thread.submit(lambda: None).result(20)
    assert not made._wholes
    made.close()


def test_memory_of_outlines_is_bounded(served: Served) -> None:
    made = Outlines(Limits(outline_bytes=1, outline_parts=2))
    for name in ("long.ogg", "clip000.wav", "clip001.wav"):
        path = str(served.root / name)
        known = served.index.snapshot.recordings[path]
        made.of(path, known, 0, 500, 8, None)
        made._thread.submit(lambda: None).result(20)
        for end in (0.1, 0.2, 0.3):
            made.of(path, known, 0, end, 8, None)
    assert len(made._wholes) == 1
    assert len(made._parts) == 2
    made.close()


def test_a_recording_that_changed_or_is_gone(changing: Served, tmp_path: Path) -> None:
    served = changing
    clip = served.root / "clip001.wav"
    url = f"{address(served, 'clip001.wav')}/sound"
    parts = [f"{url}?end=0.5&bins=8", f"{url}?end=500&bins=8"]
    content, status = clip.read_bytes(), clip.stat()
    assert ready(lambda: served.client.get(parts[1])).status_code == served.client.get(parts[0]).status_code == 200
    secret = tmp_path / "secret.wav"
    secret.write_bytes(bytes(reversed(content)))
    os.utime(secret, ns=(status.st_atime_ns, status.st_mtime_ns))
    clip.unlink()
    clip.symlink_to(secret)
    for part in parts:
        assert served.client.get(part).json()["error"]["code"] == "changed"
    clip.unlink()
    os.mkfifo(clip)
    for part in parts:
        assert served.client.get(part).json()["error"]["code"] == "gone"
    clip.unlink()
    for part in parts:
        response = served.client.get(part)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "gone")
    assert served.client.get(address(served, "clip001.wav")).status_code == 200  # what the index knows stays
    assert served.client.get(f"{address(served, 'clip001.wav')}/course").status_code == 200
    clip.write_bytes(content)
    assert served.client.get(parts[0]).status_code == 200


def test_something_put_in_its_place_while_it_is_read(changing: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served = changing
    clip = served.root / "clip001.wav"

    def swapped(path: str, *asked: Any) -> Any:
        clip.unlink()
        shutil.copy(served.root / "clip000.wav", clip)
        return real(path, *asked)

    real = outlines.of_part
    monkeypatch.setattr(outlines, "of_part", swapped)
    response = served.client.get(f"{address(served, 'clip001.wav')}/sound?end=0.5")
    assert (response.status_code, response.json()["error"]["code"]) == (410, "changed")


def test_what_cannot_be_decoded_any_more(changing: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    served = changing
    clip = served.root / "clip001.wav"
    known = served.index.snapshot.recordings[str(clip)]
    clip.write_bytes(b"no audio at all")
    monkeypatch.setattr(outlines, "indexed", lambda path, _: FileIO(path))  # as if that had been indexed
    assert known.digest
    for end in (0.5, 500):
        url = f"{address(served, 'clip001.wav')}/sound?end={end}"
        until = time.monotonic() + 10
        while (response := served.client.get(url)).status_code == 200 and time.monotonic() < until:
            time.sleep(0.02)
        assert (response.status_code, response.json()["error"]["code"]) == (410, "not_drawn")


def test_channels_are_apart(tiny_model: Path, tmp_path: Path) -> None:
    ann, ben, quiet = voice(3.0, 220, 3), voice(3.0, 110, 4), np.zeros(16_000, np.float32)

    def call(root: Path) -> None:
        both = np.stack([np.concatenate([ann, quiet, quiet, ann]), np.concatenate([quiet, ben, ben, quiet])], 1)
        soundfile.write(root / "call.wav", both, 16_000)

    with serving(tmp_path, tiny_model, call, "each") as served:
        import polars as pl

        table = pl.DataFrame({"path": [str(served.root / "call.wav")], "speaker_1": ["ann"], "speaker_2": [""]})
        served.named.keep_labels(table)
        served.index.renew()
        about = served.client.get(address(served, "call.wav")).json()
        assert [(one["channel"], one["speaker"]) for one in about["voices"]] == [(1, "ann"), (2, None)]
        course = served.client.get(f"{address(served, 'call.wav')}/course?bins=8").json()
        assert [one["channel"] for one in course["voices"]] == [1, 2]
        segments = served.client.get(f"{address(served, 'call.wav')}/segments").json()["segments"]
        assert {one["channel"] for one in segments} == {1, 2}
        url = f"{address(served, 'call.wav')}/sound?end=8&bins=8"
        silent = {}
        for channel in (1, 2):
            peaks, _ = drawn(served.client.get(f"{url}&channel={channel}"), 8)
            silent[channel] = np.abs(peaks).max(1) < 10
        assert silent[1][3:5].all()
        assert not silent[2][3:5].any()
        assert served.client.get(f"{url}&channel=3").status_code == 404


def test_the_page_of_a_recording(served: Served) -> None:
    for id in ("0123456789abcdef", "nonsense", "%3Cimg%3E"):
        response = served.client.get(f"/recording/{id}")
        assert response.status_code == 200
        assert "<title>A recording" in response.text
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert id not in response.text
