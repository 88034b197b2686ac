"""Plays moments one after another, by the system's player or the package sounddevice, and listens to keys meanwhile."""

import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from emorank.cli.console import clock, say
from emorank.errors import AudioError, EmorankError

if TYPE_CHECKING:
    from emorank.cli.cutting import Selected

#: Of these the first that is there plays a WAV file that is named behind its options.
PLAYERS = {
    "ffplay": ("-nodisp", "-autoexit", "-loglevel", "quiet"),
    "mpv": ("--no-video", "--really-quiet", "--no-terminal"),
    "afplay": (),
    "pw-play": (),
    "paplay": (),
    "aplay": ("-q",),
}
_POWERSHELL = "(New-Object System.Media.SoundPlayer $args[0]).PlaySync()"
_LOOK = 0.05  # seconds between two looks whether a key was pressed

Key = Literal["next", "again", "stop"]
_KEYS: dict[str, Key] = {"n": "next", " ": "next", "\r": "next", "\n": "next", "a": "again", "s": "stop", "q": "stop"}
_PAD = 0.3  # seconds before and after a moment


class Sound(Protocol):
    """Something that is being played."""

    def playing(self) -> bool:
        """Whether it has not ended yet."""

    def stop(self) -> None:
        """End it now."""


def play(selected: "Selected") -> None:
    """Play hits in their order. Keys of a terminal: n the next, a the same again, s stop.

    Raises:
        EmorankError: nothing on this computer plays sound.
    """
    start = _player()
    from emorank.taking.clips import encoded
    from emorank.taking.cutting import as_indexed, cut

    known = selected.place.recordings
    check = None if known is None else as_indexed(known)
    with tempfile.TemporaryDirectory(prefix="emorank-") as folder, _keys() as pressed:
        if pressed is not _never:
            say("Playing: n next, a again, s stop.")
        for place, moment in enumerate(selected.moments):
            file = Path(folder) / f"{place}.wav"
            ((_, sound),) = cut([moment], _PAD, check)
            if isinstance(sound, AudioError):
                say(f"skipped {sound}")
                continue
            file.write_bytes(encoded(sound, "wav"))
            say(f"{moment.rank}. {moment.path} {clock(moment.start)}")
            while (key := _played(start(file), pressed)) == "again":
                pass
            file.unlink()
            if key == "stop":
                return


def _played(sound: Sound, pressed: Callable[[], str]) -> Key:
    """Wait until a sound has ended, or a key ends it; what comes then."""
    try:
        while sound.playing():
            if key := _KEYS.get(pressed()):
                return key
            time.sleep(_LOOK)
        return "next"
    finally:
        sound.stop()


class _Process:
    """A player of the system's."""

    def __init__(self, command: Sequence[str]) -> None:
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=subprocess.PIPE)
        self._name = command[0]

    def playing(self) -> bool:
        """Whether it has not ended yet.

        Raises:
            EmorankError: it ended, and not because the sound did.
        """
        status = self._process.poll()
        if status:
            said = (
                (self._process.stderr.read() if self._process.stderr else b"").decode(errors="replace").split("\n")[0]
            )
            reason = said.strip() or f"exit status {status}"
            raise EmorankError(f"{os.path.basename(self._name)} cannot play sound here ({reason}).")
        return status is None

    def stop(self) -> None:
        """End it now."""
        with suppress(OSError):
            self._process.terminate()
        self._process.wait(5)
        if self._process.stderr:
            self._process.stderr.close()


class _Device:
    """The package sounddevice."""

    def __init__(self, file: Path) -> None:
        import sounddevice
        import soundfile

        samples, rate = soundfile.read(io.BytesIO(file.read_bytes()), dtype="float32", always_2d=True)
        try:
            sounddevice.play(samples, rate)
        except sounddevice.PortAudioError as error:
            raise EmorankError(f"Sound cannot be played here ({error}).") from error
        self._device = sounddevice

    def playing(self) -> bool:
        """Whether it has not ended yet."""
        return bool(self._device.get_stream().active)

    def stop(self) -> None:
        """End it now."""
        self._device.stop()


def _player() -> Callable[[Path], Sound]:
    """What plays a WAV file here."""
    for name, options in PLAYERS.items():
        if found := shutil.which(name):
            return lambda file: _Process([found, *options, str(file)])
    if os.name == "nt" and (shell := shutil.which("powershell") or shutil.which("pwsh")):
        return lambda file: _Process([shell, "-NoProfile", "-Command", f"& {{{_POWERSHELL}}}", str(file)])
    if importlib.util.find_spec("sounddevice"):
        return _Device
    raise EmorankError(
        f"Nothing on this computer plays sound; install one of {', '.join(PLAYERS)}, or: pip install sounddevice"
    )


def _never() -> str:
    return ""


@contextmanager
def _keys() -> Iterator[Callable[[], str]]:
    """Gives a function for the key that was pressed last, "" for none; of a terminal, which is as before at the end."""
    if not sys.stdin.isatty():
        yield _never
        return
    if os.name == "nt":
        import msvcrt

        yield lambda: msvcrt.getwch() if msvcrt.kbhit() else ""  # type: ignore[attr-defined]
        return
    import select
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def pressed() -> str:
        return os.read(terminal, 1).decode("latin1") if select.select([terminal], [], [], 0)[0] else ""

    try:
        tty.setcbreak(terminal)
        yield pressed
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
