"""Updates of indexes that clients ask for: each runs as a process of its own, as `emorank index` does.

What it says goes to a file, not to a pipe, so that it goes on when the page is closed, or the server is ended.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emorank.errors import EmorankError
from emorank.index.named import NamedIndex
from emorank.listening.recordings import within
from emorank.serve.errors import Refused
from emorank.storage import cache_folder, data_folder, private_file, private_folder

_TAIL = 16_384  # bytes of what it said that are looked at
_SKIPPED = 20  # recordings that are named
_SYSTEM = ("/proc", "/sys", "/dev")  # hold no recordings, and some of what they hold never ends


class Updates:
    """The updates that this server has begun, one at a time for each index."""

    def __init__(self) -> None:
        self._begun: dict[Path, _Update] = {}
        self._lock = threading.Lock()

    def begin(self, named: NamedIndex, folders: Sequence[str]) -> dict[str, Any]:
        """Begin an update, with more folders to follow from now on.

        Raises:
            Refused: one is under way, or a folder cannot be followed.
        """
        try:
            paths = [checked(folder) for folder in folders]
        except EmorankError as error:
            raise Refused(400, "bad_folder", str(error)) from error
        with self._lock:
            before = self._begun.get(named.folder)
            if before and before.process.poll() is None:
                raise Refused(409, "under_way", "An update of this index is under way; wait until it has ended.")
            self._begun[named.folder] = _Update(named.name, paths)
        return self.state(named)

    def state(self, named: NamedIndex) -> dict[str, Any]:
        """How far the latest update of an index has come; see `emorank.serve.updating.UpdateNote`."""
        update = self._begun.get(named.folder)
        return update.state() if update else {"state": "none"}


def checked(folder: str) -> str:
    """The absolute path of a folder or recording that a client names.

    Raises:
        EmorankError: it is not there, or nothing that may be followed.
    """
    path = os.path.expanduser(folder.strip())
    if "\0" in path or not os.path.isabs(path):
        raise EmorankError("Write the whole path of the folder, such as /home/ann/recordings.")
    path = os.path.abspath(path)
    try:
        os.stat(path)
    except (OSError, ValueError) as error:
        raise EmorankError(f"{path}: there is no such file or folder, or it cannot be looked at.") from error
    real = os.path.realpath(path)
    own = [os.path.realpath(place) for place in (data_folder(), cache_folder())]
    if os.path.dirname(real) == real or any(within(real, place) for place in (*_SYSTEM, *own)):
        raise EmorankError(f"{path}: name a folder with recordings, not one of the system's or of emorank's own.")
    return path


class _Update:
    def __init__(self, name: str, folders: Sequence[str]) -> None:
        place = cache_folder() / "updates"
        private_folder(place)
        self._said, self._wrong = place / f"{name}.jsonl", place / f"{name}.txt"
        for file in (self._said, self._wrong):
            file.unlink(missing_ok=True)  # an earlier one may go on writing to what it has open
            private_file(file)
        command = [sys.executable, "-m", "emorank", "index", *folders, "--name", name, "--json"]
        with open(self._said, "ab") as said, open(self._wrong, "ab") as wrong:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=said, stderr=wrong, cwd=place, start_new_session=True
            )

    def state(self) -> dict[str, Any]:
        status = self.process.poll()  # before the file is read: what it said last is in there
        lines = [line for line in map(_parsed, _tail(self._said)) if line]
        last: dict[str, Any] = next((line for line in reversed(lines) if line["event"] != "skipped"), {})
        skipped = [{"path": line["path"], "reason": line["reason"]} for line in lines if line["event"] == "skipped"]
        told = {name: value for name, value in last.items() if name != "event"} | {"broken": skipped[:_SKIPPED]}
        if status is None:
            return told | {"state": "running"}
        if status == 0:
            return told | {"state": "done"}
        return told | {"state": "failed", "message": self._why(status)}

    def _why(self, status: int) -> str:
        said = [line for line in _tail(self._wrong) if line.startswith("emorank: ")]
        if said:
            return said[-1].removeprefix("emorank: ")
        if status < 0:
            return f"The update was ended from outside ({signal.Signals(-status).name}); what it had done is kept."
        return f"The update ended with status {status}; emorank index in a terminal says more."


def _tail(file: Path) -> list[str]:
    """The last whole lines of a file."""
    try:
        with open(file, "rb") as opened:
            size = opened.seek(0, os.SEEK_END)
            opened.seek(max(0, size - _TAIL))
            content = opened.read().decode(errors="replace")
    except OSError:
        return []
    lines = content.split("\n")[:-1]
    return lines if size <= _TAIL else lines[1:]


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "event" in found else None
