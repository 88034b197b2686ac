"""The page of a ten-hour recording in a browser: how soon it can be used, how smoothly it zooms, what memory it takes.

.venv/bin/python benchmarks/recording.py [HOURS] [FILE]

The recording is synthetic, speech-like sound written to FILE (a FLAC, kept for the next run) block by block. Its
segments of 3 to 7 s and their places are made up and served as an index would be: nothing is encoded. Interactive is
when the page is there and answers a key, from the moment that the browser leaves the page of the search, where people
come from; the server has not looked at the file before. Frames are counted between the
first and the last of 240 steps of the wheel, in and out, at the pace of the screen. Processor time is that of
the tab's process, whatever else the machine does; memory is what it shares with no other (Linux, smaps_rollup). That
and JavaScript's heap are given at their highest.
"""

import os
import re
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from emorank.digest import content_digest
from emorank.index.named import NamedIndex
from emorank.index.plan import Indexed
from emorank.index.segments import Segments, recording_id
from emorank.search import Collection
from emorank.serve.app import create_app
from emorank.serve.connections import Connections, Server
from emorank.serve.snapshots import ServedIndex

RATE = 16_000
BLOCK = 60  # seconds
WIDE = {"width": 1440, "height": 900}


def written(path: Path, hours: float) -> None:
    """Speech-like sound of hours: syllables of a wavering pitch, phrases, pauses, louder and softer."""
    rng = np.random.default_rng(0)
    minutes = [minute(rng) for _ in range(8)]
    with soundfile.SoundFile(path, "w", RATE, 1, format="FLAC") as out:
        for _ in range(round(hours * 3600 / BLOCK)):
            out.write(rng.uniform(0.02, 0.3) * minutes[rng.integers(len(minutes))])


def minute(rng: np.random.Generator) -> np.ndarray:
    """A minute of it."""
    at = np.arange(BLOCK * RATE) / RATE
    pitch = rng.uniform(90, 260) * (1 + 0.08 * np.sin(2 * np.pi * rng.uniform(0.2, 1) * at))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(k * phase) / k for k in (1, 2, 3, 5, 8))
    syllables = np.clip(np.sin(2 * np.pi * rng.uniform(1.8, 3) * at), 0, 1)
    phrases = np.sin(2 * np.pi * at / rng.uniform(5, 9) + rng.uniform(0, 6)) > -0.5
    made: np.ndarray = tone * syllables * phrases + 0.003 * rng.standard_normal(len(at))
    return made


def course(path: Path, hours: float, width: int) -> Segments:
    """Segments of a voice whose mood drifts, with a few outbursts."""
    rng = np.random.default_rng(1)
    ends = np.cumsum(rng.uniform(3, 7, round(hours * 3600 / 5)))
    ends = ends[ends < hours * 3600]
    starts = np.concatenate([[0.0], ends[:-1]]) + 0.4
    drift = np.cumsum(rng.normal(0, 0.12, (len(ends), 3)), 0)
    places = 4 + 1.2 * np.sin(drift) + rng.normal(0, 0.35, drift.shape)
    for at in rng.choice(len(ends), 5):
        places[at : at + 12] = (1.9, 6.2, 5.6)
    embeddings = rng.standard_normal((len(ends), width), np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    none = np.zeros(len(ends), np.int16)
    paths = [str(path)] * len(ends)
    loudness = np.full(len(ends), -30.0)
    return Segments(paths, starts, ends, embeddings, places.clip(1, 7).astype(np.float32), loudness, none, {})


def served(path: Path, hours: float) -> ServedIndex:
    """The recording as an index would serve it."""
    named = NamedIndex.made("recording-benchmark", [str(Path(__file__).parents[1] / "samples")])
    index = ServedIndex(named)
    one, status = index.snapshot, path.stat()
    collection = Collection(course(path, hours, one.model.embedding_dim), None, None)
    known = Indexed(status.st_size, status.st_mtime_ns, content_digest(path), None)
    index.snapshot = replace(one, collection=collection, recordings={str(path): known})
    return index


def tabs() -> list[int]:
    """The process of the page: of those that the browser of this process has for pages, the one that computed most."""
    parents, found = {}, []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                command = (entry / "cmdline").read_bytes()
                if b"--type=renderer" in command and b"--top-chrome-webui" not in command:
                    found.append(int(entry.name))
            except OSError:
                continue

    def own(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and own(parents[pid]))

    return sorted(filter(own, found), key=lambda pid: processor([pid]))[-1:]


def memory(pids: list[int]) -> float:
    """MB of processes that no other shares."""
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return sum(int(size) for text in texts for size in re.findall(r"Private_\w+: +(\d+)", text)) / 1024


def processor(pids: list[int]) -> float:
    """Seconds that processes have computed."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / os.sysconf("SC_CLK_TCK")


FRAMES = """async ([x, y, steps]) => {
  const canvas = document.querySelector("#over"), times = [];
  for (let i = 0; i < steps; i++) {
    const deltaY = i % 120 < 60 ? -55 : 55;
    const at = { clientX: x + 100 * Math.sin(i / 20), clientY: y };
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, ...at, bubbles: true, cancelable: true }));
    times.push(await new Promise(requestAnimationFrame));
  }
  return times;
}"""


def measured(address: str) -> dict[str, Any]:
    """What the browser says."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=WIDE)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")

        def heap() -> float:
            metrics = session.send("Performance.getMetrics")["metrics"]
            return next(one["value"] for one in metrics if one["name"] == "JSHeapUsedSize") / 1e6

        page.goto(address.split("recording/")[0], wait_until="networkidle")
        computed = processor(tabs())
        begun = time.perf_counter()
        page.goto(address, wait_until="commit")
        page.locator("#over[aria-valuenow]").wait_for(state="attached")
        page.keyboard.press("ArrowRight")
        page.get_by_text("0:05.0", exact=True).wait_for()
        found["interactive, s"] = time.perf_counter() - begun
        found["processor time of the tab meanwhile, s"] = processor(tabs()) - computed
        pids, memories, heaps = tabs(), [], []
        box = page.locator("#over").bounding_box()
        assert box is not None
        middle = [box["x"] + box["width"] / 2, box["y"] + 200, 240]
        for name in ("while the whole is being drawn", "once the whole is drawn"):
            computed = processor(pids)
            times = page.evaluate(FRAMES, middle)
            found[f"processor time of the tab a frame, ms, {name}"] = 1000 * (processor(pids) - computed) / len(times)
            gaps = np.diff(times)
            found[f"frames a second, {name}"] = 1000 / gaps.mean()
            found[f"slowest of 20 frames, ms, {name}"] = float(np.quantile(gaps, 0.95))
            memories.append(memory(pids))
            heaps.append(heap())
            page.locator("#whole").click()
            waited = time.perf_counter()
            while name.startswith("while") and not drawn(page) and time.perf_counter() - waited < 900:
                page.wait_for_timeout(1000)
            found.setdefault("whole waveform drawn after, s", time.perf_counter() - begun)
        for at in range(5, 100, 5):  # all over the recording, as finely as it goes
            page.keyboard.press("0")
            page.evaluate(FRAMES, [box["x"] + box["width"] * at / 100, box["y"] + 200, 60])
            page.wait_for_timeout(400)
            memories.append(memory(pids))
            heaps.append(heap())
        page.locator("#play").click()
        page.wait_for_timeout(5000)
        memories.append(memory(pids))
        heard = page.locator("#audio").evaluate("(audio) => audio.currentTime - audio.played.start(0)")
        found["heard in the first 5 s, s"] = heard
        found["memory of the tab, MB"] = max(memories)
        found["of it JavaScript, MB"] = max(heaps)
        browser.close()
    return found


def drawn(page: Any) -> bool:
    """Whether the server has outlined all of the recording."""
    asked = """async (url) => {
      const { headers } = await fetch(url);
      return ["X-Ready", "X-Seconds"].map((name) => headers.get(name));
    }"""
    id = page.url.split("/recording/")[1].split("?")[0]
    ready, seconds = page.evaluate(asked, f"../api/recordings/{id}/sound?end=1000000&bins=1")
    return seconds is not None and float(ready) >= float(seconds)


def main() -> None:
    """Print the numbers."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    path = Path(sys.argv[2] if len(sys.argv) > 2 else Path(tempfile.gettempdir()) / f"emorank-{hours:g}h.flac")
    if not path.exists():
        begun = time.perf_counter()
        written(path.with_suffix(".part"), hours)
        path.with_suffix(".part").rename(path)
        print(f"| written in {time.perf_counter() - begun:.0f} s | {path.stat().st_size / 1e6:.0f} MB |", flush=True)
    running = Server(create_app(served(path, hours)), Connections(256))
    running.config.port, running.config.lifespan = 0, "off"
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    address = f"http://127.0.0.1:{port}/recording/{recording_id(str(path))}?where=duration+%3E+6.5"
    for name, value in measured(address).items():
        print(f"| {name} | {value:.4g} |", flush=True)
    running.force_exit = running.should_exit = True
    thread.join(20)


if __name__ == "__main__":
    main()
