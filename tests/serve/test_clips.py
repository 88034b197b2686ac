"""Clips, zips of clips and lists over HTTP: the right samples, the right names, and no more than is allowed."""

import csv
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import numpy as np
import pytest
import soundfile
from starlette.testclient import TestClient

from emorank.serve.app import create_app
from emorank.serve.connections import Connections
from emorank.serve.limits import Limits
from emorank.serve.routes import clips as routes
from tests.conftest import voice
from tests.serve.conftest import Client, Served, head, listening, memory, server, serving, started_last

RATE = 44_100


def four(root: Path) -> None:
    """Three stereo recordings at 44.1 kHz, and a call with a voice a channel."""
    for i in range(3):
        wave = voice(1.5, 120 + 40 * i, i, RATE)
        soundfile.write(root / f"talk {i}.wav", np.stack([wave, wave / 2], 1), RATE)
    soundfile.write(root / "голос.flac", np.stack([voice(3.0, 120, 1), voice(3.0, 260, 2)], 1), 16_000)


@pytest.fixture(scope="module")
def talks(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("talks"), tiny_model, four, channels="each") as one:
        yield one


def segments(served: Served, where: str = "duration > 0") -> list[dict[str, object]]:
    return served.client.get("/api/segments", params={"where": where, "limit": 200}).json()["segments"]  # type: ignore[no-any-return]


def unzipped(response: httpx2.Response) -> dict[str, bytes]:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.mark.parametrize("format", ["wav", "flac"])
@pytest.mark.parametrize("channel", [1, 2])
def test_a_clip_is_the_recordings_own_samples(talks: Served, format: str, channel: int) -> None:
    for one in segments(talks, f"channel = {channel}"):
        response = talks.client.get(f"/api/segments/{one['id']}/clip", params={"format": format, "pad": 0})
        assert response.headers["content-type"] == f"audio/{format}"
        clip, rate = soundfile.read(io.BytesIO(response.content), dtype="int16")
        whole, own = soundfile.read(talks.root / str(one["file"]), dtype="int16")
        first, last = (round(float(str(one[end])) * own) for end in ("start", "end"))
        assert rate == own
        np.testing.assert_array_equal(clip, whole[first:last, channel - 1])


def test_a_clip_has_a_name_and_its_padding(talks: Served) -> None:
    (one,) = segments(talks, "file like 'голос%' and channel = 2")
    response = talks.client.get(f"/api/segments/{one['id']}/clip", params={"format": "opus"})
    assert response.headers["content-type"] == "audio/ogg"
    assert soundfile.info(io.BytesIO(response.content)).subtype == "OPUS"
    said = response.headers["content-disposition"]
    assert said.startswith('attachment; filename="0001-_____-00m00.0s-2.opus"; filename*=UTF-8')
    etag = response.headers["etag"]
    again = talks.client.get(f"/api/segments/{one['id']}/clip?format=opus", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    other = talks.client.get(f"/api/segments/{one['id']}/clip?format=wav", headers={"If-None-Match": etag})
    assert other.status_code == 200


def test_a_zip_holds_clips_and_lists(talks: Served) -> None:
    chosen = segments(talks)[::-1]
    ids = [one["id"] for one in chosen]
    asked = {"ids": [*ids, ids[0]], "pad": 0, "format": "wav", "lists": ["audacity", "textgrid", "elan", "m3u"]}
    found = unzipped(talks.client.post("/api/clips", json=asked))
    rows = list(csv.DictReader(io.StringIO(found["moments.csv"].decode())))
    assert [row["id"] for row in rows] == ids
    assert [json.loads(line)["id"] for line in found["moments.jsonl"].splitlines()] == ids
    assert sorted(row["clip"] for row in rows) == [row["clip"] for row in rows]
    for row, one in zip(rows, chosen, strict=True):
        clip, rate = soundfile.read(io.BytesIO(found[row["clip"]]))
        assert len(clip) == pytest.approx((float(str(one["end"])) - float(str(one["start"]))) * rate, abs=0.02 * rate)
        assert row["path"] == one["path"]
    played = [line for line in found["moments.m3u8"].decode().splitlines() if not line.startswith("#")]
    assert played == [row["clip"] for row in rows]
    assert {"talk_0.txt", "talk_1.TextGrid", "голос.eaf"} <= set(found)
    assert "skipped.txt" not in found
    assert str(talks.root).encode() not in b"".join(found.values())  # no absolute path leaves the server


@pytest.mark.parametrize(
    ("format", "kind"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson"),
        ("parquet", "application/vnd.apache.parquet"),
        ("m3u", "audio/x-mpegurl"),
        ("audacity", "application/zip"),
        ("elan", "application/zip"),
        ("textgrid", "application/zip"),
    ],
)
def test_lists(talks: Served, format: str, kind: str) -> None:
    chosen = segments(talks)
    response = talks.client.post("/api/lists", json={"ids": [one["id"] for one in chosen], "format": format})
    assert (response.status_code, response.headers["content-type"]) == (200, kind)
    assert str(talks.root).encode() not in response.content
    if kind == "application/zip":
        assert len(unzipped(response)) == 4
    elif format == "m3u":
        assert response.text.count("#EXTINF") == len(chosen)
    elif format == "csv":
        assert response.text.splitlines()[0].startswith("rank,id,score")


def test_what_is_broken_or_changed_is_named_and_the_rest_is_sent(tiny_model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, tiny_model, four) as served:
        every = {str(one["file"]): str(one["id"]) for one in segments(served)}
        (served.root / "talk 1.wav").write_bytes(b"something else")
        (served.root / "talk 2.wav").unlink()
        found = unzipped(served.client.post("/api/clips", json={"ids": list(every.values())}))
        skipped = {line.split("\t")[1]: line.split("\t")[2] for line in found["skipped.txt"].decode().splitlines()}
        assert skipped == {
            "recordings/talk 1.wav": "The recording has changed since it was indexed; update the index.",
            "recordings/talk 2.wav": "The recording is not there any more, or cannot be read.",
        }
        rows = {row["id"]: row["clip"] for row in csv.DictReader(io.StringIO(found["moments.csv"].decode()))}
        assert not rows[every["talk 1.wav"]]
        assert rows[every["talk 0.wav"]] in found
        for name, status in (("talk 1.wav", 410), ("talk 2.wav", 404)):
            refused = served.client.get(f"/api/segments/{every[name]}/clip")
            assert (refused.status_code, refused.headers["cache-control"]) == (status, "no-store")


def test_refusals(talks: Served) -> None:
    (one, *_) = segments(talks)
    url = f"/api/segments/{one['id']}/clip"
    post = talks.client.post
    for response, status, code in (
        (talks.client.get("/api/segments/0000000000000000/clip"), 404, "not_found"),
        (talks.client.get(url, params={"pad": 11}), 422, "invalid"),
        (talks.client.get(url, params={"pad": "nan"}), 422, "invalid"),
        (talks.client.get(url, params={"format": "mp3"}), 422, "invalid"),
        (post("/api/clips", json={"ids": []}), 422, "invalid"),
        (post("/api/clips", json={"ids": [one["id"]] * 501}), 422, "invalid"),
        (post("/api/clips", json={"ids": ["0" * 16]}), 404, "not_found"),
        (post("/api/clips", json={"ids": [one["id"]], "lists": ["csv"]}), 422, "invalid"),
        (post("/api/lists", json={"ids": [one["id"]], "format": "datasets"}), 422, "invalid"),
        (post("/api/lists", json={"ids": ["0" * 16]}), 404, "not_found"),
        (post("/api/clips", content=b"x" * 300_000), 413, "too_large"),
    ):
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_clip_has_a_largest_size(talks: Served) -> None:
    (one, *_) = segments(talks, "file like 'talk%'")
    app = create_app(talks.index, limits=replace(Limits(), clip_samples=30_000))
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        refused = client.get(f"/api/segments/{one['id']}/clip")
        assert (refused.status_code, refused.json()["error"]["code"]) == (413, "too_large")
        assert "hold more than 30000 samples" in refused.json()["error"]["message"]
        assert "30000 samples" in unzipped(client.post("/api/clips", json={"ids": [one["id"]]}))["skipped.txt"].decode()


def test_so_many_zips_are_made_at_once_and_no_more(talks: Served) -> None:
    ids = [one["id"] for one in segments(talks)]
    app = create_app(talks.index, limits=replace(Limits(), archives=1))
    with TestClient(app, base_url="http://127.0.0.1:8321") as client:
        assert client.portal is not None
        client.portal.call(app.state.archives.acquire)  # one is being made
        refused = client.post("/api/clips", json={"ids": ids})
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "busy")
        assert "Retry-After" in refused.headers
        client.portal.call(app.state.archives.release)
        for _ in range(3):  # each gives its place back
            unzipped(client.post("/api/clips", json={"ids": ids}))
        assert app.state.archives.value == 1


@pytest.mark.slow
def test_a_zip_of_five_hundred_takes_little_memory(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The zip is larger than the memory that the server may take for it; a client that reads slowly changes nothing."""

    def many(root: Path) -> None:
        waves = [voice(4.0, 110 + 20 * i, i, RATE) for i in range(10)]
        for i in range(500):
            soundfile.write(root / f"clip{i:03d}.wav", np.stack([waves[i % 10]] * 2, 1), RATE)

    with serving(tmp_path, tiny_model, many) as served:
        ids = [one["id"] for offset in (0, 200, 400) for one in page(served, offset)]
    assert len(ids) == 500
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path / "data"))
    with server("calls") as address:
        pid = started_last()
        clip = (served.root / "clip000.wav").read_bytes()  # with it the server has loaded all that it ever will
        assert httpx2.post(f"{address}api/locate", content=clip, timeout=60).status_code == 200
        assert httpx2.post(f"{address}api/clips", json={"ids": ids[:3]}, timeout=60).status_code == 200
        before, size = memory(pid), 0
        with httpx2.stream("POST", f"{address}api/clips", json={"ids": ids, "pad": 0.3}, timeout=300) as response:
            for count, piece in enumerate(response.iter_raw()):
                size += len(piece)
                if count == 5:
                    time.sleep(3)
        grown = memory(pid) - before
    print(f"zip of {size / 1e6:.0f} MB, server grew by {grown / 1e6:.1f} MB")
    assert size > 300e6
    assert grown < 100e6


def page(served: Served, offset: int) -> list[dict[str, object]]:
    return served.client.get("/api/segments", params={"limit": 200, "offset": offset}).json()["segments"]  # type: ignore[no-any-return]


def test_a_client_that_leaves_gives_its_place_back(talks: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Semaphore(0)

    def endless(*_: object) -> Iterator[bytes]:
        try:
            while True:
                yield bytes(1_000_000)
        finally:
            ended.release()

    ids = [str(one["id"]) for one in segments(talks)]
    body = json.dumps({"ids": ids}).encode()
    app = create_app(talks.index, limits=replace(Limits(), archives=1))
    with listening(app, Connections(50)) as port:
        with monkeypatch.context() as patched:
            patched.setattr(routes, "archive", endless)
            for _ in range(3):
                client = Client(port, head("/api/clips", len(body)) + body)
                assert client.answer().startswith(b"HTTP/1.1 200")
                other = httpx2.post(
                    f"http://127.0.0.1:{port}/api/clips", json={"ids": ids}, headers={"Host": "localhost"}
                )
                assert other.status_code == 503
                client.socket.close()
                assert ended.acquire(timeout=20)
                wait(lambda: app.state.archives.value == 1)
        answer = httpx2.post(f"http://127.0.0.1:{port}/api/clips", json={"ids": ids}, headers={"Host": "localhost"})
        assert answer.status_code == 200


def wait(until: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)
