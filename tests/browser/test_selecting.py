"""Selecting on the cards: by mouse, range and key; what is selected lasts."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.person import ask, cards, settled

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

CALM = "/?q=calm"
DESK = {"width": 1280, "height": 800}


def boxes(page: Page) -> list[bool]:
    """Which of the cards are selected."""
    return [box.is_checked() for box in page.locator("#results .pick input").all()]


def chosen(page: Page) -> list[int]:
    return [place for place, yes in enumerate(boxes(page)) if yes]


def kept(page: Page) -> dict[str, Any] | None:
    """What the browser keeps."""
    text = page.evaluate("localStorage.getItem('selected:voices')")
    return None if text is None else json.loads(text)  # type: ignore[no-any-return]


def test_by_mouse_and_range(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    tray = page.get_by_role("region", name="Selection")
    expect(tray).to_be_hidden()
    label = lambda place: cards(page).nth(place).locator(".pick")  # noqa: E731
    label(1).click()
    expect(tray).to_contain_text("1 selected")
    label(4).get_by_role("checkbox").click(modifiers=["Shift"])
    assert chosen(page) == [1, 2, 3, 4]
    label(2).click()
    assert chosen(page) == [1, 3, 4]
    label(0).get_by_text("Select").click(modifiers=["Shift"])  # by its words, and upwards
    assert chosen(page) == [0, 1, 2, 3, 4]
    label(3).get_by_role("checkbox").click()
    label(4).get_by_role("checkbox").click(modifiers=["Shift"])
    assert chosen(page) == [0, 1, 2]
    spoken = 0.0
    for place in chosen(page):
        spoken += sum(
            sign * float(time.split(":")[1])
            for sign, time in zip(
                (-1, 1), (cards(page).nth(place).locator(".span").text_content() or "").split(" – "), strict=True
            )
        )
    shown = (page.locator("#long").text_content() or "").split(":")
    assert 60 * int(shown[0]) + int(shown[1]) == pytest.approx(spoken, abs=0.7)
    assert page.evaluate("getSelection().toString()") == ""


def test_by_key(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    for key in ("ArrowDown", "ArrowDown", "x", "ArrowDown", "ArrowDown", "Shift+X"):
        page.keyboard.press(key)
    assert chosen(page) == [1, 2, 3]
    page.keyboard.press("x")
    assert chosen(page) == [1, 2]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(cards(page).nth(3).get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Space")
    assert chosen(page) == [1, 2, 3]
    page.keyboard.press("ArrowDown")  # from the box as from its card
    expect(page.locator(".card:focus")).to_have_attribute("data-id", cards(page).nth(4).get_attribute("data-id") or "")
    page.keyboard.press("t")
    expect(page.get_by_role("button", name="Clear")).to_be_focused()
    page.keyboard.press("Enter")
    assert chosen(page) == []
    expect(page.locator("#tray")).to_be_hidden()
    expect(page.get_by_label("Select all shown")).to_be_focused()
    page.locator("#text").press("x")
    assert chosen(page) == []


def test_the_tray_covers_nothing_that_has_the_focus(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK, reduced_motion="reduce")
    cards(page).first.locator(".pick").click()
    page.locator("#tray").evaluate("(tray) => Promise.all(tray.getAnimations().map((one) => one.finished))")
    covered = """() => document.activeElement.getBoundingClientRect().bottom
        - document.querySelector("#tray").getBoundingClientRect().top"""
    for key in ["ArrowDown"] * 6 + ["Tab"] * 30:
        page.keyboard.press(key)
        assert page.evaluate(covered) <= 0
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    for key in ("t", "Tab", "Tab", "Tab", "Tab"):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.closest('#tray') !== null")
    expect(page.get_by_role("button", name="Download clips (zip)")).to_be_focused()
    assert page.evaluate("scrollY") == scrolled


def test_all_that_are_shown(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    every = page.get_by_label("Select all shown")
    every.check()
    expect(page.locator("#many")).to_have_text("20 selected")
    page.get_by_role("button", name="Show more").click()
    settled(page)
    expect(page.locator("#load")).to_be_hidden()
    assert every.evaluate("(box) => box.indeterminate")
    assert chosen(page) == list(range(20))
    every.check()
    assert all(boxes(page))
    every.uncheck()
    expect(page.locator("#tray")).to_be_hidden()


def test_it_outlasts_searches_and_reloads_until_it_is_cleared(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    ids = [cards(page).nth(place).get_attribute("data-id") for place in (2, 0)]
    for id in ids:
        page.locator(f"[data-id='{id}'] .pick").click()
    ask(page, "furious, shouting")
    expect(page.locator("#many")).to_have_text("2 selected")
    page.reload()
    expect(page.locator("#many")).to_have_text("2 selected")
    page.goto(page.url.split("?")[0])
    expect(page.locator("#many")).to_have_text("2 selected")
    other = page.context.new_page()
    other.goto(page.url + CALM[1:])
    expect(other.locator("#many")).to_have_text("2 selected")
    ask(page, "calm")
    assert chosen(page) == [0, 2]
    assert [one["id"] for one in (kept(page) or {})["moments"]] == ids  # in the order of selecting
    other.get_by_role("button", name="Clear").click()
    expect(page.locator("#tray")).to_be_hidden()  # in the first tab as well
    assert chosen(page) == []
    assert kept(page) is None


@pytest.mark.parametrize("nonsense", ["{", "[]", "null", '{"version": 1, "moments": [{"id": 3}, null]}'])
def test_what_is_kept_may_be_nonsense(open_page: Open, nonsense: str) -> None:
    page = open_page(CALM, viewport=DESK)
    page.evaluate("(text) => localStorage.setItem('selected:voices', text)", nonsense)
    page.reload()
    settled(page)
    cards(page).first.locator(".pick").click()
    expect(page.locator("#many")).to_have_text("1 selected")


def test_without_storage_it_lasts_as_long_as_the_page(open_page: Open) -> None:
    page = open_page("/", viewport=DESK)
    page.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })")
    page.reload()
    ask(page, "calm")
    cards(page).first.locator(".pick").click()
    ask(page, "calm, quiet")
    expect(page.locator("#many")).to_have_text("1 selected")


def test_what_the_index_has_no_more_is_named_and_dropped(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    cards(page).first.locator(".pick").click()
    lost = {"id": "0123456789abcdef", "file": "<b>lost.ogg", "start": 61, "seconds": 2}
    now = kept(page)
    assert now is not None
    now = {"version": now["version"] - 1, "moments": [*now["moments"], lost]}
    page.evaluate("(text) => localStorage.setItem('selected:voices', text)", json.dumps(now))
    page.reload()
    said = page.locator("#told")
    expect(said).to_have_text("No longer in the index, so no longer selected, is: <b>lost.ogg 1:01.0.")
    expect(page.locator("#many")).to_have_text("1 selected")
    assert len((kept(page) or {})["moments"]) == 1
    page.evaluate(
        "(text) => localStorage.setItem('selected:voices', text)", json.dumps({"version": 0, "moments": [lost] * 3})
    )
    page.reload()
    expect(said).to_contain_text("lost.ogg")  # said, though nothing is selected any more
    expect(page.locator("#chosen")).to_be_hidden()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator("#tray")).to_be_hidden()
