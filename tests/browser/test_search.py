"""Searching by descriptions, refining, sharing."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import MARKUP, SAMPLES, Server
from tests.browser.person import ask, cards, chips, ids, names, settled

Open = Callable[..., Page]


def test_first_visit_says_what_there_is(page: Page) -> None:
    expect(page.locator("#size")).to_have_text("voices: 27 recordings, 2 minutes of speech")
    expect(page.locator("#welcome")).to_be_visible()
    assert page.locator("#examples button").count() >= 6
    assert cards(page).count() == 0
    expect(page.locator("footer")).to_contain_text("do not tell what anyone feels")
    page.get_by_label("Help").click()
    expect(page.locator("#help")).to_contain_text("do not use them to judge people")
    expect(page.locator("#help")).to_contain_text("derived from categories")
    expect(page.locator("#margins")).to_have_text(
        re.compile(r"nine in ten lie within \d\.\d in valence, \d\.\d in arousal, \d\.\d in dominance of where")
    )


def test_an_example_is_one_click(page: Page) -> None:
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name="furious, shouting").click()
    settled(page)
    assert page.get_by_label("How it sounds").input_value() == "furious, shouting"
    assert page.url.endswith("/?q=furious,+shouting")
    expect(page.locator("#welcome")).to_be_hidden()
    assert names(page)[0].startswith("shouted") or names(page)[0] == MARKUP


def test_cards_say_what_was_found(page: Page) -> None:
    ask(page, "furious, shouting")
    best = cards(page).first
    expect(best.locator(".fit b")).to_have_text(re.compile(r"top [1-4]\.\d %"))
    expect(best.locator(".fit")).to_contain_text(re.compile(r"beats 9[5-8] % of the index"))
    assert re.fullmatch(r"0:00\.0 – 0:0\d\.\d", best.locator(".span").text_content() or "")
    expect(best.locator(".path")).to_have_text("in voices")
    expect(best.locator(".labels")).to_contain_text("whispered: no")
    expect(page.locator("#status")).to_contain_text("The best 20 of")
    page.get_by_role("button", name="Show more").click()
    settled(page)
    expect(page.locator("#load")).to_be_hidden()
    assert len(set(ids(page))) == cards(page).count() > 26


def test_several_descriptions_and_one_that_is_not_wanted(page: Page) -> None:
    ask(page, "loud")
    first = ids(page)
    ask(page, "cheerful", "and")
    ask(page, "angry", "but not")
    assert chips(page) == ["and cheerful", "but not angry"]
    assert ids(page) != first
    assert "q=loud&q=cheerful&not=angry" in page.url
    page.get_by_role("button", name="Take out: and cheerful").click()
    with page.expect_response("**/api/search"):
        page.get_by_role("button", name="Take out: but not angry").click()
    settled(page)
    assert ids(page) == first


def test_more_and_less_like_this(page: Page) -> None:
    ask(page, "calm")
    card = cards(page).nth(2)
    chosen = card.get_attribute("data-id")
    name = card.locator(".name").text_content()
    start = (card.locator(".span").text_content() or "").split(" – ")[0]
    with page.expect_response("**/api/search"):
        card.get_by_role("button", name="More like this").click()
    settled(page)
    assert chips(page) == [f"more like {name} {start}"]
    assert chosen not in ids(page)
    assert f"like={chosen}" in page.url
    last = cards(page).nth(5)
    unwanted = last.get_attribute("data-id")
    with page.expect_response("**/api/search") as answer:
        last.get_by_role("button", name="Less like this").click()
    settled(page)
    asked = answer.value.request.post_data_json
    assert asked["likes"] == [{"id": chosen, "weight": 1}, {"id": unwanted, "weight": -0.5}]
    assert unwanted not in ids(page)
    page.get_by_role("button", name="Take out: more like").click()
    settled(page)
    assert len(chips(page)) == 1


def test_a_shared_link_finds_the_same(page: Page, open_page: Open) -> None:
    ask(page, "tired and sad")
    cards(page).first.get_by_role("button", name="More like this").click()
    settled(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#share")).to_contain_text("Copied")
    link = page.evaluate("navigator.clipboard.readText()")
    other = open_page(link, viewport={"width": 1024, "height": 700})
    expect(cards(other).first).to_be_visible()
    assert ids(other) == ids(page)
    expect(other.locator(".chip b")).to_have_text(page.locator(".chip b").text_content() or "")


def test_back_and_forward(page: Page) -> None:
    ask(page, "calm")
    calm = ids(page)
    ask(page, "shouting")
    loud = ids(page)
    assert calm != loud
    page.go_back()
    expect(cards(page).first).to_have_attribute("data-id", calm[0])
    assert page.get_by_label("How it sounds").input_value() == "calm"
    page.go_back()
    expect(page.locator("#welcome")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(cards(page).first).to_have_attribute("data-id", loud[0])


def test_a_clip_of_ones_own(page: Page, tmp_path: Path) -> None:
    clip = tmp_path / "mine.ogg"
    clip.write_bytes((SAMPLES / "shouted-ben-1.ogg").read_bytes())
    with page.expect_response("**/api/search/clip*", timeout=30_000):  # the first has to wait for the audio encoder
        page.locator("#clip").set_input_files(clip)
    settled(page)
    expect(cards(page).first.locator(".name")).to_have_text("shouted-ben-1.ogg")
    assert chips(page) == ["like the recording mine.ogg"]
    expect(page.locator("#status")).to_contain_text("by how they sound like mine.ogg")
    assert page.url.endswith("/")
    alone = ids(page)
    page.get_by_text("Where this comes from").click()
    expect(page.locator("#origins")).to_contain_text(re.compile(r"“mine.ogg” lies at .*valence \d\.\d, arousal \d\.\d"))
    expect(page.locator("#origins li")).to_have_count(5)
    page.get_by_label("How it sounds", exact=True).fill("calm")
    with page.expect_response("**/api/search/clip*") as answer:
        page.keyboard.press("Enter")
    settled(page)
    assert answer.value.ok
    expect(page.locator("#status")).to_contain_text("like mine.ogg and “calm”")
    assert ids(page) != alone
    page.go_back()
    settled(page)
    expect(cards(page).first).to_have_attribute("data-id", alone[0])
    page.reload()
    expect(page.locator(".chip")).to_have_text("like the recording mine.ogg")
    expect(cards(page).first).to_have_attribute("data-id", alone[0])
    page.get_by_role("button", name="Take out: like the recording").click()
    expect(page.locator("#welcome")).to_be_visible()
    page.locator("#clip").set_input_files({"name": "no.txt", "mimeType": "text/plain", "buffer": b"no audio"})
    expect(page.locator("#problem")).to_contain_text("cannot be used")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_name_with_markup_stays_a_name(page: Page, server: Server) -> None:
    ask(page, "furious, shouting")
    assert MARKUP in names(page)
    assert page.locator("#results img, #results .name b").count() == 0
    card = cards(page).filter(has_text=MARKUP)
    card.get_by_role("button", name="More like this").click()
    settled(page)
    expect(page.locator(".chip")).to_contain_text(MARKUP)
    assert page.locator("#chips img").count() == 0


def test_an_answer_to_an_old_question_is_dropped(page: Page) -> None:
    held = []
    given_up = []

    def dropped(request: Request) -> None:
        if request.url.endswith("/api/search"):
            given_up.append(request.post_data_json["texts"][0]["text"])

    page.on("requestfailed", dropped)
    page.route("**/api/search", lambda route: held.append(route) if not held else route.continue_())
    page.get_by_label("How it sounds").fill("calm")
    page.get_by_label("How it sounds").press("Enter")
    ask(page, "furious, shouting")
    assert names(page)[0].startswith(("shouted", "<img"))
    assert given_up == ["calm"]
