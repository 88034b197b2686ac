"""The dialog of collections: what they hold is selected; they are named, noted and deleted."""

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server
from tests.browser.person import ids
from tests.browser.test_look import axe

Open = Callable[..., Page]
DESK = {"width": 1280, "height": 800}


def test_from_a_collection_to_the_tray_and_to_its_end(open_page: Open, server: Server) -> None:
    page = open_page("/?q=calm", viewport=DESK, reduced_motion="reduce", bypass_csp=True)
    request, own = page.request, f"{server.address}/api/collections/kept <b>"
    refused = request.put(own, data={"note": "x"})
    assert refused.status == 422
    own = f"{server.address}/api/collections/kept"
    wanted = ids(page)[2:5]
    assert request.post(f"{own}/add", data={"ids": wanted}).ok
    assert request.put(own, data={"note": "<i>for the trailer", "tags": ["one", "two"]}).ok
    page.get_by_role("button", name="Collections").click()
    dialog = page.get_by_role("dialog", name="Collections")
    item = dialog.locator("#kept li", has=page.get_by_role("heading", name="kept", exact=True))
    expect(item).to_contain_text("3 moments · one, two · <i>for the trailer")
    axe(page)
    assert page.evaluate("async () => (await axe.run()).violations.map(({ id }) => id)") == []
    item.get_by_role("button", name="Select its moments").click()
    expect(dialog.get_by_role("status")).to_have_text("3 moments of “kept” selected.")
    expect(page.locator("#many")).to_have_text("3 selected")
    picked = page.locator(".card.picked")
    assert [card.get_attribute("data-id") for card in picked.all()] == wanted
    item.get_by_role("button", name="Change").click()
    item.get_by_label("Name").fill("Новое имя")
    item.get_by_label("Note").fill("")
    item.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("status")).to_have_text("Saved.")
    item = dialog.locator("#kept li", has=page.get_by_role("heading", name="Новое имя"))
    expect(item).to_contain_text("3 moments · one, two")
    item.get_by_role("button", name="Change").click()
    item.get_by_label("Name").fill("../x")
    item.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    item.get_by_role("button", name="Delete").click()
    item.get_by_role("button", name="Delete it for good").click()
    expect(dialog.get_by_role("status")).to_contain_text("is deleted")
    assert request.get(f"{server.address}/api/collections/Новое имя").status == 404
