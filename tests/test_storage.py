"""Files are written whole or not at all, and what cannot be replaced is written to."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from emorank.storage import is_temporary, owner_only, private_folder, written_whole


def write(path: Path, content: str = "new", private: bool = False) -> None:
    with written_whole(path, private) as temporary:
        temporary.write_text(content)


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    write(tmp_path / "file", "old")
    with pytest.raises(TypeError):
        write(tmp_path / "file", None)  # type: ignore[arg-type]
    assert (tmp_path / "file").read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_stays_one(tmp_path: Path) -> None:
    write(tmp_path / "there" / "file", "old")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    (tmp_path / "to-nothing").symlink_to(tmp_path / "there" / "none")
    for name in ("link", "to-nothing"):
        write(tmp_path / name)
        assert (tmp_path / name).is_symlink()
    assert {path.name: path.read_text() for path in (tmp_path / "there").iterdir()} == {"file": "new", "none": "new"}


def test_a_pipe_and_a_device_are_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_text()))
    reader.start()
    write(tmp_path / "pipe")
    reader.join(10)
    assert received == ["new"]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    write(Path("/dev/null"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OSError, match="No space left"):
        write(Path("/dev/full"))


def test_what_the_shell_has_open_is_written_to(tmp_path: Path) -> None:
    code = (
        "from emorank.storage import written_whole; from pathlib import Path\n"
        "with written_whole(Path('/dev/stdout')) as new: new.write_text('new')"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"new"
    with open(tmp_path / "file", "w") as file:
        inode = os.fstat(file.fileno()).st_ino
        subprocess.run(command, stdout=file, check=True)
    assert (os.stat(tmp_path / "file").st_ino, (tmp_path / "file").read_text()) == (inode, "new")


def test_what_a_killed_process_left_is_taken_away_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time; from emorank.storage import written_whole; from pathlib import Path\n"
        "with written_whole(Path(sys.argv[1])) as new:\n"
        " new.write_text('half'); print('there', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "file")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"there\n"
    (left,) = os.listdir(tmp_path)
    assert is_temporary(left)
    (tmp_path / ".12345678.other").write_text("mine")
    (tmp_path / ".file").write_text("mine")
    write(tmp_path / "file")
    assert left in os.listdir(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    write(tmp_path / "file")
    assert sorted(os.listdir(tmp_path)) == [".12345678.other", ".file", "file"]


def test_what_is_private_only_its_owner_may_read(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "file", private=True)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b", "a/b/file")]
    assert modes == [0o700, 0o700, 0o600]
    mask = os.umask(0)
    os.umask(mask)
    with owner_only(), owner_only():
        (tmp_path / "other").write_text("")
    assert stat.S_IMODE((tmp_path / "other").stat().st_mode) == 0o600
    write(tmp_path / "public")
    assert stat.S_IMODE((tmp_path / "public").stat().st_mode) == 0o666 & ~mask
    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "public")
