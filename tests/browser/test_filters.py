"""Filters by fields and by an expression, grouping."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import MARKUP
from tests.browser.person import ask, cards, chips, ids, names, places, settled

pytestmark = pytest.mark.slow

Open = Callable[..., Page]


def value(page: Page, column: str, name: str) -> Locator:
    facet = page.locator(".facet").filter(has=page.locator("summary", has_text=column))
    return facet.locator("label").filter(has=page.get_by_text(name, exact=True)).get_by_role("checkbox")


def choose(page: Page, column: str, name: str) -> None:
    """Choose a value, or no longer; wait for the answer."""
    facet = page.locator(".facet").filter(has=page.locator("summary", has_text=column))
    if facet.get_attribute("open") is None:
        facet.locator("summary").click()
    with page.expect_response("**/api/facets"):
        value(page, column, name).click()
    settled(page)


def test_fields_come_from_the_columns(page: Page) -> None:
    ask(page, "calm")
    page.get_by_role("button", name="Filters").click()
    choose(page, "speaker", "ben")
    assert set(name.split("-")[1].split(".")[0] for name in names(page)) == {"ben"}
    choose(page, "whispered", "yes")
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
    expect(value(page, "speaker", "ben")).not_to_be_checked()
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
        page.get_by_label("Groups").select_option("recording")
    settled(page)
    assert names(page).count("story-ben.ogg") == 1
    expect(page.locator("#status")).to_contain_text("recordings")
    expect(cards(page).filter(has_text="story-ben.ogg")).to_contain_text("more in this recording")
    assert page.url.endswith("group=recording")


def test_several_values_are_alternatives_and_counts_follow_the_other_filters(page: Page, open_page: Open) -> None:
    ask(page, "calm")
    page.get_by_role("button", name="Filters").click()
    choose(page, "speaker", "ben")
    choose(page, "speaker", "ann")
    assert {name.split("-")[1].split(".")[0] for name in names(page)} == {"ann", "ben"}
    assert chips(page) == ["speaker is ben", "speaker is ann"]
    expect(value(page, "speaker", "ann")).to_be_focused()
    counts = {
        column: dict(
            zip(
                facet.locator("label span").all_text_contents(),
                map(int, facet.locator("label small").all_text_contents()),
                strict=True,
            )
        )
        for facet in page.locator(".facet").all()
        for column in [(facet.locator("summary").text_content() or "").split(" ")[0]]
    }
    assert set(counts["speaker"]) == {"ann", "ben", "eve", "none"}  # its own choices do not count for it
    assert page.locator("#status b").text_content() == f"{sum(counts['whispered'].values())} moments"
    assert sum(counts["recording"].values()) >= sum(counts["whispered"].values())
    shared = open_page(page.url, viewport={"width": 1024, "height": 700})
    expect(value(shared, "speaker", "ann")).to_be_checked()
    assert ids(shared) == ids(page)


def test_a_value_that_is_none_and_names_with_markup(page: Page) -> None:
    page.get_by_role("button", name="Filters").click()
    choose(page, "speaker", "none")
    assert names(page) == [MARKUP, "gone.ogg"] or names(page) == [MARKUP]
    choose(page, "recording", f"voices/{MARKUP}")
    assert names(page) == [MARKUP]


def test_days_are_bounds(page: Page) -> None:
    page.get_by_role("button", name="Filters").click()
    with page.expect_response("**/api/search"):
        page.get_by_label("date, first").fill("2020-01-01")
        page.get_by_label("date, first").blur()
    settled(page)
    assert cards(page).count() == 20
    with page.expect_response("**/api/search"):
        page.get_by_label("date, last").fill("2020-01-02")
        page.get_by_label("date, last").blur()
    settled(page)
    expect(page.locator("#status")).to_have_text("Nothing found.")


def test_sorted_by_a_dimension_both_ways(page: Page, open_page: Open) -> None:
    ask(page, "calm")
    with page.expect_response("**/api/search") as answer:
        page.get_by_label("Sort by").select_option("arousal")
    settled(page)
    assert answer.value.request.post_data_json["best"] == 200
    arousal = [arousal for _, arousal in places(page)]
    assert arousal == sorted(arousal, reverse=True)
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name="Order: descending").click()
    settled(page)
    arousal = [arousal for _, arousal in places(page)]
    assert arousal == sorted(arousal)
    assert page.url.endswith("sort=arousal&order=ascending")
    other = open_page(page.url, viewport={"width": 1024, "height": 700})
    assert ids(other) == ids(page)
    expect(other.get_by_label("Sort by")).to_have_value("arousal")


def test_one_per_speaker_and_dates_are_shown_where_they_order(page: Page) -> None:
    ask(page, "calm")
    with page.expect_response("**/api/search"):
        page.get_by_label("Groups").select_option("speaker")
    settled(page)
    expect(cards(page)).to_have_count(4)
    expect(page.locator("#status b")).to_have_text("4 groups")
    with page.expect_response("**/api/search"):
        page.get_by_label("Sort by").select_option("date")
    settled(page)
    expect(cards(page).first.locator(".labels")).to_contain_text("20")


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_a_search_is_saved_opened_and_deleted(open_page: Open, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    ask(page, "calm <b>voice")
    if width < 640:  # folded away with the filters
        page.locator("#filter").click()
    with page.expect_response("**/api/search"):
        page.get_by_label("Sort by").select_option("valence")
    settled(page)
    found, address = ids(page), page.url
    page.get_by_role("button", name="Searches").click()
    name = page.get_by_label("Save this search as")
    name.fill("../x")
    name.press("Enter")
    expect(page.locator("#search-wrong")).to_contain_text("begins with a letter or digit")
    name.fill(f"calm ones {width}")
    name.press("Enter")
    expect(page.get_by_role("button", name=f"calm ones {width}", exact=True)).to_be_visible()
    expect(page.locator("#kept-searches")).to_contain_text("“calm <b>voice”, by valence")
    page.keyboard.press("Escape")
    page.goto("/".join(address.split("/")[:3]) + "/")
    page.get_by_role("button", name="Searches").click()
    expect(page.get_by_label("Save this search as")).to_be_hidden()
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name=f"calm ones {width}", exact=True).click()
    settled(page)
    assert (ids(page), page.url) == (found, address)
    page.get_by_role("button", name="Searches").click()
    page.get_by_role("button", name=f"Delete calm ones {width}").click()
    expect(page.get_by_role("button", name=f"calm ones {width}", exact=True)).to_have_count(0)
