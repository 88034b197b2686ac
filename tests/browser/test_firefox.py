"""The main jobs in Firefox: search, complete, play, select and take out, the plane; skipped where there is none."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from urllib.parse import quote

import pytest

pytest.importorskip("websockets", reason="websockets is not installed")

from tests.browser.bidi import Firefox
from tests.browser.conftest import Server

pytestmark = pytest.mark.slow

SETTLED = "!document.body.matches('.searching') && document.querySelectorAll('.card').length"


@pytest.fixture(scope="module")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        pytest.skip("there is no firefox on this computer")
    browser = Firefox(program, tmp_path_factory.mktemp("firefox"))
    yield browser
    browser.close()


@pytest.fixture
def page(firefox: Firefox, server: Server) -> Firefox:
    """The page as on a first visit, which notes errors of scripts."""
    firefox.open(server.address)
    firefox.ask("(window.faults = [], addEventListener('error', (event) => faults.push(event.message)), 0)")
    firefox.wait("document.getElementById('size').textContent")
    return firefox


def search(page: Firefox, text: str) -> list[str]:
    page.click("#text")
    page.write(f"{text}\n")
    page.wait(f"document.title.startsWith({text!r}) && {SETTLED}")
    names: list[str] = page.ask("[...document.querySelectorAll('#results .name')].map((name) => name.textContent)")
    return names


def test_a_search_and_a_suggestion(page: Firefox) -> None:
    assert search(page, "furious, shouting")[0].startswith(("shouted", "<img"))
    assert page.ask("document.getElementById('fit').textContent")
    page.ask("document.getElementById('text').value = ''")
    page.click("#text")
    page.write("tired")
    first = page.wait("document.querySelector('#completions:not([hidden]) li')?.textContent")
    page.write("\ue015\n")  # arrow down, Enter
    page.wait(f"document.getElementById('text').value === {first!r} && {SETTLED}")
    assert page.ask("faults") == []


def test_a_moment_plays_and_stops(page: Firefox) -> None:
    search(page, "calm")
    page.click(".card .play")
    page.wait("document.querySelector('.card.playing') && document.getElementById('audio').currentTime > 0.2")
    page.click(".card .play")
    page.wait("!document.querySelector('.card.playing') && document.getElementById('audio').paused")
    assert page.ask("faults") == []


def test_selected_clips_are_downloaded(page: Firefox) -> None:
    search(page, "calm")
    for place in (1, 2):
        page.click(f"#results li:nth-child({place}) .pick input")
    page.wait("document.getElementById('many').textContent === '2 selected'")
    page.click("#zip")
    with zipfile.ZipFile(io.BytesIO(page.downloaded("moments.zip"))) as packed:
        assert packed.testzip() is None
        assert sum(name.endswith(".wav") for name in packed.namelist()) == 2
    page.click("#clear")
    assert page.ask("faults") == []


def test_the_plane_is_clicked(page: Firefox) -> None:
    box = page.ask("document.getElementById('marks').getBoundingClientRect()")
    page.click((box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.55))
    page.wait(f"location.search.includes('near=') && {SETTLED}")
    assert page.ask("document.querySelector('#chips .chip').textContent").startswith("near valence")
    assert page.ask("faults") == []


def test_a_recording_is_drawn_zoomed_and_played(page: Firefox, server: Server) -> None:
    page.open(f"{server.address}/?q=calm&where=" + quote("file = 'story-ben.ogg'"))
    page.wait(SETTLED)
    page.open(page.ask("document.querySelector('.card a[href*=\"recording/\"]').href"))
    page.ask("(window.faults = [], addEventListener('error', (event) => faults.push(event.message)), 0)")
    page.wait("document.querySelectorAll('#over[aria-valuenow]').length")
    inked = "document.getElementById('drawn').getContext('2d').getImageData(60, 40, 600, 60).data.some((x) => x)"
    page.wait(inked)
    before = page.ask("document.getElementById('sight').textContent")
    page.click("#in")
    page.wait(f"document.getElementById('sight').textContent !== {before!r}")
    page.click("#play")
    page.wait("document.getElementById('audio').currentTime > 0.2")
    page.click("#play")
    page.wait("document.getElementById('audio').paused")
    assert page.ask("faults") == []


def test_the_plane_lies_in_a_sheet_on_a_narrow_screen(page: Firefox) -> None:
    page.resize(390, 844)
    try:
        page.wait("!document.querySelector('aside').checkVisibility({ visibilityProperty: true })")
        page.click("#to-plane")
        page.wait("document.querySelector('aside').checkVisibility({ visibilityProperty: true })")
        page.write("\ue00c")  # Escape
        page.wait("!document.querySelector('aside').checkVisibility({ visibilityProperty: true })")
        assert page.ask("document.scrollingElement.scrollWidth <= innerWidth")
        assert page.ask("faults") == []
    finally:
        page.resize(1280, 800)
