"""On a phone and at 200 % zoom: results first, the plane in a sheet, targets for fingers, and axe in every state."""

from collections.abc import Callable
from urllib.parse import quote

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.person import ask, at, cards, settled
from tests.browser.test_look import axe

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
ZOOMED = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}  # 1280 x 800 at 200 %
DESK = {"viewport": {"width": 1280, "height": 800}}
FOUND = "async () => (await axe.run()).violations.map(({ id, nodes }) => [id, nodes.map((one) => String(one.target))])"
FINGER = 44  # css pixels
SMALL = """(least) => [...document.querySelectorAll("button, select, summary, .clip, .check, .pick, input, li[id]")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches("[type=checkbox]"))
    .map((one) => [one.id || one.className || one.textContent, one.getBoundingClientRect()])
    .filter(([, box]) => box.width && (box.height < least || box.width < least))
    .map(([name, box]) => `${name} ${Math.round(box.width)} x ${Math.round(box.height)}`)"""


@pytest.mark.parametrize("options", [PHONE, ZOOMED], ids=["phone", "zoomed"])
def test_results_come_first_and_the_plane_lies_in_a_sheet(open_page: Open, options: dict[str, object]) -> None:
    page = open_page("/?q=calm", **options)
    first = cards(page).first.bounding_box()
    assert first is not None
    assert first["y"] < 540
    expect(page.locator("#plane")).to_be_hidden()
    opener = page.get_by_role("button", name="Plane")
    opener.click()
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#no-sheet")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#plane")).to_be_hidden()
    expect(opener).to_be_focused()
    opener.click()
    expect(page.locator("#plane")).to_be_in_viewport(ratio=0.9)
    drawn = "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((x) => x)"
    assert page.locator("#points").evaluate(drawn)
    page.get_by_role("button", name="Back to the results").click()
    expect(page.locator("#plane")).to_be_hidden()
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_a_tap_searches_and_a_swipe_scrolls(open_page: Open) -> None:
    page = open_page("/", **PHONE)
    page.get_by_role("button", name="Plane").tap()
    page.locator("aside").evaluate("(sheet) => Promise.all(sheet.getAnimations().map((one) => one.finished))")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/api/search" in request.url else None)
    x, y = at(page, 3.5, 3.0)
    touch = page.context.new_cdp_session(page)
    touch.send("Input.synthesizeScrollGesture", {"x": x, "y": y, "yDistance": -120, "gestureSourceType": "touch"})
    assert asked == []
    with page.expect_response("**/api/search"):
        page.touchscreen.tap(*at(page, 3.5, 3.0))
    settled(page)
    assert "near=3." in page.url
    expect(page.locator("#plane")).to_be_visible()
    page.get_by_role("button", name="Back to the results").tap()
    assert cards(page).count() > 0


def test_words_and_targets_are_for_fingers(open_page: Open) -> None:
    page = open_page("/", **PHONE)
    expect(page.locator("#welcome")).to_contain_text("open the plane and tap it")
    assert "click" not in page.locator("main").inner_text().lower()
    assert "drop" not in page.locator("main").inner_text().lower()
    assert page.evaluate(SMALL, FINGER) == []
    page.get_by_role("button", name="Help").tap()
    expect(page.get_by_role("heading", name="Touch")).to_be_visible()
    expect(page.locator("#help kbd").first).to_be_hidden()
    page.keyboard.press("Escape")
    ask(page, "calm, not angry")
    page.get_by_role("button", name="Filters").tap()
    assert page.evaluate(SMALL, FINGER) == []
    page.get_by_role("button", name="Plane").tap()
    expect(page.locator("#reading")).to_have_text("Tap for what lies near.")
    page.get_by_text("A place by numbers").tap()
    assert page.evaluate(SMALL, FINGER) == []


def test_targets_of_a_recording_are_for_fingers(open_page: Open) -> None:
    page = open_page("/?q=calm&where=" + quote("file = 'story-ben.ogg'"), **PHONE)
    cards(page).first.get_by_role("link", name="Whole recording").tap()
    page.locator("#over[aria-valuenow]").wait_for()
    assert page.evaluate(SMALL, FINGER) == []
    assert page.evaluate("() => document.scrollingElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Help").tap()
    assert page.evaluate(SMALL, FINGER) == []


def welcome(page: Page) -> None:
    page.locator("#filter").click()


def completions(page: Page) -> None:
    page.get_by_label("How it sounds", exact=True).press_sequentially("tired")
    page.get_by_role("option").nth(1).wait_for()
    page.keyboard.press("ArrowDown")


def results(page: Page) -> None:
    ask(page, "calm, not angry")
    page.locator("#filter").click()
    page.get_by_text("Where this comes from").click()
    page.locator("#origins ul").wait_for()


def weak(page: Page) -> None:
    ask(page, "zxqw invoice number")


def nothing(page: Page) -> None:
    ask(page, "calm")
    page.locator("#filter").click()
    with page.expect_response("**/api/search"):
        page.get_by_label("Expression").fill("duration > 1000")
        page.get_by_label("Expression").press("Enter")
    settled(page)


def refused(page: Page) -> None:
    page.route("**/api/search", lambda route: route.abort("connectionrefused"))
    page.get_by_label("How it sounds", exact=True).fill("calm")
    page.keyboard.press("Enter")
    page.locator("#problem:not([hidden])").wait_for()


def by_recording(page: Page) -> None:
    page.get_by_role("button", name="By a clip").click()
    page.locator("#sound").evaluate("(box) => box.classList.add('recording')")


def sheet(page: Page) -> None:
    ask(page, "calm")
    page.get_by_role("button", name="Plane").click()
    page.get_by_text("A place by numbers").click()


def helped(page: Page) -> None:
    page.get_by_role("button", name="Help").click()


STATES = [welcome, completions, results, weak, nothing, refused, by_recording, helped]


@pytest.mark.parametrize(("state", "options"), [*((state, None) for state in STATES), (sheet, PHONE), (results, PHONE)])
def test_axe_finds_nothing_in_any_state(open_page: Open, state: Callable[[Page], None], options: object) -> None:
    page = open_page(
        "/", reduced_motion="reduce", bypass_csp=True, **(options or {"viewport": {"width": 1280, "height": 800}})
    )  # type: ignore[arg-type]
    state(page)
    axe(page)
    for _ in ("light", "dark"):
        assert page.evaluate(FOUND) == []
        page.evaluate("document.getElementById('theme').click()")
    assert page.locator("h1").count() == 1
