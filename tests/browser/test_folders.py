"""Folders are added from the page, and the update is watched."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.test_look import axe
from tests.conftest import voice

pytestmark = pytest.mark.slow

Open = Callable[..., Page]
DESK = {"width": 1280, "height": 800}


def test_a_folder_is_added_and_watched(
    open_page: Open, server: Server, serve: Callable[..., str], tmp_path: Path
) -> None:
    first, more = tmp_path / "first", tmp_path / "more <b>'é"
    for i, folder in enumerate((first, more)):
        folder.mkdir()
        soundfile.write(folder / f"{i}.wav", voice(0.8, 150 + 50 * i, i), 16_000)
    (more / "none <i>.wav").write_bytes(b"no sound")
    index = [sys.executable, "-m", "emorank", "index", str(first), "--name", "grows"]
    subprocess.run(index, env=server.environment, check=True, capture_output=True)
    page = open_page(serve(server.environment, "grows"), viewport=DESK, reduced_motion="reduce", bypass_csp=True)
    expect(page.locator("#size")).to_contain_text("1 recording,")
    page.get_by_role("button", name="Folders").click()
    dialog = page.get_by_role("dialog", name="Folders of this index")
    expect(dialog.locator("#followed li")).to_have_text([str(first)])
    field = dialog.get_by_label("A folder on the server's computer")
    for wrong, sentence in (("relative", "Write the whole path"), (str(tmp_path / "nothing"), "there is no such file")):
        field.fill(wrong)
        field.press("Enter")
        expect(dialog.get_by_role("alert")).to_contain_text(sentence)
    field.fill(str(more))
    field.press("Enter")
    expect(dialog.get_by_role("status")).to_contain_text("Looking for recordings")
    expect(dialog.get_by_role("button", name="Update now")).to_be_disabled()
    page.keyboard.press("Escape")  # it goes on, and is watched again
    page.get_by_role("button", name="Folders").click()
    expect(dialog.get_by_role("status")).to_have_text("1 added, 1 skipped.", timeout=60_000)
    expect(dialog.locator("#followed li")).to_have_text([str(first), str(more)], timeout=10_000)
    expect(dialog.locator("#unheard li")).to_contain_text(["none <i>.wav"])
    expect(dialog.locator("progress")).to_be_hidden()
    axe(page)
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
    page.keyboard.press("Escape")
    expect(page.locator("#size")).to_contain_text("2 recordings,", timeout=15_000)


def test_who_may_not_sees_no_button(open_page: Open, server: Server, serve: Callable[..., str]) -> None:
    address = serve(server.environment, "voices", "--token", "secret")
    page = open_page(f"{address}/?token=secret", viewport=DESK)
    expect(page.locator("#size")).to_contain_text("recordings")
    expect(page.get_by_role("button", name="Folders")).to_be_hidden()
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
