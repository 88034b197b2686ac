"""Searching by a recording of one's own: a part of it, from the microphone, and what is refused."""

import io
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import SAMPLES, Server
from tests.browser.person import ask, cards, chips, names, settled
from tests.conftest import drums

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

SHOUT, CALM = SAMPLES / "shouted-ben-1.ogg", SAMPLES / "calm-ann-1.ogg"
KEEP = """() => {
    const own = fetch;
    window.fetch = (...all) => {
        if (all[1]?.body instanceof Blob) window.sent = all[1].body;
        return own(...all);
    };
}"""
FIRST = 30_000  # milliseconds; the first clip waits for the audio encoder


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than a minute: a calm voice, and from 65 s on a shout, over and over."""
    calm, rate = soundfile.read(CALM, dtype="float32")
    shout, _ = soundfile.read(SHOUT, dtype="float32")
    whole = np.zeros(70 * rate, np.float32)
    whole[: len(calm)] = calm
    whole[65 * rate :] = np.resize(shout, 5 * rate)
    path = tmp_path_factory.mktemp("clip") / "long & <b>.wav"
    soundfile.write(path, whole, rate)
    return path


def test_what_hardly_anybody_speaks_in_is_said_to_be_such(
    open_page: Callable[..., Page], server: Server, serve: Callable[..., str], tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    soundfile.write(folder / "drums.wav", drums(3.0), 16_000)
    shutil.copy(CALM, folder)
    command = [sys.executable, "-m", "emorank", "index", str(folder), "--name", "mixed"]
    subprocess.run(command, env=server.environment, check=True, capture_output=True)
    page = open_page(serve(server.environment, "mixed"))
    ask(page, "calm")
    card = page.get_by_role("article", name="drums.wav")
    expect(card.locator(".labels")).to_contain_text("no speech heard")
    expect(page.get_by_role("article", name="calm-ann-1.ogg").locator(".labels")).not_to_contain_text("speech")
    page.get_by_role("button", name="By a clip").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file…").click()
    with page.expect_response("**/api/search/clip*", timeout=FIRST):
        chooser.value.set_files(folder / "drums.wav")
    expect(page.locator("#hint")).to_have_text("The clip: no speech heard; what it finds may mean nothing.")


def test_a_part_of_a_long_recording(page: Page, long: Path) -> None:
    page.get_by_role("button", name="By a clip").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a file…").click()
    chooser.value.set_files(long)
    dialog = page.get_by_role("dialog", name="Which part of long & <b>.wav?")
    expect(dialog).to_be_visible()
    expect(page.locator("#part-span")).to_have_text("0:00.0 – 1:00.0, 60.0 s")
    page.get_by_label("To", exact=True).fill("70")
    expect(page.locator("#part-span")).to_have_text("0:10.0 – 1:10.0, 60.0 s")
    page.get_by_label("From", exact=True).fill("65")
    expect(page.locator("#part-span")).to_have_text("1:05.0 – 1:10.0, 5.0 s")
    box = page.locator("#part-wave").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 65 / 70, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 68.5 / 70, box["y"] + 40, steps=3)
    page.mouse.up()
    expect(page.locator("#part-span")).to_contain_text("1:05.")
    page.evaluate(KEEP)
    with page.expect_response("**/api/search/clip*", timeout=FIRST):
        dialog.get_by_role("button", name="Search by this part").click()
    settled(page)
    sent = bytes(page.evaluate("async () => [...new Uint8Array(await window.sent.arrayBuffer())]"))
    samples, rate = soundfile.read(io.BytesIO(sent))
    assert rate == 16_000
    assert 3 < len(samples) / rate < 4
    expect(cards(page).first.locator(".name")).to_have_text("shouted-ben-1.ogg")
    assert chips(page)[0].startswith("like the recording long & <b>.wav, 1:05.")
    page.get_by_role("button", name="By a clip").click()
    page.get_by_role("button", name="A part of long & <b>.wav…").click()
    expect(dialog).to_be_visible()


@pytest.fixture
def speaking(browser: "Browser", chromium: str, server: Server, tmp_path: Path) -> Iterator[Page]:
    """The page in a browser whose microphone hears a shout again and again."""
    shout, rate = soundfile.read(SHOUT, dtype="float32")
    soundfile.write(tmp_path / "heard.wav", shout, rate, subtype="PCM_16")
    devices = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    heard = f"--use-file-for-fake-audio-capture={tmp_path / 'heard.wav'}"
    own = browser.browser_type.launch(executable_path=chromium, args=["--no-sandbox", *devices, heard])
    page = own.new_page()
    page.goto(server.address)
    page.locator("#size:not(:empty)").wait_for()
    yield page
    own.close()


def test_what_the_microphone_hears(speaking: Page) -> None:
    page = speaking
    page.get_by_role("button", name="By a clip").click()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#spoken")).to_contain_text("Recording, 0:02.", timeout=FIRST)
    assert float(page.locator("#loudness").evaluate("(meter) => meter.value")) > 0.2
    with page.expect_response("**/api/search/clip*", timeout=FIRST):
        page.get_by_role("button", name="Stop and search").click()
    settled(page)
    expect(page.locator("#sound")).to_be_hidden()
    assert any("shouted" in name for name in names(page)[:5])
    assert chips(page)[0].startswith("like the recording what I recorded at ")


def test_a_microphone_that_is_refused_or_not_there(page: Page) -> None:
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
    )
    page.get_by_role("button", name="By a clip").click()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#sound-wrong")).to_contain_text("may not use the microphone")
    expect(page.get_by_role("button", name="Record")).to_be_visible()
    page.keyboard.press("Escape")
    page.evaluate("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.get_by_role("button", name="By a clip").click()
    expect(page.get_by_role("button", name="Record")).to_be_hidden()


def test_only_this_page_may_use_the_microphone(page: Page) -> None:
    answer = page.request.get(page.url)
    assert "microphone=(self)" in answer.headers["permissions-policy"]
    assert "camera=()" in answer.headers["permissions-policy"]


def test_a_recording_is_dropped(page: Page) -> None:
    data = page.evaluate_handle(
        """(bytes) => {
            const data = new DataTransfer();
            data.items.add(new File([Uint8Array.from(bytes)], "dropped.ogg"));
            return data;
        }""",
        list(SHOUT.read_bytes()),
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": data})
    expect(page.locator("#drop")).to_be_visible()
    with page.expect_response("**/api/search/clip*", timeout=FIRST):
        page.dispatch_event("body", "drop", {"dataTransfer": data})
    settled(page)
    expect(page.locator("#drop")).to_be_hidden()
    assert chips(page) == ["like the recording dropped.ogg"]
