"""A Firefox of this computer, driven by WebDriver BiDi, which it speaks itself: no driver has to be there."""

import base64
import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

_START = 60.0  # seconds until it listens
_PATIENCE = 20.0  # seconds until what is waited for has to be there
_PAUSE = 0.05


class Firefox:
    """One window.

    Args:
        program: the browser.
        folder: for its profile, and for downloads.
    """

    def __init__(self, program: str, folder: Path) -> None:
        from websockets.sync.client import connect

        profile, self.downloads = folder / "profile", folder / "downloads"
        profile.mkdir()
        self.downloads.mkdir()
        wanted = {
            "browser.download.dir": str(self.downloads),
            "browser.download.folderList": 2,
            "media.autoplay.default": 0,
        }
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items()]
        (profile / "user.js").write_text("\n".join(lines))
        command = [program, "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", str(profile)]
        said = folder / "said"
        with open(said, "wb") as log:
            self._process = subprocess.Popen([*command, "about:blank"], stdout=log, stderr=log)
        until = time.monotonic() + _START
        while not (found := re.search(r"BiDi listening on (ws://\S+)", said.read_text(errors="replace"))):
            if time.monotonic() > until or self._process.poll() is not None:
                raise AssertionError(f"firefox does not listen: {said.read_text(errors='replace')}")
            time.sleep(_PAUSE)
        self._socket = connect(f"{found[1]}/session", max_size=None)
        self._number = 0
        self.send("session.new", capabilities={})
        self._page = self.send("browsingContext.getTree")["contexts"][0]["context"]
        self.resize(1280, 800)

    def send(self, method: str, **parameters: object) -> Any:
        """One command and its answer."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=_START))
            if message.get("id") == self._number:
                assert message["type"] == "success", message
                return message["result"]

    def resize(self, width: int, height: int) -> None:
        """Of the page, in css pixels."""
        self.send("browsingContext.setViewport", context=self._page, viewport={"width": width, "height": height})

    def open(self, address: str) -> None:
        """Go to a page."""
        self.send("browsingContext.navigate", context=self._page, url=address, wait="complete")

    def ask(self, expression: str) -> Any:
        """What an expression gives in the page, as JSON."""
        answer = self.send(
            "script.evaluate",
            expression=f"(async () => JSON.stringify({expression}))()",
            target={"context": self._page},
            awaitPromise=True,
            userActivation=True,
        )
        assert answer["type"] == "success", answer
        return json.loads(answer["result"].get("value", "null"))

    def wait(self, expression: str) -> Any:
        """Wait until an expression is true in the page; gives it."""
        until = time.monotonic() + _PATIENCE
        while not (value := self.ask(expression)):
            assert time.monotonic() < until, f"never true: {expression}"
            time.sleep(_PAUSE)
        return value

    def click(self, where: str | tuple[float, float]) -> None:
        """The middle of an element by its selector, or a place on the screen, by the mouse."""
        if isinstance(where, str):
            name = json.dumps(where)
            self.ask(f"document.querySelector({name}).scrollIntoView({{ block: 'center' }}) ?? null")
            where = self._rest(name)
        move = {"type": "pointerMove", "x": round(where[0]), "y": round(where[1])}
        press = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        self._act({"type": "pointer", "id": "mouse", "actions": [move, *press]})

    def _rest(self, name: str) -> tuple[float, float]:
        """The middle of an element once it no longer moves, as what slides in does for a while."""
        until, before = time.monotonic() + _PATIENCE, None
        while True:
            box = self.ask(f"document.querySelector({name}).getBoundingClientRect()")
            if box == before:
                return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
            assert time.monotonic() < until, f"never at rest: {name}"
            before = box
            time.sleep(_PAUSE)

    def write(self, text: str) -> None:
        """By the keyboard; an end of line is Enter."""
        keys = ["\ue007" if key == "\n" else key for key in text]
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._act({"type": "key", "id": "keys", "actions": actions})

    def _act(self, source: dict[str, Any]) -> None:
        self.send("input.performActions", context=self._page, actions=[source])

    def downloaded(self, name: str) -> bytes:
        """A download, once it is whole."""
        until = time.monotonic() + _PATIENCE
        path = self.downloads / name
        while not path.exists() or not path.stat().st_size or list(self.downloads.glob("*.part")):
            assert time.monotonic() < until, f"never downloaded: {name}"
            time.sleep(_PAUSE)
        return path.read_bytes()

    def picture(self) -> bytes:
        """What is on the screen, as PNG."""
        return base64.b64decode(self.send("browsingContext.captureScreenshot", context=self._page)["data"])

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(20)
