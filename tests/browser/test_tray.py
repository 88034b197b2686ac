"""From what is selected to files and collections."""

import csv
import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("playwright")
from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.conftest import Server
from tests.browser.person import ask, cards, ids
from tests.browser.test_look import axe

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

CALM = "/?q=calm"
DESK = {"width": 1280, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
PAD = 0.3  # seconds
ROUNDED = 0.006  # seconds, at most, that a time of the API is off


def select(page: Page, many: int) -> list[str]:
    """Select the first cards; gives their ids."""
    for place in range(many):
        cards(page).nth(place).locator(".pick").click()
    expect(page.locator("#many")).to_have_text(f"{many} selected")
    return ids(page)[:many]


def downloaded(page: Page, button: Locator) -> tuple[Download, bytes]:
    with page.expect_download() as caught:
        button.click()
    return caught.value, Path(caught.value.path()).read_bytes()


def segment(server: Server, id: str) -> dict[str, object]:
    with urllib.request.urlopen(f"{server.address}/api/segments/{id}") as answer:
        return json.load(answer)  # type: ignore[no-any-return]


def same_samples(server: Server, id: str, clip: bytes) -> None:
    """A clip holds the samples that its recording holds there; the API rounds times to hundredths of a second."""
    one = segment(server, id)
    whole, rate = soundfile.read(server.folder / str(one["file"]), dtype="float32")
    cut, own = soundfile.read(io.BytesIO(clip), dtype="float32")
    assert own == rate
    first, last = (round((float(str(one[end])) + pad) * rate) for end, pad in (("start", -PAD), ("end", PAD)))
    slack = round(ROUNDED * rate)
    assert abs(len(cut) - (min(len(whole), last) - max(0, first))) <= 2 * slack
    starts = range(max(0, first - slack), max(0, first + slack) + 1)
    assert any(np.allclose(cut, whole[start : start + len(cut)], atol=1e-6) for start in starts)


def test_the_zip_holds_the_right_samples(open_page: Open, server: Server) -> None:
    page = open_page(CALM, viewport=DESK)
    wanted = select(page, 5)
    file, content = downloaded(page, page.get_by_role("button", name="Download clips (zip)"))
    assert file.suggested_filename == "moments.zip"
    expect(page.locator("#told")).to_contain_text("The zip is downloaded.")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        assert packed.testzip() is None
        clips = sorted(name for name in packed.namelist() if name.endswith(".wav"))
        assert "skipped.txt" not in packed.namelist()
        rows = list(csv.DictReader(io.StringIO(packed.read("moments.csv").decode())))
        assert [row["id"] for row in rows] == wanted
        for id, name in zip(wanted, clips, strict=True):
            same_samples(server, id, packed.read(name))


def test_a_clip_of_one_card(open_page: Open, server: Server) -> None:
    page = open_page(CALM, viewport=DESK)
    card = cards(page).first
    link = card.get_by_role("link", name="Download clip")
    file, content = downloaded(page, link)
    assert file.suggested_filename.startswith("0001-")
    same_samples(server, ids(page)[0], content)
    plain = page.request.get(link.evaluate("(one) => one.href"))  # as when its address is copied
    same_samples(server, ids(page)[0], plain.body())
    refusal = {"error": {"code": "not_cut", "message": "No clip can be cut: it has changed."}}
    page.route("**/clip?*", lambda route: route.fulfill(status=410, json=refusal))
    link.click()
    expect(card.get_by_role("alert")).to_have_text("No clip can be cut: it has changed.")


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("CSV", "moments.csv"),
        ("JSON Lines", "moments.jsonl"),
        ("Parquet", "moments.parquet"),
        ("M3U playlist", "moments.m3u8"),
        ("Audacity labels", "audacity.zip"),
        ("ELAN", "elan.zip"),
        ("Praat TextGrid", "textgrid.zip"),
    ],
)
def test_lists(open_page: Open, server: Server, format: str, name: str) -> None:
    page = open_page(CALM, viewport=DESK)
    wanted = select(page, 3)
    page.get_by_label("Format of the list").select_option(format)
    file, content = downloaded(page, page.get_by_role("button", name="Download list"))
    assert file.suggested_filename == name
    expect(page.locator("#told")).to_have_text("The list is downloaded.")
    if format == "CSV":
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert [row["id"] for row in rows] == wanted
        assert [float(row["start"]) for row in rows] == [segment(server, id)["start"] for id in wanted]
    if format == "Audacity labels":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            lines = [line for one in packed.namelist() for line in packed.read(one).decode().splitlines()]
        spans = sorted(list(map(float, line.split("\t")[:2])) for line in lines if not line.startswith("\\"))
        known = sorted([float(str(segment(server, id)[end])) for end in ("start", "end")] for id in wanted)
        np.testing.assert_allclose(spans, known, atol=ROUNDED)


def test_a_collection_is_made_and_extended(open_page: Open, server: Server) -> None:
    page = open_page(CALM, viewport=DESK)
    wanted = select(page, 3)
    add = page.get_by_role("button", name="Add to collection…")
    add.click()
    dialog = page.get_by_role("dialog", name="Add 3 moments to a collection")
    name = page.get_by_label("Name of the collection")
    expect(name).to_be_focused()
    for wrong, sentence in (("", "Write a name"), (".hidden", "begins with a letter"), ("a" * 65, "64 characters")):
        name.fill(wrong)
        name.press("Enter")
        expect(dialog.get_by_role("alert")).to_contain_text(sentence)
        expect(name).to_have_attribute("aria-invalid", "true")
    name.fill(" Тихие voices-1 ")
    expect(dialog.get_by_role("alert")).to_be_hidden()
    name.press("Enter")
    expect(dialog).to_be_hidden()
    said = page.locator("#tray").get_by_role("status")
    expect(said).to_have_text("Added to the collection “Тихие voices-1”, which holds 3 moments now.")
    expect(add).to_be_focused()
    page.get_by_role("button", name="Clear").click()
    ask(page, "furious, shouting")
    select(page, 1)
    add.click()
    expect(page.locator("#collections option[value='Тихие voices-1']")).to_have_count(1)
    name.fill("Тихие voices-1")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(said).to_contain_text("which holds 4 moments now.")
    with urllib.request.urlopen(f"{server.address}/api/collections") as answer:
        assert {one["name"]: one["moments"] for one in json.load(answer)}["Тихие voices-1"] == 4
    kept = page.request.get(f"{server.address}/api/collections/Тихие voices-1").json()["members"]
    assert [one["segment"]["id"] for one in kept][:3] == wanted


def test_on_a_phone(open_page: Open) -> None:
    page = open_page(CALM, **PHONE)
    for place in (0, 1):
        box = cards(page).nth(place).locator(".pick")
        size = box.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44
        box.tap()
    expect(page.locator("#many")).to_have_text("2 selected")
    zip_button = page.get_by_role("button", name="Download clips (zip)")
    expect(zip_button).to_be_hidden()
    unfold = page.get_by_role("button", name="Take out")
    unfold.tap()
    expect(unfold).to_have_attribute("aria-expanded", "true")
    for control in page.locator("#tray button:visible, #tray select:visible").all():
        size = control.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    downloaded(page, zip_button)
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] == 390


@pytest.mark.parametrize("where", ["light", "dark", "phone"])
def test_axe_finds_nothing(open_page: Open, where: str) -> None:
    options = PHONE if where == "phone" else {"viewport": DESK, "color_scheme": where}
    page = open_page(CALM, reduced_motion="reduce", bypass_csp=True, **options)
    select(page, 2)
    if where == "phone":
        page.get_by_role("button", name="Take out").tap()
    axe(page)
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
    page.get_by_role("button", name="Add to collection…").click()
    page.get_by_label("Name of the collection").press("Enter")
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
