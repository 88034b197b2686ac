"""What the page says when something is not as it should be."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Server
from tests.browser.person import ask, cards, settled

Open = Callable[..., Page]


def test_nothing_found_says_what_to_loosen(open_page: Open) -> None:
    page = open_page("/?q=calm&near=1,1,0.1&pick=min:duration:3")
    expect(page.locator("#status")).to_have_text("Nothing found.")
    expect(page.locator("#problem")).to_contain_text("Try a larger radius on the plane or fewer filters.")


def test_a_server_that_is_gone(page: Page) -> None:
    page.route("**/api/search", lambda route: route.abort("connectionrefused"))
    page.get_by_label("How it sounds").fill("calm")
    page.get_by_label("How it sounds").press("Enter")
    expect(page.locator("#problem")).to_contain_text("Is emorank serve still running?")
    page.unroute("**/api/search")
    page.get_by_role("button", name="Try again").click()
    expect(cards(page).first).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server(page: Page, status: int) -> None:
    answer = {"error": {"code": "busy", "message": "Too many requests wait already."}}
    page.route("**/api/search", lambda route: route.fulfill(status=status, json=answer))
    ask(page, "calm")
    expect(page.locator("#problem")).to_contain_text("Wait a few seconds and try again.")
    page.unroute("**/api/search")
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name="Try again").click()
    settled(page)
    assert cards(page).count() > 0


def test_a_server_with_a_token(open_page: Open, server: Server, serve: Callable[..., str]) -> None:
    address = serve(server.environment, "voices", "--token", "sesame")
    page = open_page(address)
    expect(page.locator("#problem")).to_contain_text("asks for a token")
    page.goto(f"{address}/?token=sesame")
    expect(page.locator("#size")).to_contain_text("27 recordings")
    expect(page.locator("#problem")).to_be_hidden()
    assert "sesame" not in page.url


def test_a_search_under_way_is_shown(page: Page) -> None:
    held = []
    page.route("**/api/search", lambda route: held.append(route))
    page.get_by_label("How it sounds").fill("calm")
    page.get_by_label("How it sounds").press("Enter")
    page.locator("body.searching").wait_for()
    held[0].continue_()
    settled(page)
    assert cards(page).count() > 0


def test_an_address_with_nonsense_is_read_as_far_as_it_goes(open_page: Open) -> None:
    page = open_page("/?q=calm&near=a,b&region=9,9,9,9&pick=what&pick=min:duration:x&like=")
    assert cards(page).count() > 0
    assert page.locator("#chips .chip").count() == 0


def test_a_liked_moment_that_is_gone(open_page: Open) -> None:
    page = open_page("/?q=calm&like=0123456789abcdef")
    expect(page.locator("#problem")).to_contain_text("no segment 0123456789abcdef")
    expect(page.locator(".chip")).to_contain_text("a moment that is gone")


@pytest.mark.parametrize("known", [["arousal", "valence"], ["dominance"], ["arousal"]], ids="-".join)
def test_a_model_that_does_not_know_every_dimension(open_page: Open, known: list[str]) -> None:
    page = open_page("/")

    def edited(route: Route) -> None:
        answer = route.fetch()
        said = answer.json()
        for hit in said.get("hits", said.get("segments", [])) if "/index" not in route.request.url else []:
            hit |= {name: None for name in ("valence", "arousal", "dominance") if name not in known}
        if "/api/index" in route.request.url:
            said["model"]["dimensions"] = known
            for column in said["columns"]:
                if column["name"] in ("valence", "arousal", "dominance") and column["name"] not in known:
                    column |= {"low": None, "high": None}
        route.fulfill(response=answer, json=said)

    page.route("**/api/index", edited)
    page.route("**/api/search", edited)
    page.reload()
    expect(page.locator("#size:not(:empty)")).to_be_visible()
    plane = len({"valence", "arousal"} & set(known)) == 2
    expect(page.locator("#plane")).to_be_visible(visible=plane)
    expect(page.locator("#no-plane")).to_be_visible(visible=not plane)
    if not plane:
        expect(page.locator("#no-plane")).to_contain_text(f"knows {known[0]} alone")
    ask(page, "calm")
    card = cards(page).first
    for name in ("valence", "arousal"):
        expect(card.locator(f"dd.{name}")).to_be_visible(visible=name in known)
    expect(card.locator(".where svg")).to_be_visible(visible=plane)
    page.get_by_role("button", name="Filters").click()
    expect(page.locator("#picks [aria-label='dominance, lowest']")).to_have_count(int("dominance" in known))
    assert "NaN" not in page.locator("body").inner_text()
    assert "null" not in page.locator("body").inner_text()
