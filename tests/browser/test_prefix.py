"""The page under a path of its own, and recordings in codecs that browsers do not know."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright")
import av
import soundfile
from playwright.sync_api import Page, expect

from tests.browser.conftest import SAMPLES, Server
from tests.browser.person import ask, cards

Open = Callable[..., Page]


def odd_recordings(folder: Path) -> None:
    """A long one in GSM called WAV, one in AAC called WAV, one in AIFF."""
    folder.mkdir()
    wave, rate = soundfile.read(SAMPLES / "story-ben.ogg", dtype="int16")
    soundfile.write(folder / "long.aiff", wave, rate)
    soundfile.write(folder / "phone.wav", wave[: 4 * rate], rate, format="WAV", subtype="GSM610")
    with av.open(str(folder / "video.wav"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None, : 4 * rate], format="s16", layout="mono")
        frame.sample_rate = rate
        for piece in av.AudioResampler(format="fltp", layout="mono", rate=rate).resample(frame):
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


@pytest.mark.slow
def test_everything_lies_under_the_prefix(
    open_page: Open, server: Server, serve: Callable[..., str], tmp_path: Path
) -> None:
    odd_recordings(tmp_path / "odd")
    index = [sys.executable, "-m", "emorank", "index", str(tmp_path / "odd"), "--name", "odd"]
    subprocess.run(index, env=server.environment, check=True, capture_output=True)
    address = serve(server.environment, "odd", "--root-path", "/tools/emo")
    asked: list[str] = []
    page = open_page(f"{address}/tools/emo/", viewport={"width": 1280, "height": 800})
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    ask(page, "calm")
    assert page.url == f"{address}/tools/emo/?q=calm"
    files = cards(page).locator(".name").all_text_contents()
    assert set(files) == {"long.aiff", "phone.wav", "video.wav"}
    for place, file in enumerate(files):
        card = cards(page).nth(place)
        card.locator(".play").click()
        expect(page.locator(".card.playing .name")).to_have_text(file)
        page.wait_for_timeout(300)
        start = page.locator("#audio").evaluate("(audio) => audio.currentTime")
        page.wait_for_timeout(300)
        if page.locator(".card.playing").count():
            assert page.locator("#audio").evaluate("(audio) => audio.currentTime") > start
        expect(card.locator(".wrong")).to_be_hidden()
    page.go_back()
    expect(page.locator("#welcome")).to_be_visible()
    assert page.url == f"{address}/tools/emo/"
    page.get_by_role("link", name="emorank").click()
    page.wait_for_url(f"{address}/tools/emo/")
    assert {url for url in asked if not url.startswith(f"{address}/tools/emo/")} == set()
