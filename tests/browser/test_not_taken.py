"""What the tray says when something cannot be taken out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.person import ask, cards
from tests.browser.test_tray import CALM, DESK, downloaded, select

Open = Callable[..., Page]


def test_refusals_are_sentences(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    select(page, 2)
    wrong = page.locator("#failed")
    busy = {"error": {"code": "busy", "message": "As many zips as allowed are being made already."}}
    page.route("**/api/clips", lambda route: route.fulfill(status=503, json=busy))
    page.get_by_role("button", name="Download clips (zip)").click()
    expect(wrong).to_contain_text("Wait a few seconds and try again.")
    page.route("**/api/lists", lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Download list").click()
    expect(wrong).to_contain_text("Is emorank serve still running?")
    page.unroute("**/api/lists")
    downloaded(page, page.get_by_role("button", name="Download list"))
    expect(wrong).to_be_hidden()


def test_a_moment_that_is_gone_is_dropped_when_it_is_asked_for(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    select(page, 2)
    page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem("selected:voices"));
        kept.moments.push({ id: "0123456789abcdef", file: "lost.ogg", start: 0, seconds: 1 });
        localStorage.setItem("selected:voices", JSON.stringify(kept));
    }""")
    page.reload()
    expect(page.locator("#many")).to_have_text("3 selected")
    button = page.get_by_role("button", name="Download list")
    button.click()
    expect(page.locator("#told")).to_contain_text("is: lost.ogg 0:00.0. Nothing was done yet with the others.")
    expect(page.locator("#many")).to_have_text("2 selected")
    downloaded(page, button)


def test_more_than_may_be_taken_out_is_said_before(open_page: Open) -> None:
    page = open_page(CALM, viewport=DESK)
    select(page, 1)
    page.evaluate("""() => {
        const kept = JSON.parse(localStorage.getItem("selected:voices"));
        for (let i = 0; i < 500; i++) {
          kept.moments.push({ id: i.toString(16).padStart(16, "0"), file: "a.ogg", start: 0, seconds: 7.2 });
        }
        localStorage.setItem("selected:voices", JSON.stringify(kept));
    }""")
    page.reload()
    expect(page.locator("#many")).to_have_text("501 selected")
    expect(page.locator("#long")).to_have_text(re.compile(r"1:00:0\d"))
    expect(page.locator("#hindered")).to_contain_text("At most 500 can be taken out at once: take 1 moment out")
    for name in ("Add to collection…", "Download list", "Download clips (zip)"):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_disabled()
        button.click(force=True)
    expect(page.locator("#failed")).to_be_hidden()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.locator("#results .picked .pick").click()
    expect(page.locator("#hindered")).to_be_hidden()
    expect(page.get_by_role("button", name="Download list")).to_be_enabled()


def test_buttons_say_what_the_token_lacks(
    open_page: Open, server: Server, serve: Callable[..., str], tmp_path: Path
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text('[[tokens]]\nname = "ben"\ntoken = "ben"\nscopes = ["search", "export"]\n')
    address = serve(server.environment, "voices", "--tokens", str(tokens))
    page = open_page(f"{address}/?token=ben", viewport=DESK)
    ask(page, "calm")
    select(page, 1)
    lacking = "Your token does not allow to download clips together or change collections."
    expect(page.locator("#hindered")).to_have_text(lacking)
    for name, enabled in (("Add to collection…", False), ("Download list", True), ("Download clips (zip)", False)):
        button = page.get_by_role("button", name=name)
        expect(button).to_be_enabled(enabled=enabled)
        expect(button).to_have_accessible_description(lacking)
    downloaded(page, page.get_by_role("button", name="Download list"))
    cards(page).first.get_by_role("link", name="Download clip").click()
    expect(cards(page).first.get_by_role("alert")).to_have_text("This token does not allow to listen.")
