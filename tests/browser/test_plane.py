"""The plane: by mouse, by numbers, by keys."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.person import ask, at, cards, chips, ids, places, settled

Open = Callable[..., Page]

PHONE = {"width": 360, "height": 740}


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *start))
    page.mouse.down()
    page.mouse.move(*at(page, (start[0] + end[0]) / 2, end[1]), steps=3)
    page.mouse.move(*at(page, *end), steps=3)
    with page.expect_response("**/api/search"):
        page.mouse.up()
    settled(page)


def test_a_click_finds_what_lies_near(page: Page) -> None:
    with page.expect_response("**/api/search") as answer:
        page.mouse.click(*at(page, 3.5, 3.0))
    settled(page)
    near = answer.value.request.post_data_json["near"]
    assert near == {"valence": pytest.approx(3.5, abs=0.05), "arousal": pytest.approx(3.0, abs=0.05), "radius": 0.6}
    assert "near=3.5" in page.url
    assert places(page)
    assert all((v - near["valence"]) ** 2 + (a - near["arousal"]) ** 2 <= 0.75**2 for v, a in places(page))
    expect(cards(page).first.locator(".fit")).to_contain_text("away on the plane")
    assert chips(page) == ["near valence 3.5, arousal 3.0, within 0.6"]


def test_the_radius_can_be_drawn_wider(page: Page) -> None:
    page.mouse.click(*at(page, 3.5, 3.0))
    settled(page)
    few = page.locator("#status b").text_content()
    with page.expect_response("**/api/search"):
        page.locator("#slide").fill("2")
    settled(page)
    assert "within 2.0" in chips(page)[0]
    assert page.locator("#status b").text_content() != few


def test_a_drag_finds_a_region_and_escape_clears_it(page: Page) -> None:
    ask(page, "loud")
    every = page.locator("#status b").text_content()
    drag(page, (1.0, 4.8), (4.6, 6.9))
    assert places(page)
    assert all(v <= 4.7 and a >= 4.7 for v, a in places(page))
    assert "region=1,4." in page.url
    assert chips(page)[0].startswith("region valence 1.0–4.6, arousal 4.8–6.9")
    page.locator("header").click(position={"x": 300, "y": 5})
    with page.expect_response("**/api/search"):
        page.keyboard.press("Escape")
    settled(page)
    assert chips(page) == []
    assert page.locator("#status b").text_content() == every


def test_cards_and_dots_light_each_other(page: Page) -> None:
    ask(page, "furious, shouting")
    before = page.locator("#marks").evaluate("(canvas) => canvas.toDataURL()")
    cards(page).nth(1).hover()
    ringed = page.locator("#marks").evaluate("(canvas) => canvas.toDataURL()")
    assert ringed != before
    valence, arousal = places(page)[0]
    page.mouse.move(*at(page, valence, arousal))
    lit = page.locator(".card.lit")
    expect(lit).to_have_count(1)
    chosen = lit.get_attribute("data-id")
    page.mouse.click(*at(page, valence, arousal))
    expect(page.locator(".card:focus")).to_have_attribute("data-id", chosen or "")
    assert chips(page) == []


def test_a_place_by_numbers(page: Page) -> None:
    page.get_by_text("A place by numbers").click()
    for name, value in (("Valence", "2"), ("Arousal", "5.7"), ("Radius", "1")):
        page.locator("#place").get_by_label(name).fill(value)
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name="Search there").click()
    settled(page)
    assert "near=2,5.7,1" in page.url
    assert cards(page).count() > 0


def test_the_cloud_shows_every_segment_and_follows_the_index(page: Page) -> None:
    drawn = page.locator("#points").evaluate(
        "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((x) => x > 0)"
    )
    assert drawn

    def newer(route) -> None:  # type: ignore[no-untyped-def]
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "index_version": 99})

    page.route("**/api/search", newer)
    with page.expect_response("**/api/plane"):
        ask(page, "calm")


def test_a_hundred_thousand_points_are_drawn_at_once(page: Page) -> None:
    milliseconds = page.evaluate(
        """async () => {
            const { density } = await import('/static/density.js');
            const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 800 });
            const values = Uint16Array.from({ length: 200000 }, () => 65535 * Math.random());
            const begun = performance.now();
            density(canvas, values, { left: 40, right: 18, top: 18, bottom: 40 }, 2);
            return performance.now() - begun;
        }"""
    )
    assert milliseconds < 1000  # 25 to 70 where nothing else runs


def test_a_finger_on_a_narrow_screen(open_page: Open) -> None:
    page = open_page("/", viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.locator("#plane")).to_be_hidden()
    page.get_by_role("button", name="Plane").tap()
    page.locator("aside").evaluate("(sheet) => Promise.all(sheet.getAnimations().map((one) => one.finished))")
    with page.expect_response("**/api/search"):
        page.touchscreen.tap(*at(page, 3.5, 3.0))
    settled(page)
    assert "near=3." in page.url
    assert len(ids(page)) > 0
