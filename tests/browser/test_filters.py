"""Filters by fields and by an expression, grouping."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.person import ask, cards, chips, ids, names, settled

Open = Callable[..., Page]


def test_fields_come_from_the_columns(page: Page) -> None:
    ask(page, "calm")
    page.get_by_role("button", name="Filters").click()
    with page.expect_response("**/api/search"):
        page.get_by_label("speaker").select_option("ben")
    settled(page)
    assert set(name.split("-")[1].split(".")[0] for name in names(page)) == {"ben"}
    with page.expect_response("**/api/search"):
        page.get_by_label("whispered").select_option("yes")
    settled(page)
    assert sorted(names(page)) == ["drained-ben-1.ogg", "drained-ben-2.ogg"]
    page.get_by_label("take, lowest").fill("2")
    with page.expect_response("**/api/search"):
        page.get_by_label("take, lowest").press("Enter")
    settled(page)
    assert names(page) == ["drained-ben-2.ogg"]
    assert chips(page) == ["speaker is ben", "whispered is yes", "take ≥ 2"]
    expect(page.locator("#filter")).to_have_text("Filters (3)")
    page.get_by_role("button", name="Take out: speaker").click()
    settled(page)
    expect(page.get_by_label("speaker")).to_have_value("")
    expect(cards(page)).to_have_count(3)


def test_a_filter_alone_is_a_search_and_has_an_address(page: Page, open_page: Open) -> None:
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Expression").fill("speaker = 'ann' and duration > 2")
    with page.expect_response("**/api/search"):
        page.get_by_label("Expression").press("Enter")
    settled(page)
    assert names(page)
    assert all("-ann-" in name for name in names(page))
    other = open_page(page.url, viewport={"width": 1024, "height": 700})
    expect(cards(other).first).to_be_visible()
    assert ids(other) == ids(page)
    expect(other.get_by_label("Expression")).to_have_value("speaker = 'ann' and duration > 2")


def test_a_bad_filter_is_said_beside_the_field(page: Page) -> None:
    ask(page, "calm")
    page.get_by_role("button", name="Filters").click()
    field = page.get_by_label("Expression")
    field.fill("speakr = 'ann'")
    field.press("Enter")
    expect(page.locator("#where-error")).to_contain_text("There is no column 'speakr'; there are path")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#problem")).to_be_hidden()
    field.fill("speaker = 'ann'")
    with page.expect_response("**/api/search"):
        field.press("Enter")
    settled(page)
    expect(page.locator("#where-error")).to_be_hidden()
    assert cards(page).count() > 0


def test_one_hit_a_recording(page: Page) -> None:
    ask(page, "calm")
    assert names(page).count("story-ben.ogg") > 1
    with page.expect_response("**/api/search"):
        page.get_by_label("One per recording").check()
    settled(page)
    assert names(page).count("story-ben.ogg") == 1
    expect(page.locator("#status")).to_contain_text("recordings")
    expect(cards(page).filter(has_text="story-ben.ogg")).to_contain_text("more in this recording")
    assert page.url.endswith("group=1")
