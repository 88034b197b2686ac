"""Completing a description, hints with what to try, how well it fits, where it comes from."""

import re
from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from tests.browser.person import ask, cards, chips, settled

Open = Callable[..., Page]


def write(page: Page, text: str) -> None:
    """Type, and wait for the suggestions."""
    with page.expect_response("**/api/suggestions*"):
        page.get_by_label("How it sounds", exact=True).press_sequentially(text)


def test_a_description_is_completed_by_the_keys(page: Page) -> None:
    field = page.get_by_role("combobox", name="How it sounds")
    options = page.get_by_role("listbox", name="Descriptions that go on from this").get_by_role("option")
    expect(field).to_have_attribute("aria-expanded", "false")
    write(page, "tired")
    expect(options.first).to_contain_text("tired")
    expect(field).to_have_attribute("aria-expanded", "true")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id") or "")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert field.get_attribute("aria-activedescendant") is None
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_have_value("tired")
    page.keyboard.press("ArrowDown")
    expect(options.first).to_be_visible()
    chosen = options.first.text_content() or ""
    page.keyboard.press("ArrowDown")
    with page.expect_response("**/api/search") as answer:
        page.keyboard.press("Enter")
    settled(page)
    assert answer.value.request.post_data_json["texts"] == [{"text": chosen, "weight": 1}]
    expect(field).to_have_value(chosen)
    expect(options).to_have_count(0)


def test_a_suggestion_is_clicked_and_enter_alone_takes_what_is_written(page: Page) -> None:
    options = page.locator("#completions").get_by_role("option")
    write(page, "furious")
    with page.expect_response("**/api/search"):
        page.keyboard.press("Enter")
    settled(page)
    expect(page.get_by_label("How it sounds", exact=True)).to_have_value("furious")
    expect(options).to_have_count(0)
    page.get_by_label("How it sounds", exact=True).fill("")
    write(page, "whisp")
    text = options.first.text_content()
    with page.expect_response("**/api/search"):
        options.first.click()
    settled(page)
    expect(page.get_by_label("How it sounds", exact=True)).to_have_value(text or "")
    page.get_by_label("How it sounds", exact=True).fill("")
    write(page, "sad")
    page.keyboard.press("Tab")
    expect(options).to_have_count(0)


def test_nothing_moves_while_suggestions_come_and_go(page: Page) -> None:
    def places() -> object:
        return page.evaluate(
            "[...document.querySelectorAll('#welcome, .bar, #plane')].map((x) => x.getBoundingClientRect().y)"
        )

    before = places()
    write(page, "c")
    expect(page.locator("#completions").get_by_role("option").first).to_be_visible()
    assert places() == before
    page.route("**/api/suggestions*", lambda route: route.abort())
    page.keyboard.type("alm")
    expect(
        page.locator("#completions").get_by_role("option").first
    ).to_be_visible()  # an answer that fails takes nothing away
    assert places() == before


def test_suggestions_that_come_late_do_not_open_over_the_results(page: Page) -> None:
    held: list[Route] = []
    page.route("**/api/suggestions*", lambda route: held.append(route))
    page.get_by_label("How it sounds", exact=True).press_sequentially("tired")
    page.wait_for_timeout(200)
    with page.expect_response("**/api/search"):
        page.keyboard.press("Enter")
    settled(page)
    for route in held:
        route.fulfill(json={"suggestions": [{"text": "tired", "valence": 3, "arousal": 2}]})
    page.wait_for_timeout(100)
    expect(page.locator("#completions").get_by_role("option")).to_have_count(0)


def test_a_not_is_offered_apart(page: Page) -> None:
    ask(page, "calm, not angry")
    expect(page.get_by_role("status").filter(has_text="what is not wanted works better apart")).to_be_visible()
    with page.expect_response("**/api/search") as answer:
        page.get_by_role("button", name="calm, but not angry").click()
    settled(page)
    assert answer.value.request.post_data_json["texts"] == [
        {"text": "calm", "weight": 1},
        {"text": "angry", "weight": -0.5},
    ]
    assert chips(page) == ["but not angry"]
    expect(page.locator("#hint")).to_be_empty()
    expect(page.locator("#instead button")).to_have_count(0)
    ask(page, "not crying")
    page.get_by_role("button", name="anything but crying").click()
    settled(page)
    assert chips(page) == ["but not angry", "but not crying"]
    expect(page.get_by_label("How it sounds", exact=True)).to_have_value("")


def test_what_reads_like_speech_gets_suggestions(page: Page) -> None:
    ask(page, "oh wow that's amazing")
    expect(page.locator("#hint")).to_contain_text("reads like something that is said")
    first = page.locator("#instead button").first
    text = first.text_content() or ""
    with page.expect_response("**/api/search"):
        first.click()
    settled(page)
    expect(page.get_by_label("How it sounds", exact=True)).to_have_value(text)


def test_how_well_it_fits_is_said_in_words(page: Page) -> None:
    ask(page, "calm, neutral")
    expect(page.locator("#fit")).to_have_text(re.compile("fits (well|partly)"))
    strong = cards(page).first.locator(".fit b").evaluate("(b) => getComputedStyle(b).fontWeight")
    ask(page, "ecstatic, screaming with joy")
    expect(page.locator("#fit")).to_have_text("little here fits")
    assert cards(page).first.locator(".fit b").evaluate("(b) => getComputedStyle(b).fontWeight") != strong
    ask(page, "zxqw invoice number")
    expect(page.locator("#fit")).to_have_text("says little about a voice")
    assert cards(page).first.locator(".fit b").evaluate("(b) => getComputedStyle(b).fontWeight") != strong
    page.locator(".brand").click()
    expect(page.locator("#fit")).to_be_empty()


def test_where_it_comes_from_is_unfolded(page: Page) -> None:
    ask(page, "furious, shouting")
    with page.expect_response("**/api/search") as answer:
        page.get_by_text("Where this comes from").click()
    assert answer.value.request.post_data_json["why"] is True
    box = page.locator("#origins")
    expect(box).to_contain_text(re.compile(r"“furious, shouting” asks for .*valence \d\.\d, arousal \d\.\d"))
    expect(box.locator("li")).to_have_count(5)
    expect(box).to_contain_text("What was found lies, on average, at")
    ask(page, "calm")
    expect(box).to_be_hidden()
