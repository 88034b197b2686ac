"""Widths, colours, keys, and what a screen reader finds."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.person import ask, cards, chips, ids, settled

Open = Callable[..., Page]

PHONE = {"width": 360, "height": 740}

RESULTS = "/?q=furious,+shouting&not=crying&near=3,5,3&pick=max:duration:9"


@pytest.mark.parametrize("path", ["/", RESULTS, "/?q=calm&where=nothing"])
def test_a_narrow_screen_never_scrolls_sideways(open_page: Open, path: str) -> None:
    page = open_page(path, viewport=PHONE)
    page.locator("#filter").click()
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_dark_and_light(open_page: Open) -> None:
    dark = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((x) => x < 60)"
    page = open_page(RESULTS, color_scheme="dark")
    assert page.evaluate(dark)
    cloud = page.locator("#points").evaluate("(canvas) => canvas.toDataURL()")
    page.get_by_role("button", name="Change to light colours").click()
    assert not page.evaluate(dark)
    assert page.locator("#points").evaluate("(canvas) => canvas.toDataURL()") != cloud
    page.reload()
    assert not page.evaluate(dark)
    expect(page.get_by_role("button", name="Change to dark colours")).to_be_visible()
    page = open_page(RESULTS, color_scheme="light")
    assert not page.evaluate(dark)
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(dark)


def test_keys(page: Page) -> None:
    page.keyboard.press("/")
    expect(page.get_by_label("How it sounds")).to_be_focused()
    page.keyboard.type("calm / m ? voice")
    with page.expect_response("**/api/search"):
        page.keyboard.press("Enter")
    settled(page)
    assert page.get_by_label("How it sounds").input_value() == "calm / m ? voice"
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("How it sounds")).to_be_focused()
    page.get_by_label("How it sounds").blur()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    expect(page.locator(".card:focus")).to_have_attribute("data-id", ids(page)[1])
    page.keyboard.press(" ")
    expect(page.locator(".card.playing")).to_have_attribute("data-id", ids(page)[1])
    page.keyboard.press(" ")
    expect(page.locator(".card.playing")).to_have_count(0)
    with page.expect_response("**/api/search"):
        page.keyboard.press("m")
    settled(page)
    assert chips(page)[0].startswith("more like")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_the_number_of_results_is_told(page: Page) -> None:
    ask(page, "calm")
    status = page.get_by_role("status").filter(has_text="moments")
    expect(status).to_have_attribute("aria-live", "polite")
    assert cards(page).count() == 20


@pytest.mark.slow
@pytest.mark.parametrize(("path", "scheme"), [("/", "light"), (RESULTS, "light"), (RESULTS, "dark")])
def test_axe_finds_nothing_serious(open_page: Open, path: str, scheme: str) -> None:
    page = open_page(path, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page.locator("#filter").click()
    page.locator("#place summary").click()
    axe(page)
    assert faults(page) == []
    if path == "/":
        page.get_by_role("button", name="Help").click()
        assert faults(page) == []


def test_a_hint_on_a_description_is_told_and_fits(open_page: Open) -> None:
    page = open_page(viewport=PHONE, reduced_motion="reduce", bypass_csp=True)
    ask(page, "zxqw" * 20)
    expect(page.get_by_role("status").filter(has_text="says little about a voice")).to_be_visible()
    assert cards(page).count() > 0
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    axe(page)
    assert faults(page) == []
    ask(page, "calm")
    expect(page.locator("#hint")).to_be_empty()


def axe(page: Page) -> None:
    """Bring axe onto a page; the test is skipped where it is not installed."""
    found = importlib.util.find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("axe-core-python is not installed")
    page.evaluate((Path(found.origin).parent / "axe.min.js").read_text("utf8"))


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """What axe calls serious or critical, and where."""
    report = page.evaluate("() => axe.run()")
    assert len(report["passes"]) > 10
    return [
        (fault["id"], [str(node["target"]) for node in fault["nodes"]])
        for fault in report["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
