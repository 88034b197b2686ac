"""The page in a real browser, before a real server with the model that is shipped."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.person import settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

SAMPLES = Path(__file__).parents[2] / "samples"
MARKUP = "<img src=x onerror=alert(1)> & <b>loud.ogg"  # a name that must stay a name
START = 60  # seconds until a server must answer
PATIENCE = 30  # seconds until a page must show what it should, however busy the machine is


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        address: of the page.
        folder: with the recordings that it searches.
        environment: of emorank commands about its index.
    """

    address: str
    folder: Path
    environment: dict[str, str]


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser of this computer; tests are skipped where there is none."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    pytest.skip("there is no chromium on this computer")


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[..., str]]:
    """Starts `emorank serve` and gives its address."""
    running = []

    def start(environment: dict[str, str], *arguments: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "emorank", "serve", *arguments, "--no-browser", "--port", str(port)]
        running.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
        address = f"http://127.0.0.1:{port}"
        begun = time.monotonic()
        while True:
            try:
                urllib.request.urlopen(f"{address}/static/page.css", timeout=5).close()
                return address
            except OSError as error:  # not there yet, or too busy to answer
                ended = running[-1].poll() is not None
                if ended or time.monotonic() - begun > START:
                    said = running[-1].stderr.read().decode() if ended else "it does not answer"
                    raise AssertionError(f"emorank serve: {said}") from error
                time.sleep(0.1)

    yield start
    for process in running:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def server(chromium: str, serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The samples, a long recording and one with markup in its name, with labels, indexed and served."""
    folder = tmp_path_factory.mktemp("voices") / "voices"
    folder.mkdir()
    rows = ["path,speaker,take,whispered"]
    for sample in sorted(SAMPLES.glob("*.ogg")):
        shutil.copy(sample, folder)
        parts = sample.stem.split("-")
        speaker, take = parts[1], parts[2] if len(parts) > 2 else "1"
        drained = str(parts[0] == "drained").lower()
        rows.append(f"{folder / sample.name},{speaker},{take},{drained}")
    shutil.copy(SAMPLES / "shouted-eve-1.ogg", folder / MARKUP)
    shutil.copy(SAMPLES / "calm-eve-1.ogg", folder / "gone.ogg")  # a test takes it away
    table = folder.parent / "speakers.csv"
    table.write_text("\n".join(rows))
    cache = tmp_path_factory.mktemp("cache")
    environment = {
        **os.environ,
        "EMORANK_CACHE": str(cache),
        "EMORANK_DATA": str(cache / "data"),
        "HF_HUB_OFFLINE": "1",
    }
    index = [sys.executable, "-m", "emorank", "index", str(folder), "--name", "voices", "--table", str(table)]
    subprocess.run(index, env=environment, check=True, capture_output=True)
    address = serve(environment, "voices")
    # The first clip waits for the audio encoder; it is loaded while other tests run.
    clip = urllib.request.Request(f"{address}/api/locate", (SAMPLES / "calm-ann-1.ogg").read_bytes())
    threading.Thread(target=lambda: urllib.request.urlopen(clip).close(), daemon=True).start()
    return Server(address, folder, environment)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator["Browser"]:
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])


@pytest.fixture(scope="session")
def person(browser: "Browser") -> "BrowserContext":
    """One person's browser at a desk; what it has kept is not fetched again."""
    return browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )


@pytest.fixture
def open_page(browser: "Browser", person: "BrowserContext", server: Server) -> Iterator[Callable[..., "Page"]]:
    """Opens the page, as another person where `options` are given; no test may leave an error of a script behind."""
    pages = []
    faults: list[str] = []

    def opened(path: str = "/", **options: object) -> "Page":
        page = (browser.new_context(**options) if options else person).new_page()
        pages.append(page)
        page.set_default_timeout(1000 * PATIENCE)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
        page.goto(path if path.startswith("http") else server.address + path)
        page.locator("#size:not(:empty), #problem:not([hidden]), #over[aria-valuenow]").first.wait_for()
        settled(page)
        return page

    yield opened
    for page in pages:
        page.context.close() if page.context is not person else page.close()
    assert faults == []


@pytest.fixture
def page(open_page: Callable[..., "Page"]) -> "Page":
    """The page as on a first visit."""
    return open_page()
