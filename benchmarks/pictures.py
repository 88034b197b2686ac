"""Takes the pictures of the docs anew: the page, the page of a recording, the timeline of one.

DATA holds the folders ravdess and emodb; the page shows their development and test speakers. Needs chromium. Some three
minutes.

    .venv/bin/python benchmarks/pictures.py DATA docs
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import polars as pl
from playwright.sync_api import Browser, Page, sync_playwright

from emorank import read_corpus

SAMPLES = Path(__file__).parents[1] / "samples"
EMORANK = (sys.executable, "-m", "emorank")


@contextmanager
def served(name: str) -> Iterator[str]:
    """The address at which an index is served."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*EMORANK, "serve", name, "--no-browser", "--port", str(port)])
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/api/health", timeout=5).close()
            break
        except OSError:
            time.sleep(0.1)
    try:
        yield address
    finally:
        process.terminate()
        process.wait(20)


def opened(browser: Browser, address: str, width: int, height: int, scheme: Literal["light", "dark"] = "light") -> Page:
    """A page at which everything has come."""
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    return page


def take(browser: Browser, data: Path, out: Path, folder: Path) -> None:
    """Index, serve and photograph."""
    tables = [read_corpus(name, data / name).filter(pl.col("split") != "train") for name in ("ravdess", "emodb")]
    for table in tables:
        (folder / "voices" / table["corpus"][0]).mkdir(parents=True)
        for path in table["path"]:
            shutil.copy(path, folder / "voices" / table["corpus"][0])
    columns = ("emotion", "speaker", "gender", "corpus", "language", "valence", "arousal")
    rows = pl.concat(tables, how="diagonal_relaxed").select("path", *columns)
    name = pl.col("path").str.split("/").list.last()
    rows = rows.with_columns(path=pl.format("{}/{}/{}", pl.lit(str(folder / "voices")), "corpus", name))
    rows.write_parquet(folder / "t.parquet")
    named = ["--name", "voices", "--table", str(folder / "t.parquet")]
    subprocess.run([*EMORANK, "index", str(folder / "voices"), *named], check=True)
    with served("voices") as address:
        page = opened(browser, f"{address}/?q=exhausted,+defeated", 1280, 800)
        page.screenshot(path=out / "page.png")
        page = opened(browser, f"{address}/?q=exhausted,+defeated", 1280, 800, "dark")
        for card in page.locator("#results .card").all()[:3]:
            card.get_by_label("Select").check()
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=out / "page-dark.png")
    (folder / "samples").mkdir()
    shutil.copy(SAMPLES / "story-ben.ogg", folder / "samples")
    subprocess.run([*EMORANK, "index", str(folder / "samples"), "--name", "story"], check=True)
    with served("story") as address:
        page = opened(browser, f"{address}/?q=furious,+shouting", 1100, 820)
        page.get_by_role("link", name="Whole recording").first.click()
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(1500)
        page.screenshot(path=out / "recording.png")
    subprocess.run(
        [*EMORANK, "timeline", str(SAMPLES / "story-ben.ogg"), "--out", str(out / "timeline.png")], check=True
    )


def main() -> None:
    """Take them."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2]).absolute()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        os.environ |= {"EMORANK_DATA": f"{folder}/data", "EMORANK_CACHE": f"{folder}/cache"}
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        take(browser, data, out, Path(folder))


if __name__ == "__main__":
    main()
