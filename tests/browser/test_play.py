"""Playing in place, waveforms."""

from urllib.parse import quote

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.person import ask, cards, ids

TIME = "(audio) => audio.currentTime"
LONG = "/?q=calm&where=" + quote("file = 'story-ben.ogg'")


def seconds(text: str) -> float:
    minutes, rest = text.split(":")
    return 60 * int(minutes) + float(rest)


def later(page: Page) -> None:
    """Open the results of the long recording; its first card is not where the recording begins."""
    page.goto(page.url.split("/?")[0].rstrip("/") + LONG)
    cards(page).first.wait_for()


def span(page: Page, place: int) -> tuple[float, float]:
    start, end = (cards(page).nth(place).locator(".span").text_content() or "").split(" – ")
    return seconds(start), seconds(end)


def beginning_late(page: Page) -> int:
    return next(i for i in range(cards(page).count()) if span(page, i)[0] > 1)


def test_plays_the_segment_from_its_start(page: Page) -> None:
    later(page)
    place = beginning_late(page)
    start, end = span(page, place)
    card = cards(page).nth(place)
    card.get_by_role("button", name="Play story-ben.ogg").click()
    expect(card.get_by_role("button", name="Pause")).to_be_visible()
    page.wait_for_timeout(400)
    heard = page.locator("#audio").evaluate(TIME)
    assert start <= heard < start + 3
    page.wait_for_timeout(300)
    assert page.locator("#audio").evaluate(TIME) > heard
    page.locator("#audio").evaluate("(audio, time) => { audio.currentTime = time; }", end - 0.3)
    expect(card.get_by_role("button", name="Play story")).to_be_visible()
    assert page.locator("#audio").evaluate(TIME) == pytest.approx(end, abs=0.35)
    card.get_by_role("button", name="Play on").click()
    page.wait_for_timeout(500)
    assert page.locator("#audio").evaluate(TIME) > end + 0.1
    expect(card.locator(".span")).to_contain_text("playing on")


def test_a_click_on_the_waveform_plays_from_there(page: Page) -> None:
    later(page)
    place = beginning_late(page)
    start, end = span(page, place)
    wave = cards(page).nth(place).locator(".wave")
    expect(wave).to_have_class("wave drawn")
    empty = wave.evaluate("(canvas) => canvas.toDataURL()")
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.wait_for_timeout(300)
    assert page.locator("#audio").evaluate(TIME) == pytest.approx((start + end) / 2, abs=1.0)
    assert wave.evaluate("(canvas) => canvas.toDataURL()") != empty


def test_one_at_a_time(page: Page) -> None:
    ask(page, "calm")
    for place in (0, 1):
        cards(page).nth(place).locator(".play").click()
        expect(page.locator(".card.playing")).to_have_attribute("data-id", ids(page)[place])
    page.locator(".card.playing .play").click()
    expect(page.locator(".card.playing")).to_have_count(0)


def test_a_recording_that_changed_or_is_gone(page: Page, server: Server) -> None:
    page.goto(server.address + "/?where=" + quote("file = 'gone.ogg'"))
    card = cards(page).first
    gone = server.folder / "gone.ogg"
    content = gone.read_bytes()
    gone.unlink()
    card.locator(".play").click()
    expect(card.locator(".wrong")).to_contain_text("is not there any more")
    gone.write_bytes(content)
    card.locator(".play").click()
    expect(page.locator(".card.playing")).to_have_count(1)
    expect(card.locator(".wrong")).to_be_hidden()
    gone.write_bytes(content + b"more")
    page.reload()
    card.locator(".play").click()
    expect(card.locator(".wrong")).to_contain_text("has changed since it was indexed")
    gone.write_bytes(content)
