"""The plane as an instrument: zoom, lasso, colours, the name of a dot, what passes, histograms, disagreement."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from tests.browser.person import ask, at, cards, chips, ids, places, settled
from tests.browser.test_filters import choose
from tests.browser.test_look import axe, faults

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

DRAWN = (
    "(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((x) => x).length"
)


def cloud(page: Page) -> str:
    """What is drawn, once it is."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    drawn: str = page.locator("#points").evaluate("(canvas) => canvas.toDataURL()")
    return drawn


def sheet(page: Page) -> None:
    """On a narrow screen the plane lies in a sheet."""
    if page.locator("#to-plane").is_visible():
        page.locator("#to-plane").click()
        page.locator(".sheet").wait_for()


def coloured(page: Page, by: str) -> None:
    if page.locator("#seeing").get_attribute("open") is None:
        page.locator("#seeing summary").click()
    with page.expect_response("**/api/plane/codes*"):
        page.get_by_label("Colour by").select_option(by)
    page.locator("#legend:not([hidden])").wait_for()


@pytest.mark.parametrize("width", [1440, 800, 390])
def test_a_lasso_finds_what_lies_in_it_and_has_an_address(open_page: Open, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 900}, reduced_motion="reduce")
    sheet(page)
    page.get_by_role("button", name="Draw a lasso").click()
    corners = [(2.0, 3.0), (4.5, 3.0), (4.5, 4.6), (3.2, 4.9), (2.0, 4.6)]
    page.locator("#marks").scroll_into_view_if_needed()
    page.mouse.move(*at(page, *corners[0]))
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*at(page, *corner), steps=4)
    with page.expect_response("**/api/search") as answer:
        page.mouse.up()
    settled(page)
    asked = answer.value.request.post_data_json["region"]["corners"]
    assert 3 <= len(asked) <= 60
    assert chips(page) == [f"region drawn, {len(asked)} corners"]
    found = places(page)
    assert found
    assert all(1.9 <= v <= 4.6 and 2.9 <= a <= 5.0 for v, a in found)
    again = open_page(page.url, viewport={"width": width, "height": 900})
    assert ids(again) == ids(page)
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]


def test_a_region_shows_each_recording_before_any_a_second_time(open_page: Open) -> None:
    page = open_page("/?region=1,7,1,7")
    names = page.locator("#results .name").all_text_contents()
    assert len(set(names)) == len(names) == 20


def test_zoom_by_wheel_keys_and_buttons_and_back(page: Page) -> None:
    whole = cloud(page)
    expect(page.get_by_role("button", name="Show all")).to_be_disabled()
    page.mouse.move(*at(page, 3, 4))
    page.mouse.wheel(0, -300)
    closer = cloud(page)
    assert closer != whole
    page.mouse.wheel(0, 5000)
    assert cloud(page) == whole
    before = page.evaluate("() => scrollY")
    page.locator("#marks").focus()
    for key in ("+", "+", "ArrowRight", "ArrowUp"):
        seen = cloud(page)
        page.keyboard.press(key)
        assert cloud(page) != seen, key
    assert page.evaluate("() => scrollY") == before
    page.keyboard.press("0")
    assert cloud(page) == whole
    page.get_by_role("button", name="Closer").click()
    assert cloud(page) != whole
    page.get_by_role("button", name="Farther").click()
    assert cloud(page) == whole
    assert page.url.endswith("/")


def test_a_click_means_the_place_that_is_seen(page: Page) -> None:
    page.locator("#marks").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    span = 6 / 1.35**2
    x, y = at(page, 4 + span / 4 * 6 / span, 4.0)  # half way from the middle to the right edge
    with page.expect_response("**/api/search") as answer:
        page.mouse.click(x, y)
    settled(page)
    near = answer.value.request.post_data_json["near"]
    assert near["valence"] == pytest.approx(4 + span / 4, abs=0.05)
    assert near["arousal"] == pytest.approx(4.0, abs=0.05)


def test_moving_the_plane_searches_nothing(page: Page) -> None:
    page.locator("#marks").focus()
    page.keyboard.press("+")
    page.get_by_role("button", name="Move around").click()
    seen = cloud(page)
    page.mouse.move(*at(page, 4, 4))
    page.mouse.down()
    page.mouse.move(*at(page, 5, 5), steps=4)
    page.mouse.up()
    assert cloud(page) != seen
    assert page.url.endswith("/")


def test_two_fingers_zoom(open_page: Open) -> None:
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce")
    sheet(page)
    whole = cloud(page)
    page.locator("#marks").evaluate(
        """(marks) => {
            const box = marks.getBoundingClientRect();
            const send = (type, id, x) => marks.dispatchEvent(new PointerEvent(type, {
                pointerId: id, pointerType: 'touch', button: 0, bubbles: true, clientX: box.x + x, clientY: box.y + 100,
            }));
            marks.setPointerCapture = () => {};
            send('pointerdown', 1, 150); send('pointerdown', 2, 200);
            for (let i = 1; i <= 5; i++) { send('pointermove', 1, 150 - 10 * i); send('pointermove', 2, 200 + 10 * i); }
            send('pointerup', 1, 100); send('pointerup', 2, 250);
        }"""
    )
    assert cloud(page) != whole
    assert page.url.endswith("/")
    expect(page.get_by_role("button", name="Show all")).to_be_enabled()


def test_a_dot_has_a_name_and_plays(page: Page) -> None:
    ask(page, "furious, shouting")
    valence, arousal = places(page)[0]
    page.mouse.move(*at(page, valence, arousal))
    tip = page.locator("#tip")
    expect(tip).to_contain_text("valence")
    name = page.locator("#tip-name").text_content() or ""
    tip.get_by_role("button", name=f"Play {name}").click()
    expect(tip.get_by_role("button", name=f"Pause {name}")).to_be_visible()
    tip.get_by_role("button", name=f"Pause {name}").click()
    page.mouse.move(5, 5)
    expect(tip).to_be_hidden()
    with page.expect_response("**/api/plane/*"):
        page.locator("#marks").press("Enter")
    expect(page.locator("#tip-play")).to_be_focused()
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    expect(page.locator("#marks")).to_be_focused()
    assert chips(page) == []


def test_a_dot_of_an_index_that_has_changed_renews_the_plane(page: Page) -> None:
    gone = {"error": {"code": "changed", "message": "The index has changed."}}
    page.route("**/api/plane/*version*", lambda route: route.fulfill(status=409, json=gone))
    with page.expect_response("**/api/index"):
        page.locator("#marks").press("Enter")
    expect(page.locator("#tip")).to_be_hidden()


def test_colours_have_a_legend_with_counts_that_can_be_switched_off(page: Page) -> None:
    by_place = cloud(page)
    coloured(page, "speaker")
    by_speaker = cloud(page)
    assert by_speaker != by_place
    entries = page.locator("#legend .entry")
    expect(entries).to_have_count(4)
    assert {e.split()[0] for e in entries.locator("span").all_text_contents()} == {"ann", "ben", "eve", "none"}
    before = page.locator("#points").evaluate(DRAWN)
    ben = entries.filter(has_text="ben")
    ben.press("Enter")
    expect(ben).to_have_attribute("aria-pressed", "false")
    expect(ben).to_be_focused()
    cloud(page)
    assert page.locator("#points").evaluate(DRAWN) < before
    ben.press("Enter")
    assert cloud(page) == by_speaker
    coloured(page, "dominance")
    expect(page.locator("#legend .ramp")).to_be_visible()
    assert cloud(page) != by_speaker
    page.get_by_label("Colour by").select_option("density")
    expect(page.locator("#legend")).to_be_hidden()
    assert cloud(page) not in (by_place, by_speaker)
    page.get_by_label("Colour by").select_option("")
    assert cloud(page) == by_place


def test_the_cloud_and_its_counts_follow_the_filters(page: Page) -> None:
    coloured(page, "speaker")
    every = page.locator("#points").evaluate(DRAWN)
    page.get_by_role("button", name="Filters").click()
    with page.expect_response(lambda answer: answer.url.endswith("/api/plane")):
        choose(page, "whispered", "yes")
    expect(page.locator("#legend .entry").filter(has_text="ann").locator("b")).to_have_text("2")
    cloud(page)
    assert page.locator("#points").evaluate(DRAWN) < every
    page.get_by_role("button", name="Take out: whispered").click()
    expect(page.locator("#legend .entry").filter(has_text="ann").locator("b")).not_to_have_text("2")


def test_histograms_of_each_dimension_by_group(page: Page) -> None:
    coloured(page, "speaker")
    with page.expect_response("**/api/histograms"):
        page.get_by_role("button", name="Histograms").click()
    charts = page.get_by_role("img", name="moments, on average")
    expect(charts).to_have_count(3)
    every = charts.first.get_attribute("aria-label") or ""
    expect(page.locator("#bars .key-of")).to_contain_text("ben")
    page.get_by_role("button", name="Filters").click()
    with page.expect_response("**/api/histograms"):
        choose(page, "speaker", "ben")
    expect(charts.first).not_to_have_attribute("aria-label", every)
    assert "NaN" not in page.locator("#bars").inner_html()
    page.get_by_role("button", name="Histograms").click()
    expect(page.locator("#bars")).to_be_hidden()


def test_where_label_and_plane_disagree_is_one_click(page: Page, open_page: Open) -> None:
    page.locator("#seeing summary").click()
    expect(page.locator("#disagree")).to_be_hidden()  # this index has no labels of emotion

    def labelled(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "compared": ["emotion"]})

    page.route("**/api/index", labelled)
    page.reload()
    page.locator("#seeing summary").click()
    with page.expect_request("**/api/search") as request:
        page.get_by_role("button", name="Label and plane disagree").click()
    asked = request.value.post_data_json
    assert (asked["where"], asked["sort"]) == ("`disagreement` >= 2", "disagreement")


@pytest.mark.parametrize("known", [["arousal", "valence"], ["dominance"]], ids="-".join)
def test_a_model_without_a_plane_still_has_histograms(page: Page, known: list[str]) -> None:
    def edited(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        if "histograms" in said:
            said["histograms"] = [one for one in said["histograms"] if one["dimension"] in known]
        else:
            said["model"]["dimensions"] = known
            for column in said["columns"]:
                if column["name"] in ("valence", "arousal", "dominance") and column["name"] not in known:
                    column |= {"low": None, "high": None}
        route.fulfill(response=answer, json=said)

    page.route("**/api/index", edited)
    page.route("**/api/histograms", edited)
    page.reload()
    page.locator("#size:not(:empty)").wait_for()
    page.locator("#seeing summary").click()
    page.get_by_role("button", name="Histograms").click()
    expect(page.get_by_role("img", name="on average")).to_have_count(len(known))
    expect(page.locator("#tools")).to_be_visible(visible=len(known) == 2)
    sorts = page.locator("#sort option").all_text_contents()
    assert ("by dominance" in sorts) == ("dominance" in known)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_axe_finds_nothing_serious(open_page: Open, width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "reduced_motion": "reduce"}
    page = open_page("/?q=calm&sort=valence&group=speaker&region=1,1 7,1 7,7", bypass_csp=True, **options)
    sheet(page)
    coloured(page, "speaker")
    page.get_by_role("button", name="Histograms").click()
    page.locator("#bars svg").first.wait_for()
    page.locator("#legend .entry").first.click()
    with page.expect_response("**/api/plane/*"):
        page.locator("#marks").press("Enter")
    axe(page)
    assert faults(page) == []
    page.keyboard.press("Escape")  # closes the sheet as well where there is one
    page.get_by_role("button", name="Filters").click()
    page.locator(".facet summary").first.click()
    assert faults(page) == []
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
    page.get_by_role("button", name="Searches").click()
    assert faults(page) == []
    assert cards(page).count() > 0
