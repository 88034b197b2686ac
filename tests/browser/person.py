"""What a person does at the page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def ask(page: "Page", text: str, field: str = "How it sounds") -> None:
    """Write a description and press Enter; wait for the answer."""
    page.get_by_label(field, exact=True).fill(text)
    with page.expect_response("**/api/search"):
        page.get_by_label(field, exact=True).press("Enter")
    settled(page)


def settled(page: "Page") -> None:
    """Wait until what was asked is shown."""
    page.locator("body:not(.searching)").wait_for()


def cards(page: "Page") -> "Locator":
    """The results."""
    return page.locator("#results .card")


def names(page: "Page") -> list[str]:
    """The files of the results, best first."""
    return page.locator("#results .name").all_text_contents()


def ids(page: "Page") -> list[str]:
    """What was found, best first."""
    return [card.get_attribute("data-id") or "" for card in cards(page).all()]


def chips(page: "Page") -> list[str]:
    """The parts of the search."""
    return page.locator("#chips .chip").all_text_contents()


def at(page: "Page", valence: float, arousal: float) -> tuple[float, float]:
    """Where a place of the plane is on the screen, by the axes that the page draws: 40 css pixels left, 58 below."""
    box = page.locator("#marks").bounding_box()
    assert box is not None
    wide, tall = box["width"] - 40 - 18, box["height"] - 26 - 58
    return (
        box["x"] + 40 + (valence - 1) / 6 * wide,
        box["y"] + box["height"] - 58 - (arousal - 1) / 6 * tall,
    )


def places(page: "Page") -> list[tuple[float, float]]:
    """Valence and arousal of the results."""
    valence = page.locator("#results .valence").all_text_contents()
    arousal = page.locator("#results .arousal").all_text_contents()
    return [(float(v), float(a)) for v, a in zip(valence, arousal, strict=True)]
