"""Several indexes: the list of them, each page under its name, and two side by side."""

import subprocess
import sys
from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import MARKUP, SAMPLES, Server
from tests.browser.person import ask, cards
from tests.browser.test_look import axe
from tests.conftest import save_model

pytestmark = pytest.mark.slow

DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def several(server: Server, serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The index of the other tests and one of a few samples, each with its own model's name."""
    other = save_model(tmp_path_factory.mktemp("model") / "rough", "whisper-base/2+3+4+5", seed=3, dim=4096)
    index = [sys.executable, "-m", "emorank", "index", *map(str, sorted(SAMPLES.glob("calm-*.ogg"))), "--name", "calm"]
    subprocess.run([*index, "--model", str(other)], env=server.environment, check=True, capture_output=True)
    return serve(server.environment, "voices", "calm", "--root-path", "/emo")


@pytest.fixture
def visit(several: str, browser: object) -> object:
    pages = []

    def opened(path: str, **options: object) -> Page:
        page = browser.new_context(**{"viewport": DESK, **options}).new_page()  # type: ignore[attr-defined]
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if "Content Security" in line.text else None)
        pages.append((page, faults))
        page.goto(f"{several}/emo{path}")
        return page

    yield opened
    for page, faults in pages:
        page.context.close()
        assert faults == []


def test_from_the_list_to_an_index_and_back(visit: Callable[..., Page]) -> None:
    page = visit("/")
    items = page.locator("#indexes li")
    expect(items).to_have_count(2)
    expect(items.nth(0)).to_contain_text("voices")
    expect(items.nth(1)).to_contain_text("Model rough: valence, arousal, dominance")
    items.nth(1).get_by_role("link").click()
    page.wait_for_url("**/emo/calm/")
    ask(page, "furious")
    assert cards(page).count() > 0
    assert page.url.endswith("/emo/calm/?q=furious")
    card = cards(page).first
    card.locator(".play").click()
    expect(card).to_have_class("card playing heard")
    page.get_by_role("link", name="All indexes").click()
    page.wait_for_url("**/emo/")
    page.get_by_role("link", name="Search two of them side by side").click()
    page.wait_for_url("**/emo/compare/")


def test_side_by_side(visit: Callable[..., Page]) -> None:
    page = visit("/compare/?right=voices")
    expect(page.locator("#left")).to_have_value("calm")
    page.locator("#left").select_option("voices")
    page.locator("#right").select_option("calm")
    page.get_by_label("How it sounds").fill("calm, quiet")
    page.get_by_label("How it sounds").press("Enter")
    agreed = page.locator("#agreed")
    expect(agreed).to_contain_text("that both have", timeout=30_000)
    expect(agreed).to_contain_text("Rank correlation over all of them:")
    assert page.url.split("?")[1] == "q=calm%2C+quiet&left=voices&right=calm"
    left, right = (page.locator("#sides section").nth(i).locator("li") for i in (0, 1))
    expect(left).to_have_count(20)
    assert right.count() == len(list(SAMPLES.glob("calm-*.ogg")))
    there = left.locator(".there").all_text_contents()
    assert "not in there" in there
    files = left.locator(".name").all_text_contents()  # gone.ogg is a copy, which the other index has by another name
    number = next(i for i, text in enumerate(there) if text.startswith("number ") and files[i] != "gone.ogg")
    row = left.nth(number)
    expect(right.nth(int(there[number].split()[1]) - 1).locator(".name")).to_have_text(
        str(row.locator(".name").text_content())
    )
    row.hover()
    expect(page.locator(".moment.lit")).to_have_count(2)
    row.locator(".play").click()
    expect(row).to_have_class("moment lit playing")
    expect(page.locator(".moment.playing")).to_have_count(1)
    page.go_back()
    expect(page.get_by_label("How it sounds")).to_have_value("")
    page.go_forward()
    expect(page.get_by_label("How it sounds")).to_have_value("calm, quiet")
    page.get_by_label("How it sounds").fill("zxqw invoice number")
    page.get_by_label("How it sounds").press("Enter")
    expect(page.locator("#hint")).to_contain_text("says little about a voice")


def test_odd_names_and_nothing_in_common(visit: Callable[..., Page], server: Server) -> None:
    page = visit("/compare/?q=loud&left=<b>&right=voices")
    expect(page.locator("#left")).to_have_value("calm")
    expect(page.locator("#right")).to_have_value("voices")
    expect(page.locator(".moment .name").first).to_be_visible()
    assert page.locator("#sides b").count() == 0
    assert MARKUP in page.locator("#sides .name").all_text_contents() or page.locator(".moment").count() >= 20
    page.route("**/api/compare", lambda route: route.abort())
    page.get_by_label("How it sounds").press("Enter")
    expect(page.locator("#failed")).to_contain_text("The server does not answer.")


@pytest.mark.parametrize("path", ["/", "/compare/?q=calm", "/voices/?q=calm"])
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(visit: Callable[..., Page], path: str, look: str) -> None:
    options = {"viewport": PHONE} if look == "phone" else {"color_scheme": look}
    page = visit(path, reduced_motion="reduce", bypass_csp=True, **options)
    page.locator("#indexes li, .moment, .card").first.wait_for()
    axe(page)
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1]
