"""How long the page's cloud of points takes to draw, in a browser, beside an earlier way of drawing it.

git show REVISION:src/emorank/serve/page/density.js > earlier.js
.venv/bin/python benchmarks/points.py [earlier.js] [COUNT ...]

Points lie around a few middles, as speech does, on a canvas of 414 css pixels (the plane at a desk): in the colours of
places, in those of a column, and of a column while the plane is zoomed or moved. The ways are drawn by turns; what is
printed is the processor time of the browser's renderer for one drawing, in milliseconds: other work on the machine
changes it less than the time on the clock.
"""

import functools
import http.server
import shutil
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright

PAGE = Path(__file__).parents[1] / "src" / "emorank" / "serve" / "page"
COUNTS = (10_000, 100_000, 1_000_000)
TURNS, DRAWINGS = 4, 5  # of each way in each turn
WAYS = ("earlier", "place", "column", "moving")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing of it."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


MAKE = """async ([count, ratio, earlier]) => {
    const now = await import('/now/density.js'), before = earlier ? await import('/before/density.js') : null;
    const edge = { left: 40, right: 18, top: 18, bottom: 40 };
    const canvas = Object.assign(document.createElement('canvas'), { width: 414 * ratio, height: 414 * ratio });
    const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
    const middles = Array.from({ length: 12 }, () => [0.2 + 0.6 * Math.random(), 0.2 + 0.6 * Math.random()]);
    const values = new Uint16Array(2 * count), codes = new Uint8Array(count), rows = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
        const middle = middles[i % 12];
        for (const j of [0, 1]) values[2 * i + j] = 65534 * Math.min(1, Math.max(0, middle[j] + 0.09 * normal()));
        codes[i] = i % 12;
        rows[i] = i % 10 ? 1 : 0;
    }
    const every = Math.max(1, Math.ceil(count / 250000));  // as the page does
    const seen = { left: 2.5, right: 5.5, low: 2.5, high: 5.5 };
    const ways = {
        ...(before && { earlier: () => before.density(canvas, values, edge, ratio) }),
        place: () => now.density(canvas, values, edge, ratio),
        column: () => now.density(canvas, values, edge, ratio, { codes, numbers: false }),
        moving: () => now.density(canvas, values, edge, ratio, { codes, numbers: false, seen, rows, every }),
    };
    window.draw = (name, times) => { for (let i = 0; i < times; i++) ways[name](); };
}"""


def measured(page: Page, session: CDPSession, ways: Sequence[str]) -> dict[str, float]:
    """The processor time of one drawing of each way, in milliseconds."""

    def used() -> float:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(float(process["cpuTime"]) for process in processes if process["type"] == "renderer")

    times = dict.fromkeys(ways, 0.0)
    for turn in range(TURNS + 1):  # the first warms up
        for way in ways:
            begun = used()
            page.evaluate("([way, times]) => draw(way, times)", [way, DRAWINGS])
            times[way] += (used() - begun) if turn else 0
    return {way: 1000 * seconds / TURNS / DRAWINGS for way, seconds in times.items()}


def main(arguments: list[str]) -> None:
    """Measure, and print a line for each number of points."""
    earlier = next((Path(argument) for argument in arguments if not argument.isdigit()), None)
    counts = [int(argument) for argument in arguments if argument.isdigit()] or COUNTS
    chromium = next(
        found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in ("now", "before"):
            shutil.copytree(PAGE, Path(folder, name))
        if earlier:
            shutil.copy(earlier, Path(folder, "before", "density.js"))
        Path(folder, "index.html").write_text("<!doctype html><title>points</title>")
        handler = functools.partial(Quiet, directory=folder)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_address[1]}/index.html")
            session = browser.new_browser_cdp_session()
            for ratio in (1, 2):
                for count in counts:
                    page.evaluate(MAKE, [count, ratio, earlier is not None])
                    times = measured(page, session, WAYS if earlier else WAYS[1:])
                    shown = "  ".join(f"{name} {milliseconds:.1f}" for name, milliseconds in times.items())
                    print(f"{count:>9,} points, {ratio} device pixels a css pixel: {shown}", flush=True)
            browser.close()
        server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1:])
