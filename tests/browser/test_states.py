"""What the page says when something is not as it should be."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

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
