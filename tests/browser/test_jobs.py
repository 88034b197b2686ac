"""Four people's work from a search to the file that they need."""

import csv
import io
import json
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("playwright")
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import SAMPLES, Server
from tests.browser.person import ask, cards, ids, settled
from tests.browser.test_look import axe
from tests.browser.test_tray import DESK, PHONE, ROUNDED, downloaded, same_samples, segment

pytestmark = pytest.mark.slow

Open = Callable[..., Page]

PLAYS = """async (bytes) => {
  const sound = new Audio(URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "audio/wav" })));
  await sound.play();
  await new Promise((resolve) => sound.addEventListener("timeupdate", () => sound.currentTime > 0.1 && resolve()));
  return sound.duration;
}"""


def run(server: Server, *arguments: object) -> None:
    command = [sys.executable, "-m", "emorank", *map(str, arguments)]
    done = subprocess.run(command, env=server.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def dot(page: Page) -> Locator:
    return page.get_by_role("slider", name="Place on the plane")


def label(page: Page, card: Locator, valence: float, arousal: float, collection: str, by: str) -> None:
    """Drag the dot of a card's moment to a place, and save the label."""
    card.get_by_role("button", name="Label").click()
    box = dot(page).locator("svg").bounding_box()
    assert box is not None
    unit = box["width"] / 140
    place = [box["x"] + (10 + 120 * (valence - 1) / 6) * unit, box["y"] + (10 + 120 * (7 - arousal) / 6) * unit]
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(*place, steps=4)
    page.mouse.up()
    page.get_by_label("Your name").fill(by)
    page.locator("#own-collection").fill(collection)
    page.get_by_role("button", name="Save label").click()
    expect(card.locator(".done")).to_contain_text(
        f"Labelled in “{collection}”: valence {valence:.1f}, arousal {arousal:.1f}"
    )


def test_a_producer_of_podcasts_takes_clips(open_page: Open, server: Server) -> None:
    page = open_page("/", viewport=DESK)
    ask(page, "thrilled, breathless")
    cards(page).first.locator(".play").click()
    expect(cards(page).first).to_have_class("card playing heard")
    page.keyboard.press("Escape")
    for place in range(3):
        cards(page).nth(place).focus()
        page.keyboard.press("x")
    _, content = downloaded(page, page.get_by_role("button", name="Download clips (zip)"))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        clips = sorted(name for name in packed.namelist() if name.endswith(".wav"))
        for id, name in zip(ids(page)[:3], clips, strict=True):
            clip = packed.read(name)
            same_samples(server, id, clip)
            assert page.evaluate(PLAYS, list(clip)) == pytest.approx(
                soundfile.info(io.BytesIO(clip)).duration, abs=0.01
            )


def test_a_curator_of_speech_takes_a_dataset(open_page: Open, server: Server) -> None:
    page = open_page("/?q=calm", viewport=DESK)
    found = int(str(page.locator("#status b").text_content()).split()[0])
    assert found > cards(page).count()
    every = page.get_by_role("button", name=f"Select all {found} found")
    expect(every).to_be_hidden()
    page.get_by_label("Select all shown").check()
    every.click()
    expect(page.locator("#many")).to_have_text(f"{found} selected")
    page.get_by_label("Format of the list").select_option("Datasets folder")
    file, content = downloaded(page, page.get_by_role("button", name="Download list"))
    assert file.suggested_filename == "moments.zip"
    expect(page.locator("#told")).to_contain_text("clips with metadata.csv")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        rows = list(csv.DictReader(io.StringIO(packed.read("metadata.csv").decode())))
        names = {name for name in packed.namelist() if name.endswith(".wav")}
        assert {row["file_name"] for row in rows} == names
        gone = packed.read("skipped.txt").decode() if "skipped.txt" in packed.namelist() else ""
        assert len(rows) + len(gone.splitlines()) == found
        for row in rows:
            with packed.open(row["file_name"]) as clip:
                seconds = soundfile.info(io.BytesIO(clip.read())).duration
            assert seconds == pytest.approx(float(row["end"]) - float(row["start"]), abs=2 * ROUNDED)
    page.get_by_label("How it sounds").fill("furious")
    page.get_by_label("How it sounds").press("Enter")
    settled(page)
    page.get_by_role("button", name="Show more").click()
    expect(every).to_be_hidden()


def test_a_reviewer_on_a_phone_hears_and_labels(open_page: Open, server: Server) -> None:
    page = open_page("/?q=furious,+shouting", **PHONE)
    card = cards(page).first
    card.locator(".play").tap()
    expect(card).to_have_class("card playing heard")
    card.get_by_role("button", name="Label").tap()
    for control in page.locator("#judging button, #judging input:visible").all():
        size = control.bounding_box()
        assert size is not None
        assert size["height"] >= 44
    wide = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1] == 390
    box = dot(page).bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    valence, arousal = (float(page.locator(f"#own-{name}").input_value()) for name in ("valence", "arousal"))
    assert valence < 3 < 5 < arousal
    page.get_by_role("button", name="Save label").tap()
    expect(page.locator("#labelling")).to_be_visible()  # whose label it is has to be said
    page.get_by_label("Your name").fill("Zoë <b>")
    page.locator("#own-collection").fill("reviewed")
    page.get_by_label("Category").fill("anger")
    page.get_by_role("button", name="Save label").tap()
    expect(card.locator(".done")).to_contain_text("anger")
    kept = page.request.get(f"{server.address}/api/collections/reviewed").json()["members"]
    (said,) = kept[0]["labels"]
    assert (said["by"], said["valence"], said["arousal"], said["category"]) == ("Zoë <b>", valence, arousal, "anger")
    card.locator(".pick").tap()
    page.get_by_role("button", name="Take out").tap()
    _, content = downloaded(page, page.get_by_role("button", name="Download list"))
    (row,) = csv.DictReader(io.StringIO(content.decode()))
    assert row["id"] == kept[0]["segment"]["id"]


def test_a_researcher_annotates_and_trains(open_page: Open, server: Server, tmp_path: Path) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    page = open_page("/?q=a+long+story", viewport=DESK)
    long = page.locator(".card", has_text="story-ben.ogg")
    for place in range(long.count()):
        long.nth(place).locator(".pick").click()
    wanted = [segment(server, str(card.get_attribute("data-id"))) for card in long.all()]
    page.get_by_label("Format of the list").select_option("Praat TextGrid")
    _, content = downloaded(page, page.get_by_role("button", name="Download list"))
    zipfile.ZipFile(io.BytesIO(content)).extractall(tmp_path)
    (grid,) = tmp_path.glob("*.TextGrid")
    ask_praat, read = parselmouth.praat.call, parselmouth.read(str(grid))
    count = ask_praat(read, "Get number of intervals", 1)
    spans = [
        [ask_praat(read, f"Get {end} time of interval", 1, i) for end in ("start", "end")]
        for i in range(1, count + 1)
        if ask_praat(read, "Get label of interval", 1, i)
    ]
    expected = sorted([float(str(one["start"])), float(str(one["end"]))] for one in wanted)
    assert spans == [pytest.approx(span, abs=ROUNDED) for span in expected]
    page.get_by_role("button", name="Clear").click()
    ask(page, "calm")
    for place in range(6):
        label(page, cards(page).nth(place), 2.0 + place / 2, 6.0 - place / 2, "rated", "ann")
    with urllib.request.urlopen(f"{server.address}/api/collections/rated") as answer:
        said = [member["labels"][0] for member in json.load(answer)["members"]]
    assert [(one["valence"], one["arousal"]) for one in said] == [(2 + i / 2, 6 - i / 2) for i in range(6)]
    data, out = tmp_path / "rated", tmp_path / "run"
    run(server, "export", "voices", "--collection", "rated", "--format", "table", "--cut", data)
    run(server, "train", "--data", data / "table.csv", "--out", out, "--epochs", 1, "--captions-per-batch", 64)
    config = json.loads((out / "config.json").read_text())
    assert {part["label_source"] for part in config["training"]["data"]["utterances"]} == {"rated"}
    run(server, "score", SAMPLES / "calm-ann-1.ogg", "calm", "furious", "--model", out)


def test_the_dot_by_keys_and_what_it_refuses(open_page: Open, server: Server) -> None:
    page = open_page("/?q=calm", reduced_motion="reduce", bypass_csp=True, viewport=DESK)
    card = cards(page).first
    card.get_by_role("button", name="Label").click()
    expect(dot(page)).to_be_focused()
    before = float(page.locator("#own-valence").input_value())
    page.keyboard.press("ArrowRight")
    assert float(page.locator("#own-valence").input_value()) == pytest.approx(before + 0.1)
    expect(dot(page)).to_have_attribute(
        "aria-valuetext", f"valence {before + 0.1:.1f}, arousal {float(page.locator('#own-arousal').input_value()):g}"
    )
    axe(page)
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
    page.get_by_label("Your name").fill("ann")
    page.locator("#own-collection").fill("/etc")
    page.get_by_role("button", name="Save label").click()
    expect(page.locator("#own-wrong")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.locator("#labelling")).to_be_hidden()
    assert page.request.get(f"{server.address}/api/collections").ok
