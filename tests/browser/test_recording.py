"""The page of a recording: along it, into it, what is said of it, and what becomes of it when the recording is gone."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import MARKUP, Server
from tests.browser.person import cards, settled
from tests.browser.test_look import axe, faults

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

STORY = "/?q=calm&where=" + quote("file = 'story-ben.ogg'")
TIME = "(audio) => audio.currentTime"


def whole(open_page: Open, address: str = STORY, **options: object) -> Page:
    """Open the recording of the first result, by its link."""
    page = open_page(address, **options)
    cards(page).first.get_by_role("link", name="Whole recording").click()
    shown(page)
    return page


def shown(page: Page) -> None:
    page.locator("#over[aria-valuenow]").wait_for()
    page.wait_for_load_state("networkidle")


def told(page: Page) -> dict[str, Any]:
    """What the server says of the recording that is shown."""
    id = urlsplit(page.url).path.rpartition("/")[2]
    answer: dict[str, Any] = page.request.get(f"{page.url.split('/recording/')[0]}/api/recordings/{id}").json()
    return answer


def seconds(text: str) -> float:
    minutes, rest = text.split(":")
    return 60 * int(minutes) + float(rest)


def sight(page: Page) -> tuple[float, float]:
    """The part that is drawn, when the page has come to rest."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    start, end = page.locator("#sight").inner_text().split(" – ")
    return seconds(start), seconds(end)


def heard(page: Page, paused: bool) -> None:
    """Wait until it plays, or does not."""
    name = "Play" if paused else "Pause"
    expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def middle(page: Page) -> tuple[float, float]:
    box = page.locator("#over").bounding_box()
    assert box is not None
    return box["x"] + 24 + (box["width"] - 32) / 2, box["y"] + 100


def at(page: Page) -> float:
    return seconds(page.locator("#now").inner_text())


def test_from_the_search_and_back(open_page: Open) -> None:
    page = open_page(STORY)
    wanted = cards(page).first.get_attribute("data-id")
    cards(page).first.get_by_role("link", name="Whole recording").click()
    shown(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("story-ben.ogg")
    assert page.title() == "story-ben.ogg – emorank"
    hits = page.locator("#hits button")
    assert hits.count() >= 5
    expect(page.locator(f"#hits button[data-id='{wanted}']")).to_have_attribute("aria-current", "true")
    expect(page.locator("#asked")).to_contain_text("“calm”")
    page.get_by_role("link", name="Back to the search").click()
    settled(page)
    assert parse_qs(urlsplit(page.url).query) == {"q": ["calm"], "where": ["file = 'story-ben.ogg'"]}
    expect(cards(page).first).to_have_attribute("data-id", wanted or "")
    page.get_by_label("Groups").select_option("recording")
    settled(page)
    page.get_by_role("link", name=re.compile("more in this recording")).click()
    shown(page)
    assert hits.count() >= 5


def test_zoom_and_pan(open_page: Open) -> None:
    page = whole(open_page)
    # To the end of the recording, behind its last segment.
    expect(page.locator("#sight")).to_have_text("0:00.0 – 0:45.3")
    picture = page.locator("#drawn").evaluate("(canvas) => canvas.toDataURL()")
    page.mouse.move(*middle(page))
    page.mouse.wheel(0, -300)
    start, end = sight(page)
    assert end - start < 30
    assert (start + end) / 2 == pytest.approx(45.3 / 2, abs=0.5)  # what is under the pointer stays there
    assert page.locator("#drawn").evaluate("(canvas) => canvas.toDataURL()") != picture
    x, y = middle(page)
    page.mouse.down()
    page.mouse.move(x + 200, y, steps=4)
    page.mouse.up()
    panned = sight(page)
    assert panned[0] < start - 1
    assert panned[1] - panned[0] == pytest.approx(end - start, abs=0.2)
    assert page.locator("#audio").evaluate("(audio) => audio.paused")  # a drag is no click
    page.mouse.wheel(100, 0)
    assert sight(page)[0] > panned[0]
    page.wait_for_url(re.compile("view="))
    page.wait_for_timeout(500)  # the address follows when the hand rests
    page.reload()
    shown(page)
    before = sight(page)
    assert before[1] - before[0] == pytest.approx(end - start, abs=0.2)
    page.get_by_role("button", name="Zoom in").click()
    closer = sight(page)
    assert closer[1] - closer[0] == pytest.approx((end - start) / 2, abs=0.2)
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Whole").click()
    assert sight(page) == (0, pytest.approx(45.3, abs=0.1))
    page.mouse.move(*middle(page))
    for _ in range(60):
        page.mouse.wheel(0, -300)
    start, end = sight(page)
    assert end - start == pytest.approx(0.5, abs=0.11)


def test_a_click_plays_from_there_and_the_reading_follows(open_page: Open) -> None:
    page = whole(open_page)
    page.mouse.click(*middle(page))
    heard(page, paused=False)
    expect(page.locator("#now")).not_to_have_text(re.compile("0:22"))
    page.get_by_role("button", name="Pause", exact=True).click()
    time = page.locator("#audio").evaluate(TIME)
    assert 22 < time < 40
    assert at(page) == pytest.approx(time, abs=0.11)
    page.mouse.move(5, 5)
    segments = page.request.get(page.url.split("?")[0].replace("/recording/", "/api/recordings/") + "/segments").json()
    there = [one for one in segments["segments"] if one["start"] <= time < one["end"]]
    said = page.locator("#places").inner_text()
    if there:
        assert [float(x) for x in re.findall(r"\d\.\d", said)] == [
            pytest.approx(there[0][name], abs=0.06) for name in ("valence", "arousal", "dominance")
        ]
    else:
        assert said == "no speech"
    assert said.split()[0] in (page.locator("#over").get_attribute("aria-valuetext") or "")


def test_keys(open_page: Open) -> None:
    page = whole(open_page)
    expect(page.locator("#sight")).to_have_text("0:00.0 – 0:45.3")
    page.keyboard.press("Home")
    assert at(page) == 0
    page.keyboard.press("ArrowRight")
    assert at(page) == 5
    page.keyboard.press("ArrowLeft")
    assert at(page) == 0
    page.keyboard.press("n")
    expect(page.locator("#hits [aria-current=true]")).to_have_count(1)
    heard(page, paused=False)
    first = page.locator("#hits [aria-current=true]").get_attribute("data-id")
    page.keyboard.press("n")
    expect(page.locator(f"#hits [data-id='{first}']")).not_to_have_attribute("aria-current", "true")
    page.keyboard.press(" ")
    heard(page, paused=True)
    page.keyboard.press("End")
    assert at(page) > 43
    page.keyboard.press("+")
    page.keyboard.press("+")
    start, end = sight(page)
    assert end - start == pytest.approx(45.3 / 4, abs=0.3)
    page.keyboard.press("Shift+ArrowLeft")
    assert sight(page)[0] < start
    page.keyboard.press("0")
    assert sight(page)[0] == 0
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()


def test_the_map_leads_along(open_page: Open) -> None:
    page = whole(open_page)
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 10)
    start, end = sight(page)
    assert (start + end) / 2 == pytest.approx(0.75 * 45.3, abs=1)
    assert end - start < 6


def test_fingers(open_page: Open) -> None:
    page = whole(open_page, viewport={"width": 390, "height": 844}, has_touch=True)
    expect(page.locator("#sight")).to_have_text("0:00.0 – 0:45.3")
    page.locator("#over").scroll_into_view_if_needed()
    x, y = middle(page)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: float) -> None:
        points = [{"x": place, "y": y, "id": i} for i, place in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", x - 20, x + 20)
    for step in range(1, 9):
        touch("touchMove", x - 20 - 10 * step, x + 20 + 10 * step)
    touch("touchEnd")
    start, end = sight(page)
    assert end - start == pytest.approx(45.3 / 5, rel=0.3)
    touch("touchStart", x)
    for step in range(1, 6):
        touch("touchMove", x + 15 * step)
    touch("touchEnd")
    assert sight(page)[0] < start
    assert page.locator("#audio").evaluate("(audio) => audio.paused")
    page.touchscreen.tap(x, y)
    heard(page, paused=False)


def test_a_recording_that_is_gone(open_page: Open, server: Server) -> None:
    page = open_page("/?where=" + quote("file = 'gone.ogg'"))
    link = cards(page).first.locator(".course")
    address = link.evaluate("(a) => a.href")
    gone = server.folder / "gone.ogg"
    content = gone.read_bytes()
    gone.unlink()
    try:
        page.goto(address)
        page.locator("#over[aria-valuenow]").wait_for()
        expect(page.locator("#silent")).to_contain_text("is not there any more")
        expect(page.locator("#silent")).to_contain_text("What the index knows of it is shown.")
        expect(page.locator("#places")).to_contain_text("arousal")
        page.get_by_role("button", name="Play", exact=True).click()
        expect(page.locator("#unplayed")).to_contain_text("is not there any more")
    finally:
        gone.write_bytes(content)


def test_no_such_recording(open_page: Open) -> None:
    for id in ("0123456789abcdef", "%3Cimg%20src=x%20onerror=alert(1)%3E"):
        page = open_page(f"/recording/{id}?q=calm")
        expect(page.get_by_role("heading", level=1)).to_have_text("No recording")
        expect(page.locator("#problem")).to_be_visible()
        assert page.locator("img[src=x]").count() == 0
        page.get_by_role("link", name="Back to the search").click()
        expect(cards(page).first).to_be_visible()


def test_a_name_with_markup_stays_a_name(open_page: Open) -> None:
    page = open_page("/?where=" + quote(f"file = '{MARKUP}'"))
    page.goto(cards(page).first.locator(".course").evaluate("(a) => a.href"))
    shown(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(MARKUP)
    assert page.locator("main img").count() == 0


@pytest.mark.parametrize("known", [["arousal", "valence"], ["dominance"]], ids="-".join)
def test_a_model_that_does_not_know_every_dimension(open_page: Open, known: list[str]) -> None:
    page = open_page(STORY)

    def edited(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        said |= {"dimensions": known} if "dimensions" in said else {}
        for one in [*said.get("segments", []), *(said.get("voices", []) if "start" in said else [])]:
            one |= {name: None for name in ("valence", "arousal", "dominance") if name not in known}
        route.fulfill(response=answer, json=said)

    page.route(re.compile(r"/api/recordings/\w+(/course.*|/segments.*)?$"), edited)
    cards(page).first.get_by_role("link", name="Whole recording").click()
    shown(page)
    page.locator("#over").press("Home")
    expect(page.locator("#places .of").first).to_be_visible()
    said = page.locator("#places").inner_text()
    assert {name for name in ("valence", "arousal", "dominance") if name in said} == set(known)
    assert "NaN" not in page.locator("body").inner_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_and_widths(open_page: Open, scheme: str, width: int) -> None:
    size = {"width": width, "height": 844}
    page = whole(open_page, viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    axe(page)
    assert faults(page) == []
    dark = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((x) => x < 60)"
    assert page.evaluate(dark) == (scheme == "dark")
    picture = page.locator("#drawn").evaluate("(canvas) => canvas.toDataURL()")
    page.locator("#theme").click()
    page.wait_for_timeout(100)
    assert page.locator("#drawn").evaluate("(canvas) => canvas.toDataURL()") != picture
    page.get_by_role("button", name="Help").click()
    assert faults(page) == []
